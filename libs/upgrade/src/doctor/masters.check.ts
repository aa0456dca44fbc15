import { isMasterNode, type Finding, type InstanceView, type NodeView } from '#fleet';
import { finding } from './catalogue.js';
import { judge, known, plural, verdict, type Verdict } from './check.js';
import type { ComponentView, DoctorObservation } from './observation.js';

const NOT_OURS = 'no node pool of this cluster is a control plane: somebody else runs it';
const LEAVING = ['draining', 'unused'];

/** A node of the control plane, by the machines of its pools, or by its role label. */
export function isMaster(observation: DoctorObservation, node: NodeView): boolean {
  return (
    isMasterNode(node) || mastersOf(observation).some(({ instanceId }) => instanceId === node.instanceId)
  );
}

/** Machines of the master pools that stay. */
function mastersOf({ groups, masterPools }: DoctorObservation): readonly InstanceView[] {
  return (known(groups) ?? [])
    .filter(({ pool }) => masterPools.includes(pool))
    .flatMap(({ instances }) => instances)
    .filter(({ lifecycleState }) => lifecycleState.startsWith('InService'));
}

/** `/readyz`, and the load balancer in front of the API servers. */
export function apiCheck(observation: DoctorObservation): Verdict {
  return judge(observation.api, ({ url, ready }) => {
    const findings = ready
      ? []
      : [
          finding('api-not-ready', {
            subject: url,
            message: `the API server at ${url} does not answer /readyz`,
            remedy: 'Look at the load balancer, the masters and etcd. Fairway waits and goes on by itself.',
          }),
        ];
    const targets = targetVerdict(observation);
    const summary = `ready; ${targets.summary}`;
    return verdict(summary, [...findings, ...targets.findings], targets.unknown);
  });
}

function targetVerdict(observation: DoctorObservation): Verdict {
  if (observation.masterPools.length === 0) return verdict('its control plane is run by somebody else', []);
  return judge(observation.groups, () => {
    const masters = mastersOf(observation);
    const states = masters.flatMap((master) =>
      Object.values(master.targetHealth)
        .filter((state) => !LEAVING.includes(state))
        .map((state) => ({ id: master.instanceId, state })),
    );
    const healthy = new Set(states.filter(({ state }) => state === 'healthy').map(({ id }) => id)).size;
    if (states.length === 0) {
      const few = finding('api-without-load-balancer', {
        subject: 'API load balancer',
        message: 'no master is a target of a load balancer or target group',
        remedy: 'Give the auto scaling group of the masters a target group of the API.',
      });
      return verdict('', [few]);
    }
    const sick = states.filter(({ state }) => state !== 'healthy');
    return verdict(`${plural(healthy, 'healthy target')} behind the load balancer`, [
      ...sick.map(({ id, state }) =>
        finding('api-target-unhealthy', {
          subject: `target ${id}`,
          message: `${id} is ${state} in the target group of the API`,
          remedy: 'Look at the API server of that master; Fairway replaces it when it stays sick in a roll.',
        }),
      ),
      ...tooFew(healthy, masters.length),
    ]);
  });
}

/** With one master there is never a second target: that is told by `few-masters`. */
function tooFew(healthy: number, masters: number): readonly Finding[] {
  if (healthy >= 2 || (healthy === 1 && masters <= 1)) return [];
  return [
    finding('api-targets-few', {
      subject: 'API load balancer',
      message: `${plural(healthy, 'target')} of ${masters} masters ${healthy === 1 ? 'is' : 'are'} healthy`,
      remedy: 'Mend or replace the sick masters before anything else.',
      ...(healthy === 0 && { severity: 'critical' as const }),
    }),
  ];
}

/** How many masters, where they are, and whether each of them has all its parts. */
export function mastersCheck(observation: DoctorObservation): Verdict {
  if (observation.masterPools.length === 0) return { ...verdict('', []), notApplicable: NOT_OURS };
  const size = judge(observation.groups, () => sizeAndZones(mastersOf(observation)));
  const parts = judge(observation.components, unreadyParts);
  return verdict(size.summary, [...size.findings, ...parts.findings], [...size.unknown, ...parts.unknown]);
}

function sizeAndZones(masters: readonly InstanceView[]): Verdict {
  const zones = masters.map(({ zone }) => zone);
  const few =
    masters.length >= 3
      ? []
      : [
          finding('few-masters', {
            subject: 'control plane',
            message: `the control plane has ${plural(masters.length, 'master')}`,
            remedy: 'Set the size of the master pool to 3.',
          }),
        ];
  const crowded = masters.length < 3 ? undefined : zoneWithMajority(zones);
  const zoned = new Set(zones).size;
  return verdict(`${plural(masters.length, 'master')} in ${plural(zoned, 'zone')}`, [
    ...few,
    ...(crowded === undefined
      ? []
      : [
          finding('masters-zone-majority', {
            subject: `zone ${crowded.zone}`,
            message: `${crowded.count} of ${masters.length} masters are in ${crowded.zone}`,
            remedy: 'Give the pool of the masters subnets in three zones, and let AZRebalance spread them.',
          }),
        ]),
  ]);
}

/** The zone whose loss would leave no majority of the others. */
export function zoneWithMajority(zones: readonly string[]): { zone: string; count: number } | undefined {
  const quorum = Math.floor(zones.length / 2) + 1;
  return [...new Set(zones)]
    .sort()
    .map((zone) => ({ zone, count: zones.filter((other) => other === zone).length }))
    .find(({ count }) => zones.length - count < quorum && count > 1);
}

function unreadyParts(components: readonly ComponentView[]): Verdict {
  if (components.length === 0) {
    return verdict('', [], ['no pod of kube-system is labelled as a part of the control plane']);
  }
  return verdict(
    '',
    components
      .filter(({ ready }) => !ready)
      .map(({ name, component, nodeName }) =>
        finding('control-plane-pod-unready', {
          subject: `pod kube-system/${name}`,
          message: `${component}${nodeName === undefined ? '' : ` on ${nodeName}`} is not Ready`,
          remedy: `Read its log (kubectl -n kube-system logs ${name}) and the kubelet's on that node.`,
        }),
      ),
  );
}
