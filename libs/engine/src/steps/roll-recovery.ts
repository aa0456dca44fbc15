import type { NodeGroupView, StepKind } from '#fleet';
import type { Intent } from '#ports';
import type { RollAction } from '#rolling';
import type { Pass } from '../pass/pass.js';
import { runRollAction } from './roll-actions.js';
import { forgetObservation } from './roll-scope.js';

/**
 * Intents that a killed worker left open. Most need nothing: `decide` looks at the world and asks again for what is not
 * done. Two are different, because doing them again from a new observation could do them twice: a raise of the desired
 * capacity and a termination. Those are looked up and, only if not done, done now, exactly as they were meant.
 */
export async function redoRollIntents(pass: Pass, step: StepKind): Promise<void> {
  const open = (await pass.ports.updates.unsettledIntents(pass.cluster.id)).filter(
    (intent) => intent.step === step,
  );
  if (open.length === 0) return;
  forgetObservation(pass);
  const groups = await pass.aws.describeNodeGroups(pass.cluster.id);
  const results = new Map<string, string[]>();
  for (const intent of open) {
    const result = await redo(pass, intent, groups);
    results.set(result, [...(results.get(result) ?? []), intent.id]);
  }
  for (const [result, ids] of results) await pass.intents.settle(ids, result);
}

async function redo(pass: Pass, intent: Intent, groups: readonly NodeGroupView[]): Promise<string> {
  const action = intent.data['action'] as RollAction | undefined;
  if (action?.kind === 'set-desired-capacity') {
    const group = groups.find((candidate) => candidate.groupName === action.group);
    if (group?.desiredCapacity !== action.from) return 'observed';
    await pass.intents.redo(() => runRollAction(pass, action));
    return 'redone';
  }
  if (action?.kind === 'terminate') {
    const instance = groups
      .flatMap((group) => group.instances)
      .find((seen) => seen.instanceId === action.instance);
    if (instance?.lifecycleState !== 'InService') return 'observed';
    await pass.intents.redo(() => runRollAction(pass, action));
    return 'redone';
  }
  return 'observed';
}
