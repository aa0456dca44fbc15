import { formatDuration, seconds } from '#kernel';
import type { ControlPlaneQuestion, GateVerdict, LeaseView } from './types.js';

const LEADERS = ['kube-controller-manager', 'kube-scheduler'];
const LEASE_SECONDS = 15;

/**
 * Whether the control plane is whole enough for the next master to go (upgrade.md, "Control plane"): all masters Ready
 * with their critical pods, every API server ready, every target of its load balancer healthy, controller-manager and
 * scheduler led by somebody alive, and nothing against it from etcd. All reasons are given at once.
 */
export function controlPlaneGate(question: ControlPlaneQuestion): GateVerdict {
  const reasons = [
    ...nodeReasons(question),
    ...question.readyz
      .filter((server) => !server.ok)
      .map(
        ({ name, detail }) => `API server ${name} is not ready${detail === undefined ? '' : ` (${detail})`}`,
      ),
    ...(question.readyz.length === 0 ? ['no API server has answered /readyz'] : []),
    ...targetReasons(question),
    ...LEADERS.flatMap((name) => leaseReasons(question, name)),
    ...(question.etcd ?? []).map((reason) => `etcd: ${reason}`),
  ];
  return { open: reasons.length === 0, reasons };
}

function nodeReasons({ nodes, expected }: ControlPlaneQuestion): readonly string[] {
  const missing = expected - nodes.length;
  return [
    ...(missing > 0 ? [`${nodes.length} of ${expected} masters have joined`] : []),
    ...nodes.filter((node) => !node.ready).map((node) => `master ${node.name} is not Ready`),
    ...nodes.flatMap((node) =>
      (node.unreadyPods ?? []).map((pod) => `pod ${pod} on ${node.name} is not Ready`),
    ),
  ];
}

/** A target that is draining belongs to a master on its way out: it counts for nothing. */
function targetReasons({ targets, expected }: ControlPlaneQuestion): readonly string[] {
  if (targets.length === 0) return [];
  const staying = targets.filter((target) => target.state !== 'draining' && target.state !== 'unused');
  const sick = staying.filter((target) => target.state !== 'healthy');
  const healthy = staying.length - sick.length;
  return [
    ...sick.map((target) => `load balancer target ${target.instanceId} is ${target.state}`),
    ...(sick.length === 0 && healthy < expected
      ? [`the load balancer has ${healthy} of ${expected} healthy targets`]
      : []),
  ];
}

function leaseReasons({ leases, nodes, now }: ControlPlaneQuestion, name: string): readonly string[] {
  const lease = leases.find((candidate) => candidate.name === name);
  if (!lease) return [`${name} has no leader: there is no Lease kube-system/${name} (leader election off?)`];
  if (!lease.holder) return [`${name} has no leader`];
  const age = now - (lease.renewedAt ?? 0);
  const limit = seconds(lease.durationSeconds ?? LEASE_SECONDS);
  if (lease.renewedAt === undefined || age > limit) {
    const since = lease.renewedAt === undefined ? 'never' : `${formatDuration(age)} ago`;
    return [`${name} is led by ${lease.holder}, who renewed its lease ${since}`];
  }
  return deadHolder(lease, nodes, name);
}

/** Holders are `<node name>_<uuid>`; other forms cannot be matched and count as alive while they renew. */
function deadHolder(lease: LeaseView, nodes: ControlPlaneQuestion['nodes'], name: string): readonly string[] {
  const host = lease.holder?.split('_')[0] ?? '';
  const node = nodes.find((candidate) => candidate.name === host);
  return node && !node.ready ? [`${name} is led from ${host}, which is not Ready`] : [];
}
