import { done, hours, type Outcome } from '#kernel';
import { irreversibleDeeds } from '#upgrade';
import { requireBackup } from '../backup/require-backup.js';
import { apiReady } from '../pass/api-ready.js';
import type { Pass } from '../pass/pass.js';
import type { StepRunner } from './step-runner.js';

/** Before anything that cannot be taken back there is a fresh, verified backup; it stands before every step that writes. */
export const backupStep: StepRunner = {
  kind: 'backup',
  title: 'See that a fresh backup is there',
  timeLimit: hours(2),
  errorThreshold: 3,
  irreversible: false,
  run: async (pass): Promise<Outcome> => {
    // One that was never ready holds nothing that could be lost.
    if (pass.cluster.lifecycleStatus !== 'ready') return done('skipped: the cluster is being created');
    return requireBackup(pass, await deedsOf(pass));
  },
};

async function deedsOf(pass: Pass): Promise<readonly string[]> {
  const { desired, update } = pass;
  const target = desired.kubernetesVersion;
  const server =
    target !== undefined && (await apiReady(pass)) ? await pass.kubernetes.serverVersion() : undefined;
  return irreversibleDeeds({
    plan: update.plan,
    ...(desired.etcdStack && { etcdStack: desired.etcdStack.name }),
    ...(server !== undefined && { serverVersion: server }),
    ...(target !== undefined && { targetVersion: target }),
  });
}
