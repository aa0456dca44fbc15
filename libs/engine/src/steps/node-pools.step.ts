import { done, hours, type Outcome } from '#kernel';
import type { StackTemplate } from '#fleet';
import type { Pass } from '../pass/pass.js';
import { contentOf, ensureStacksTogether } from './ensure-stack.js';
import { retirePools } from './retired-pools.js';
import { rollPools } from './roll-pools.js';
import { forgetObservation } from './roll-scope.js';
import type { StepRunner } from './step-runner.js';

/** Worker pools: all stacks, then the rolls under one budget. Comes after the control plane by the order of steps. */
export const nodePoolsStep: StepRunner = {
  kind: 'node-pools',
  title: 'Bring the worker pools to their state',
  timeLimit: hours(72),
  errorThreshold: 3,
  irreversible: true,
  run: async (pass): Promise<Outcome> => {
    const workers = pass.desired.nodePools.filter((pool) => !pool.master);
    if (workers.length === 0) return retirePools(pass, done('no worker pools are registered'));
    const templates = workers.map((pool) => pool.stack);
    const stacks = await ensureStacksTogether(pass, 'node-pools', templates);
    if (stacks.kind !== 'done') return stacks;
    lookAfterChange(pass, templates);
    const rolled = await rollPools(pass, 'node-pools', workers);
    return rolled.kind === 'done' ? retirePools(pass, rolled) : rolled;
  },
};

/** Memory key: the contents of the stacks at the first look that was taken after they were found in place. */
const LOOKED_AFTER = 'roll/stacks-in-place';

/**
 * The control plane's step of this very pass may have looked at the groups before their stacks were done: by that look
 * every node still had the newest launch template, and the roll would be over before it began.
 */
function lookAfterChange(pass: Pass, stacks: readonly StackTemplate[]): void {
  const content = contentOf(pass, stacks);
  if (pass.memory.text(LOOKED_AFTER) === content) return;
  forgetObservation(pass);
  pass.memory.set(LOOKED_AFTER, content);
}
