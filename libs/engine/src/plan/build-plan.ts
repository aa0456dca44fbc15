import { digestOfValue } from '#kernel';
import type { Plan, PlannedStack, StackTemplate } from '#fleet';
import { STEP_KINDS } from '#fleet';
import { apiReady } from '../pass/api-ready.js';
import type { Pass } from '../pass/pass.js';
import { newObjects, planObjects } from './plan-objects.js';
import { planRolls } from './plan-rolls.js';

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
  const ready = await apiReady(pass);
  const manifests = ready ? await planObjects(pass) : newObjects(pass);
  const { nodes, preview } = await planRolls(pass, stacks, ready && !desired.provisional);
  const content = {
    stacks,
    objects: manifests.objects,
    nodes,
    blockers: [
      ...manifests.blockers,
      ...(preview?.blockers ?? []).map(({ what, remedy, owner }) => ({
        what,
        remedy,
        ...(owner !== undefined && { owner }),
      })),
    ],
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
