import { hours } from '#kernel';
import { ensureStacks } from './ensure-stack.js';
import { storeGeneratedFiles } from './generated-files.js';
import type { StepRunner } from './step-runner.js';

/** The etcd stack first: the control plane's user data points to it. Then the cluster stack and the extra ones. */
export const clusterStackStep: StepRunner = {
  kind: 'cluster-stack',
  title: 'Create or update the cluster stacks',
  timeLimit: hours(1),
  errorThreshold: 3,
  irreversible: false,
  run: async (pass) => {
    await storeGeneratedFiles(pass, 'cluster-stack', (file) => file.keyOutput === undefined);
    const { etcdStack, clusterStack, extraStacks } = pass.desired;
    return ensureStacks(pass, 'cluster-stack', [
      ...(etcdStack ? [etcdStack] : []),
      clusterStack,
      ...extraStacks,
    ]);
  },
};
