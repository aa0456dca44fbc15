import type { Instant, Outcome } from '#kernel';
import { failed, formatDuration, milliseconds, minutes, waiting } from '#kernel';
import type { DesiredNodePool, NodeGroupView, NodeView, PdbView, PodView } from '#fleet';
import type { PoolScope, RollMemory, RollScope } from '#rolling';
import type { Pass } from '../pass/pass.js';
import { masterGate } from './roll-gate.js';
import type { PoolPolicies } from './roll-policy.js';
import { bootThrottle } from './roll-throttle.js';
import { attachmentsOf, volumeZonesOf } from './roll-volumes.js';

export type ObservedRoll =
  | {
      readonly kind: 'scope';
      readonly scope: RollScope;
      /**
       * When the look began: the time to decide by. A pass may look, be busy with manifests for minutes or be stopped, and
       * decide then; by the later time a machine would count as overdue that has come up since.
       */
      readonly at: Instant;
    }
  /** Nothing to decide on yet. */
  | { readonly kind: 'outcome'; readonly outcome: Outcome };

/** Reads everything that a decision needs, once. */
export async function observeRoll(
  pass: Pass,
  pools: readonly DesiredNodePool[],
  policies: PoolPolicies,
  memory: RollMemory,
): Promise<ObservedRoll> {
  const { at, groups, ...cluster } = await observeCluster(pass);
  const scopes: PoolScope[] = [];
  for (const pool of pools) {
    for (const group of groups.filter((candidate) => candidate.pool === pool.name)) {
      if (!group.launchTemplate) return partMissing(pass, pool, TEMPLATE);
      const own = nodesOf(group, cluster.nodes, memory);
      scopes.push(await poolScope(pass, pool, group, own, policies));
    }
    if (!scopes.some((scope) => scope.pool === pool.name)) return partMissing(pass, pool, GROUP);
    pass.memory.delete(missingSince(pool));
  }
  const [controlPlane, attachments, volumeZones] = await Promise.all([
    masterGate(pass, { groups: scopes, pods: cluster.pods }, memory),
    attachmentsOf(pass, memory),
    volumeZonesOf(pass, { groups: scopes, pods: cluster.pods }),
  ]);
  return {
    kind: 'scope',
    at,
    scope: {
      clusterId: pass.cluster.id,
      updateId: pass.update.id,
      commit: pass.desired.commit,
      groups: scopes,
      ...cluster,
      ...(attachments && { attachments }),
      ...(volumeZones && { volumeZones }),
      memory,
      frozen: frozenPools(pass, pools),
      bootThrottle: bootThrottle(pass),
      ...(controlPlane && { controlPlaneGate: controlPlane }),
    },
  };
}

interface Observation {
  readonly at: Instant;
  readonly groups: readonly NodeGroupView[];
  readonly nodes: readonly NodeView[];
  readonly pods: readonly PodView[];
  readonly pdbs: readonly PdbView[];
}

const observations = new WeakMap<Pass, Promise<Observation>>();

/** Masters and workers of one pass are judged on one look, until somebody acts on what was seen. */
function observeCluster(pass: Pass): Promise<Observation> {
  const known = observations.get(pass);
  if (known) return known;
  const fresh = readOnce(pass);
  observations.set(pass, fresh);
  return fresh;
}

/** To be called after an action: what was seen before it is not true any more. */
export const forgetObservation = (pass: Pass): boolean => observations.delete(pass);

/** Memory key: the contents of the stacks at the first look that was taken after they were found in place. */
const LOOKED_AFTER = 'roll/stacks-in-place';

/**
 * To be called when the pools' stacks are in place. The control plane's step of this very pass may have looked at the
 * groups before that: by that look every node still had the newest launch template, and the roll would be over before
 * it began.
 */
export function lookAfterChange(pass: Pass, content: string): void {
  if (pass.memory.text(LOOKED_AFTER) === content) return;
  forgetObservation(pass);
  pass.memory.set(LOOKED_AFTER, content);
}

async function readOnce(pass: Pass): Promise<Observation> {
  const at = pass.ports.clock.now();
  const [groups, nodes, pods, pdbs] = await Promise.all([
    pass.aws.describeNodeGroups(pass.cluster.id),
    pass.kubernetes.listNodes(),
    pass.kubernetes.listPods(),
    pass.kubernetes.listPdbs(),
  ]);
  return { at, groups, nodes, pods, pdbs };
}

/** Nodes of the group's machines, and those that outlive a machine that the roll remembers. */
function nodesOf(
  group: NodeGroupView,
  nodes: readonly NodeView[],
  { instances }: RollMemory,
): readonly NodeView[] {
  const present = new Set(group.instances.map((instance) => instance.instanceId));
  return nodes.filter(
    ({ instanceId: id }) => id !== undefined && (present.has(id) || instances[id]?.group === group.groupName),
  );
}

async function poolScope(
  pass: Pass,
  pool: DesiredNodePool,
  group: NodeGroupView,
  nodes: readonly NodeView[],
  policies: PoolPolicies,
): Promise<PoolScope> {
  const delays = await Promise.all(group.targetGroupArns.map((arn) => pass.aws.deregistrationDelay(arn)));
  const policy = policies.byPool.get(pool.name);
  return {
    pool: pool.name,
    master: pool.master,
    minSize: pool.minSize,
    maxSize: pool.maxSize,
    group,
    nodes,
    targetVersion: group.launchTemplate as { name: string; version: string },
    instanceTypes: pool.instanceTypes,
    ...(pass.desired.kubernetesVersion !== undefined && { kubeletVersion: pass.desired.kubernetesVersion }),
    deregistrationDelay: delays.reduce((longest, delay) => Math.max(longest, delay), milliseconds(0)),
    ...(policy && { policy }),
  };
}

const missingSince = (pool: DesiredNodePool): string => `roll/part-missing-since/${pool.name}`;
/** What is new shows itself within seconds. */
const SHOWS_WITHIN = minutes(3);

interface Part {
  readonly code: string;
  readonly what: string;
  readonly message: string;
  hint(pass: Pass, pool: DesiredNodePool): string;
}

const ANEW = 'delete the stack too (its termination protection first): Fairway makes all of it anew.';

const GROUP: Part = {
  code: 'node-group-missing',
  what: 'its auto scaling group',
  message: 'no auto scaling group carries its tags',
  hint: ({ cluster }, pool) =>
    `If it was deleted, ${ANEW} If only its tags kubernetes.io/cluster/${cluster.id}=owned and kubernetes.io/node-pool=${pool.name} were removed, put them back. It is looked for every minute.`,
};

const TEMPLATE: Part = {
  code: 'launch-template-missing',
  what: 'a launch template on its auto scaling group',
  message: 'the launch template of its auto scaling group does not exist, so nothing can be launched',
  hint: () =>
    `If it was deleted, ${ANEW} Or give it another name in the template of the stack: CloudFormation makes a new one.`,
};

/** CloudFormation takes its stack for complete, and never makes again what somebody deleted. */
function partMissing(pass: Pass, pool: DesiredNodePool, part: Part): ObservedRoll {
  const now = pass.ports.clock.now();
  const since = pass.memory.number(missingSince(pool)) ?? now;
  pass.memory.set(missingSince(pool), since);
  const outcome =
    now - since < SHOWS_WITHIN
      ? waiting(`node pool ${pool.name} to show ${part.what}`, pass.settings.pollInterval)
      : failed({
          class: 'blocked',
          code: part.code,
          message: `node pool ${pool.name}: stack ${pool.stack.name} is in place, and for ${formatDuration(now - since)} ${part.message}`,
          hint: part.hint(pass, pool),
        });
  return { kind: 'outcome', outcome };
}

/** A hold on the cluster or its channel freezes every pool; a hold on a pool freezes that one. */
function frozenPools(pass: Pass, pools: readonly DesiredNodePool[]): readonly string[] {
  if (pass.holds.some((hold) => hold.scope.kind !== 'pool')) return pools.map((pool) => pool.name);
  return pass.holds.flatMap((hold) => (hold.scope.kind === 'pool' ? [hold.scope.pool] : []));
}
