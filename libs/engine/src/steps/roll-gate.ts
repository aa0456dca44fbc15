import type { Instant } from '#kernel';
import type { NodeView, PodView } from '#fleet';
import type { RollMemory, RollScope } from '#rolling';
import { outdated } from '#rolling';
import { controlPlaneGate, orderMasters, type ControlPlaneQuestion, type LeaseView } from '#upgrade';
import { apiReady } from '../pass/api-ready.js';
import type { Pass } from '../pass/pass.js';

const LEADERS = ['kube-controller-manager', 'kube-scheduler'] as const;
const SEEN = 'roll/leases';
const CRITICAL_PRIORITY = 2_000_000_000;

type Seen = Readonly<Record<string, { readonly renewTime: string; readonly at: Instant }>>;
type Masters = Pick<RollScope, 'groups' | 'pods'>;

/**
 * Whether the control plane is whole enough for the next master to go (upgrade.md). Undefined where no master is to be
 * replaced. Masters that do not serve anyway (broken old ones, new ones that still boot) are not held against it: the
 * rolling brain waits for those itself, and a gate that waited for a dead master could never be opened by replacing it.
 */
export async function masterGate(
  pass: Pass,
  scope: Masters,
  memory: RollMemory,
): Promise<RollScope['controlPlaneGate']> {
  const masters = scope.groups.filter((group) => group.master);
  const rolling = masters.some((pool) =>
    pool.group.instances.some((instance) => outdated(instance, pool).outdated),
  );
  if (!rolling) return undefined;
  const [leases, ok] = await Promise.all([readLeases(pass), apiReady(pass)]);
  const members = masters.flatMap((pool) => servingMasters(pool, memory));
  const verdict = controlPlaneGate({
    now: pass.ports.clock.now(),
    nodes: members.map(({ node }) => ({
      name: node.name,
      ready: node.ready,
      unreadyPods: unreadyPods(scope.pods, node),
    })),
    targets: members.flatMap(({ instance }) =>
      Object.values(instance.targetHealth).map((state) => ({ instanceId: instance.instanceId, state })),
    ),
    leases,
    readyz: [{ name: pass.cluster.apiServerUrl, ok }],
    expected: members.length,
  } satisfies ControlPlaneQuestion);
  return { ...verdict, order: orderOf(masters, leases) };
}

/** What is broken goes first, what leads goes last: one change of leaders instead of several. */
function orderOf(masters: Masters['groups'], leases: readonly LeaseView[]): readonly string[] {
  const leading = leases.map(({ holder }) => holder?.split('_')[0]);
  const views = masters.flatMap((pool) =>
    pool.group.instances.map((instance) => {
      const node = pool.nodes.find(({ instanceId }) => instanceId === instance.instanceId);
      return {
        instanceId: instance.instanceId,
        zone: instance.zone,
        ready: node?.ready === true,
        outdated: outdated(instance, pool).outdated,
        leader: node !== undefined && leading.includes(node.name),
      };
    }),
  );
  return orderMasters(views).map(({ instanceId }) => instanceId);
}

function servingMasters(pool: Masters['groups'][number], memory: RollMemory) {
  return pool.group.instances.flatMap((instance) => {
    const node = pool.nodes.find((candidate) => candidate.instanceId === instance.instanceId);
    if (!node || !instance.lifecycleState.startsWith('InService')) return [];
    const served = memory.instances[instance.instanceId]?.initialisedAt !== undefined;
    return node.ready || served ? [{ instance, node }] : [];
  });
}

const unreadyPods = (pods: readonly PodView[], node: NodeView): readonly string[] =>
  pods
    .filter(
      (pod) =>
        pod.nodeName === node.name &&
        pod.namespace === 'kube-system' &&
        pod.priority >= CRITICAL_PRIORITY &&
        pod.phase !== 'Succeeded' &&
        pod.deletionTimestamp === undefined &&
        !pod.ready,
    )
    .map((pod) => pod.name);

/**
 * Leases are judged as leader election judges them: not by the cluster's clock, but by whether the renewal that we see
 * now is another one than before. The first sight counts as fresh.
 */
async function readLeases(pass: Pass): Promise<readonly LeaseView[]> {
  const before = (pass.memory.get(SEEN) ?? {}) as Seen;
  const now = pass.ports.clock.now();
  const objects = await Promise.all(
    LEADERS.map((name) =>
      pass.kubernetes.get({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        namespace: 'kube-system',
        name,
      }),
    ),
  );
  const seen: Record<string, { renewTime: string; at: Instant }> = {};
  const views = LEADERS.map((name, index): LeaseView => {
    const spec = (objects[index]?.['spec'] ?? {}) as Readonly<Record<string, unknown>>;
    const renewTime = typeof spec['renewTime'] === 'string' ? spec['renewTime'] : undefined;
    const holder = typeof spec['holderIdentity'] === 'string' ? spec['holderIdentity'] : '';
    if (renewTime === undefined) return { name };
    const known = before[name];
    const at = known?.renewTime === renewTime ? known.at : now;
    seen[name] = { renewTime, at };
    const duration = spec['leaseDurationSeconds'];
    return {
      name,
      ...(holder !== '' && { holder }),
      renewedAt: at,
      ...(typeof duration === 'number' && { durationSeconds: duration }),
    };
  });
  pass.memory.set(SEEN, seen);
  return views;
}
