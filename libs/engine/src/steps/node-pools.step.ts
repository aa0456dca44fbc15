import { done, hours, type Outcome } from '#kernel';
import { contentOf, ensureStacksTogether } from './ensure-stack.js';
import { retirePools } from './retired-pools.js';
import { rollPools } from './roll-pools.js';
import { lookAfterChange } from './roll-scope.js';
import type { StepRunner } from './step-runner.js';
import { templateUnreached } from './template-unreached.js';

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
    lookAfterChange(pass, contentOf(pass, templates));
    const rolled = await rollPools(pass, 'node-pools', workers);
    if (rolled.kind !== 'done') return rolled;
    return (await templateUnreached(pass, workers)) ?? retirePools(pass, rolled);
  },
};
