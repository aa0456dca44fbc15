import { done, hours, type Outcome } from '#kernel';
import { ensureStacksTogether } from './ensure-stack.js';
import { rollPools } from './roll-pools.js';
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
    if (workers.length === 0) return done('no worker pools are registered');
    const stacks = await ensureStacksTogether(
      pass,
      'node-pools',
      workers.map((pool) => pool.stack),
    );
    if (stacks.kind !== 'done') return stacks;
    return rollPools(pass, 'node-pools', workers);
  },
};
