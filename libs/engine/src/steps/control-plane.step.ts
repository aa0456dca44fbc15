import { done, hours, milliseconds, type Outcome, waiting } from '#kernel';
import { outageGate, waitForApi } from '../control-plane/outage.js';
import { apiReady } from '../pass/api-ready.js';
import type { Pass } from '../pass/pass.js';
import { ensureStack, ensureStacksTogether } from './ensure-stack.js';
import { storeGeneratedFiles } from './generated-files.js';
import { rollPools } from './roll-pools.js';
import type { StepRunner } from './step-runner.js';
import { templateUnreached } from './template-unreached.js';

/** Master pools: stacks, an API that answers, then outdated masters one at a time. Workers are not touched meanwhile. */
export const controlPlaneStep: StepRunner = {
  kind: 'control-plane',
  title: 'Bring the control plane to its state',
  timeLimit: hours(4),
  errorThreshold: 3,
  irreversible: true,
  run: async (pass): Promise<Outcome> => {
    // The stack was made in this very pass: the next one renders with its outputs.
    if (pass.desired.provisional) return waiting('the outputs of the new cluster stack', milliseconds(0));
    await storeGeneratedFiles(pass, 'control-plane', (file) => file.keyOutput !== undefined);
    const masters = pass.desired.nodePools.filter((pool) => pool.master);
    if (masters.length === 0) return done('no node pool of this cluster is a control plane');
    const stacks = await ensureStacksTogether(
      pass,
      'control-plane',
      masters.map((pool) => pool.stack),
    );
    if (stacks.kind !== 'done') return stacks;
    if (!(await apiReady(pass))) return waitForApi(pass);
    const outage = await outageGate(pass, masters);
    if (outage) return outage;
    const rolled = await rollPools(pass, 'control-plane', masters);
    if (rolled.kind !== 'done') return rolled;
    return (await templateUnreached(pass, masters)) ?? createMissingPools(pass, rolled);
  },
};

/**
 * Worker pools that do not exist yet come before the manifests: creating machines disturbs nobody, and workloads need
 * somewhere to run before their health can be waited for.
 */
async function createMissingPools(pass: Pass, rolled: Outcome): Promise<Outcome> {
  for (const pool of pass.desired.nodePools.filter((candidate) => !candidate.master)) {
    const view = await pass.aws.describeStack(pool.stack.name);
    const exists = view !== undefined && !/^(REVIEW_|CREATE_IN_|CREATE_FAILED|ROLLBACK_)/.test(view.status);
    if (exists) continue;
    const outcome = await ensureStack(pass, 'control-plane', pool.stack);
    if (outcome.kind !== 'done') return outcome;
  }
  return rolled;
}
