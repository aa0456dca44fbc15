import { done, hours, type Outcome, waiting } from '#kernel';
import type { Pass } from '../pass/pass.js';
import { ensureStacksTogether } from './ensure-stack.js';
import { rollPools } from './roll-pools.js';
import type { StepRunner } from './step-runner.js';

/** Master pools: stacks, an API that answers, then outdated masters one at a time. Workers are not touched meanwhile. */
export const controlPlaneStep: StepRunner = {
  kind: 'control-plane',
  title: 'Bring the control plane to its state',
  timeLimit: hours(4),
  errorThreshold: 3,
  irreversible: true,
  run: async (pass): Promise<Outcome> => {
    const masters = pass.desired.nodePools.filter((pool) => pool.master);
    if (masters.length === 0) return done('no node pool of this cluster is a control plane');
    const stacks = await ensureStacksTogether(
      pass,
      'control-plane',
      masters.map((pool) => pool.stack),
    );
    if (stacks.kind !== 'done') return stacks;
    if (!(await pass.kubernetes.ready())) return apiAway(pass);
    return rollPools(pass, 'control-plane', masters);
  },
};

function apiAway(pass: Pass): Outcome {
  return waiting(
    `the API server at ${pass.cluster.apiServerUrl} to answer /readyz`,
    pass.settings.pollInterval,
  );
}
