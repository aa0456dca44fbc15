import { formatDuration, minutes } from '#kernel';
import type { Finding, InstanceView, NodeView } from '#fleet';
import { finding } from './catalogue.js';
import { judge, plural, verdict, type Verdict } from './check.js';
import type { DoctorObservation } from './observation.js';

/** The pod-eviction timeout: pods are given this long on a node that went silent (tolerationSeconds: 300). */
const POD_EVICTION_TIMEOUT = minutes(5);
/** Launch and registration of a new machine (rolling.md). */
const BOOT_LIMIT = minutes(20);

/** Nodes that stopped answering, and machines that never became one. */
export function nodesCheck(observation: DoctorObservation): Verdict {
  const now = observation.clusterNow ?? observation.now;
  return judge(observation.nodes, (nodes) => {
    const silent = nodes.filter((node) => !node.ready);
    const strangers = judge(observation.groups, (groups) => {
      const known = new Set(nodes.flatMap(({ instanceId }) => instanceId ?? []));
      const missing = groups
        .flatMap(({ instances }) => instances)
        .filter((each) => each.lifecycleState === 'InService' && !known.has(each.instanceId));
      return verdict(
        '',
        missing.flatMap((each) => strangerFinding(each, now)),
      );
    });
    return verdict(
      `${nodes.length - silent.length} of ${plural(nodes.length, 'node')} Ready`,
      [...silent.flatMap((node) => silentFinding(node, now)), ...strangers.findings],
      strangers.unknown,
    );
  });
}

function silentFinding(node: NodeView, now: number): readonly Finding[] {
  const since = Date.parse(node.readySince ?? node.createdAt);
  const silent = Number.isNaN(since) ? Number.POSITIVE_INFINITY : now - since;
  if (silent <= POD_EVICTION_TIMEOUT) return [];
  const how = Number.isFinite(silent) ? `for ${formatDuration(silent)}` : 'since nobody knows when';
  return [
    finding('node-not-ready', {
      subject: `node ${node.name}`,
      message: `${node.name} is not Ready ${how}${node.instanceId === undefined ? '' : ` (${node.instanceId})`}`,
      remedy:
        'Look at the machine (EC2 status, kubelet). Where it does not come back, terminate the instance: the group replaces it.',
      ...(Number.isFinite(silent) && { since }),
    }),
  ];
}

function strangerFinding(instance: InstanceView, now: number): readonly Finding[] {
  const launched = Date.parse(instance.launchedAt ?? '');
  if (Number.isNaN(launched) || now - launched <= BOOT_LIMIT) return [];
  return [
    finding('instance-without-node', {
      subject: `instance ${instance.instanceId}`,
      message: `${instance.instanceId} is in service for ${formatDuration(now - launched)} and has not joined as a node`,
      remedy: 'Read its console output (user data, network, bootstrap token), then terminate it.',
      since: launched,
    }),
  ];
}
