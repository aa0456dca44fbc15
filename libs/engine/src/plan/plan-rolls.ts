import type { DesiredNodePool, NodeGroupView, PlannedRoll, PlannedStack } from '#fleet';
import { previewRoll, readRollMemory, type PoolDemand, type PoolScope, type RollPreview } from '#rolling';
import type { Pass } from '../pass/pass.js';
import { poolPolicies, type PoolPolicies } from '../steps/roll-policy.js';
import { observeRoll } from '../steps/roll-scope.js';
import { demandsOf } from './foresee.js';

export interface PlannedRolls {
  readonly nodes: readonly PlannedRoll[];
  /** Blockers and duration; undefined while there is nothing to look at. */
  readonly preview: RollPreview | undefined;
  /** Machines that the update needs beyond those that run. */
  readonly demands: readonly PoolDemand[];
}

/** Which nodes an update will replace, what is foreseen to be in the way, and how long it takes. */
export async function planRolls(
  pass: Pass,
  stacks: readonly PlannedStack[],
  observable: boolean,
): Promise<PlannedRolls> {
  const changing = new Set(
    pass.desired.nodePools.filter((pool) => replacesAll(pool, stacks)).map((pool) => pool.name),
  );
  const groups = await pass.aws.describeNodeGroups(pass.cluster.id);
  const policies = poolPolicies(pass, pass.desired.nodePools);
  const preview =
    observable && policies.ok ? await previewPools(pass, groups, policies.value, changing) : undefined;
  const nodes = pass.desired.nodePools.map((pool) => plannedRoll(pool, groups, preview, changing));
  const demands = policies.ok ? demandsOf(pass, stacks, groups, policies.value, preview) : [];
  return { nodes, preview, demands };
}

function replacesAll(pool: DesiredNodePool, stacks: readonly PlannedStack[]): boolean {
  const stack = stacks.find((candidate) => candidate.name === pool.stack.name);
  return (
    stack?.action === 'update' && stack.changes.some((change) => change.includes('AWS::EC2::LaunchTemplate'))
  );
}

async function previewPools(
  pass: Pass,
  existing: readonly NodeGroupView[],
  policies: PoolPolicies,
  changing: ReadonlySet<string>,
): Promise<RollPreview | undefined> {
  const memory = readRollMemory(undefined, pass.update.id);
  // A pool that is still to be made keeps nobody from looking at the others.
  const pools = pass.desired.nodePools.filter(({ name }) => existing.some(({ pool }) => pool === name));
  const observed = await observeRoll(pass, pools, policies, memory);
  if (observed.kind !== 'scope') return undefined;
  const groups = observed.scope.groups.map((scope) =>
    changing.has(scope.pool) ? withNewVersion(scope) : scope,
  );
  return previewRoll({ ...observed.scope, groups }, policies.scope, pass.ports.clock.now());
}

/** The pool as it will be once its stack has made the next version of its launch template. */
function withNewVersion(scope: PoolScope): PoolScope {
  const next = { name: scope.targetVersion.name, version: 'the next' };
  return { ...scope, targetVersion: next, group: { ...scope.group, launchTemplate: next } };
}

function plannedRoll(
  pool: DesiredNodePool,
  groups: readonly NodeGroupView[],
  preview: RollPreview | undefined,
  changing: ReadonlySet<string>,
): PlannedRoll {
  const instances = groups.filter((group) => group.pool === pool.name).flatMap((group) => group.instances);
  // A pool may have one group per zone, each previewed by itself.
  const known = (preview?.pools ?? []).filter((candidate) => candidate.pool === pool.name);
  const all = changing.has(pool.name);
  return {
    pool: pool.name,
    master: pool.master,
    total: instances.length,
    outdated: all
      ? instances.map((instance) => instance.instanceId)
      : known.flatMap(({ outdated }) => outdated),
    reason: all ? 'its launch template changes' : (known[0]?.reason ?? 'none are outdated'),
  };
}
