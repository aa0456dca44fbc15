import { digestOfValue, done, hours, waiting, type Outcome } from '#kernel';
import type { Pass } from '../pass/pass.js';
import { OUTPUTS_OBSERVED } from '../render/lock-inputs.js';
import { ensureStack, ensureStacks } from './ensure-stack.js';
import type { StepRunner } from './step-runner.js';

/** The cluster stack, then the extra ones. The etcd stack came before: the control plane's user data points to it. */
export const clusterStackStep: StepRunner = {
  kind: 'cluster-stack',
  title: 'Create or update the cluster stacks',
  timeLimit: hours(1),
  errorThreshold: 3,
  irreversible: false,
  run: async (pass) => {
    const { clusterStack, extraStacks } = pass.desired;
    const outcome = await ensureStack(pass, 'cluster-stack', clusterStack);
    if (outcome.kind !== 'done') return outcome;
    const stale = await outputsMoved(pass, clusterStack.name);
    if (stale) return stale;
    const extra = await ensureStacks(pass, 'cluster-stack', extraStacks);
    return extra.kind === 'done' ? done(`${1 + extraStacks.length} stacks are up to date`) : extra;
  },
};

/** Everything after the cluster stack is rendered with its outputs: with others, the next pass renders anew. */
async function outputsMoved(pass: Pass, stackName: string): Promise<Outcome | undefined> {
  if (pass.memory.text(OUTPUTS_OBSERVED) === pass.update.id) return undefined;
  const { clusterStackOutputs: now } = await pass.aws.observeInputs({ stackName, cipherTexts: [] });
  if (digestOfValue(now ?? null) === digestOfValue(pass.inputs.clusterStackOutputs ?? null)) {
    pass.memory.set(OUTPUTS_OBSERVED, pass.update.id);
    return undefined;
  }
  return waiting(`a render with the new outputs of stack ${stackName}`, pass.settings.pollInterval);
}
