import { digestOfValue } from '#kernel';
import type { Plan, PlannedStack, StackTemplate } from '#fleet';
import { STEP_KINDS } from '#fleet';
import type { CapacityFinding, PoolDemand } from '#rolling';
import { apiReady } from '../pass/api-ready.js';
import type { Pass } from '../pass/pass.js';
import { foresee, QUOTAS_FRESH } from './foresee.js';
import { newObjects, planObjects } from './plan-objects.js';
import { planRolls } from './plan-rolls.js';

export interface BuiltPlan {
  readonly plan: Plan;
  /** Machines that the update needs beyond those that run. */
  readonly demands: readonly PoolDemand[];
  /** What of them the account has no room for. */
  readonly findings: readonly CapacityFinding[];
}

/** Everything that an update would do, before it does anything. Reads and dry-runs only. */
export async function buildPlan(pass: Pass): Promise<BuiltPlan> {
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
  const ready = await apiReady(pass);
  const manifests = ready ? await planObjects(pass) : newObjects(pass);
  const { nodes, preview, demands } = await planRolls(pass, stacks, ready && !desired.provisional);
  const { findings, unknown } = await foresee(pass, demands, QUOTAS_FRESH);
  const content = {
    stacks,
    objects: manifests.objects,
    nodes,
    blockers: [...manifests.blockers, ...(preview?.blockers ?? []).map(told), ...findings.map(told)],
    ...(unknown.length > 0 && { unknown: unknown.map(({ what }) => what) }),
    steps: STEP_KINDS,
  };
  const plan: Plan = {
    digest: digestOfValue(content),
    ...content,
    ...(preview && { estimate: preview.estimate }),
  };
  return { plan, demands, findings };
}

const told = ({ what, remedy, owner }: Plan['blockers'][number]): Plan['blockers'][number] => ({
  what,
  remedy,
  ...(owner !== undefined && { owner }),
});

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
  if (view.status === 'UPDATE_ROLLBACK_FAILED') {
    // Its step continues the rollback, and tells where that fails; CloudFormation plans nothing before.
    const changes = [`${view.status}: known when its rollback was continued`];
    return { name: stack.name, action: 'update', changes };
  }
  const change = await pass.aws.prepareStackChange(stack);
  if (change.kind === 'none') return { name: stack.name, action: 'none', changes: [] };
  return { name: stack.name, action: change.kind, changes: change.changes };
}
