import { digestOfValue } from '#kernel';
import type { DesiredNodePool, Plan, PlannedObject, PlannedRoll, PlannedStack, StackTemplate } from '#fleet';
import { refKey, refOf, STEP_KINDS } from '#fleet';
import { planStages, type StagedObject } from '#manifests';
import { previewRoll, readRollMemory, type RollPreview } from '#rolling';
import { mapBounded } from '../bounded.js';
import { API_CONCURRENCY, compareObjects, isUnknownKind, readLive } from '../manifests/compare-objects.js';
import type { Pass } from '../pass/pass.js';
import { poolPolicies } from '../steps/roll-policy.js';
import { observeRoll } from '../steps/roll-scope.js';

/** Everything that an update would do, before it does anything. Reads and dry-runs only. */
export async function buildPlan(pass: Pass): Promise<Plan> {
  const { desired } = pass;
  const poolStacks = desired.nodePools.map((pool) => pool.stack);
  const shared = [
    ...(desired.etcdStack ? [desired.etcdStack] : []),
    desired.clusterStack,
    ...desired.extraStacks,
  ];
  const stacks: PlannedStack[] = [];
  for (const stack of [...shared, ...poolStacks]) {
    stacks.push(await planStack(pass, stack, desired.provisional && poolStacks.includes(stack)));
  }
  const apiReady = await pass.kubernetes.ready();
  const objects = apiReady ? await planObjects(pass) : newObjects(pass);
  const preview = apiReady && !desired.provisional ? await previewPools(pass) : undefined;
  const nodes = await planNodes(pass, stacks, preview);
  const content = {
    stacks,
    objects,
    nodes,
    blockers: (preview?.blockers ?? []).map(({ what, remedy, owner }) => ({
      what,
      remedy,
      ...(owner !== undefined && { owner }),
    })),
    steps: STEP_KINDS,
  };
  return { digest: digestOfValue(content), ...content, ...(preview && { estimate: preview.estimate }) };
}

async function planStack(pass: Pass, stack: StackTemplate, placeholders: boolean): Promise<PlannedStack> {
  const view = await pass.aws.describeStack(stack.name);
  if (!view || view.status === 'REVIEW_IN_PROGRESS')
    return { name: stack.name, action: 'create', changes: [] };
  if (view.status === 'ROLLBACK_COMPLETE' || view.status === 'ROLLBACK_FAILED') {
    return {
      name: stack.name,
      action: 'create',
      changes: [`${view.status}: it is deleted and created again`],
    };
  }
  if (placeholders || view.status.endsWith('_IN_PROGRESS')) {
    return { name: stack.name, action: 'update', changes: [`${view.status}: known when it has ended`] };
  }
  const change = await pass.aws.prepareStackChange(stack);
  if (change.kind === 'none') return { name: stack.name, action: 'none', changes: [] };
  return { name: stack.name, action: change.kind, changes: change.changes };
}

/** Before the control plane exists everything is new. */
function newObjects(pass: Pass): readonly PlannedObject[] {
  return pass.desired.components.flatMap((component) =>
    component.objects.map(({ object }) => ({
      ref: refOf(object),
      component: component.name,
      action: 'create' as const,
      fields: [],
    })),
  );
}

async function planObjects(pass: Pass): Promise<readonly PlannedObject[]> {
  const stages = planStages(pass.desired.components, pass.cluster.id);
  if (!stages.ok) return newObjects(pass);
  const objects = stages.value.flatMap((stage) => stage.batches.flat());
  const live = await readLive(pass.kubernetes, objects);
  const ignored = new Map(pass.desired.components.map((one) => [one.name, one.settings.ignore]));
  return mapBounded(objects, API_CONCURRENCY, async (staged) => ({
    ref: refOf(staged.object),
    component: staged.component,
    ...(await compareOne(pass, staged, live, (name) => ignored.get(name) ?? [])),
  }));
}

async function compareOne(
  pass: Pass,
  staged: StagedObject,
  live: Parameters<typeof compareObjects>[2],
  ignoreOf: (component: string) => readonly string[],
): Promise<Pick<PlannedObject, 'action' | 'fields'>> {
  try {
    const [compared] = await compareObjects(pass.kubernetes, [staged], live, ignoreOf);
    const { action, fields } = compared?.comparison ?? { action: 'none', fields: [] };
    return { action, fields };
  } catch (error) {
    // Its CRD or namespace comes with this very update; anything else that the API server refuses stops the plan.
    if (isUnknownKind(error) && !live.has(refKey(refOf(staged.object))))
      return { action: 'create', fields: [] };
    throw error;
  }
}

async function previewPools(pass: Pass): Promise<RollPreview | undefined> {
  const policies = poolPolicies(pass, pass.desired.nodePools);
  if (!policies.ok) return undefined;
  const memory = readRollMemory(undefined, pass.update.id);
  const observed = await observeRoll(pass, pass.desired.nodePools, policies.value, memory);
  if (observed.kind !== 'scope') return undefined;
  return previewRoll(observed.scope, policies.value.scope, pass.ports.clock.now());
}

/** A pool whose launch template changes replaces every node; otherwise what is outdated already. */
async function planNodes(
  pass: Pass,
  stacks: readonly PlannedStack[],
  preview: RollPreview | undefined,
): Promise<readonly PlannedRoll[]> {
  const groups = await pass.aws.describeNodeGroups(pass.cluster.id);
  return pass.desired.nodePools.map((pool) => {
    const instances = groups.filter((group) => group.pool === pool.name).flatMap((group) => group.instances);
    // A pool may have one group per zone, each previewed by itself.
    const known = (preview?.pools ?? []).filter((candidate) => candidate.pool === pool.name);
    const all = replacesAll(pool, stacks);
    return {
      pool: pool.name,
      master: pool.master,
      total: instances.length,
      outdated: all
        ? instances.map((instance) => instance.instanceId)
        : known.flatMap(({ outdated }) => outdated),
      reason: all ? 'its launch template changes' : (known[0]?.reason ?? 'none are outdated'),
    };
  });
}

function replacesAll(pool: DesiredNodePool, stacks: readonly PlannedStack[]): boolean {
  const stack = stacks.find((candidate) => candidate.name === pool.stack.name);
  return (
    stack?.action === 'update' && stack.changes.some((change) => change.includes('AWS::EC2::LaunchTemplate'))
  );
}
