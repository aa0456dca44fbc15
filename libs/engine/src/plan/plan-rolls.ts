import type { DesiredNodePool, NodeGroupView, PlannedRoll, PlannedStack } from '#fleet';
import { previewRoll, readRollMemory, type PoolScope, type RollPreview } from '#rolling';
import type { Pass } from '../pass/pass.js';
import { poolPolicies } from '../steps/roll-policy.js';
import { observeRoll } from '../steps/roll-scope.js';

export interface PlannedRolls {
  readonly nodes: readonly PlannedRoll[];
  /** Blockers and duration; undefined while there is nothing to look at. */
  readonly preview: RollPreview | undefined;
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
  const preview = observable ? await previewPools(pass, changing) : undefined;
  const groups = await pass.aws.describeNodeGroups(pass.cluster.id);
  const nodes = pass.desired.nodePools.map((pool) => plannedRoll(pool, groups, preview, changing));
  return { nodes, preview };
}

function replacesAll(pool: DesiredNodePool, stacks: readonly PlannedStack[]): boolean {
  const stack = stacks.find((candidate) => candidate.name === pool.stack.name);
  return (
    stack?.action === 'update' && stack.changes.some((change) => change.includes('AWS::EC2::LaunchTemplate'))
  );
}

async function previewPools(pass: Pass, changing: ReadonlySet<string>): Promise<RollPreview | undefined> {
  const policies = poolPolicies(pass, pass.desired.nodePools);
  if (!policies.ok) return undefined;
  const memory = readRollMemory(undefined, pass.update.id);
  const observed = await observeRoll(pass, pass.desired.nodePools, policies.value, memory);
  if (observed.kind !== 'scope') return undefined;
  const groups = observed.scope.groups.map((scope) =>
    changing.has(scope.pool) ? withNewVersion(scope) : scope,
  );
  return previewRoll({ ...observed.scope, groups }, policies.value.scope, pass.ports.clock.now());
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
