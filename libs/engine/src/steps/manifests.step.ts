import { done, failed, hours, type Outcome } from '#kernel';
import { refKey, refOf } from '#fleet';
import { planStages, type Stage } from '#manifests';
import { applyStages } from '../manifests/apply-stages.js';
import { willRecreate } from '../manifests/apply-object.js';
import { compareObjects } from '../manifests/compare-objects.js';
import { leftAlone, scanDrift } from '../manifests/drift-scan.js';
import { recordApplied, recordUnion, verifiedOf } from '../manifests/inventory.js';
import { isPending, progressOf, saveProgress } from '../manifests/progress.js';
import { runDeletions } from '../manifests/run-deletions.js';
import { surveyObjects } from '../manifests/survey.js';
import type { Pass } from '../pass/pass.js';
import type { StepRunner } from './step-runner.js';

/**
 * Once per update: pre-apply deletions, then stage by stage what differs, health, post-apply deletions. Afterwards
 * differences are drift: looked for with every resync.
 */
export const manifestsStep: StepRunner = {
  kind: 'manifests',
  title: 'Apply the manifests',
  timeLimit: hours(4),
  errorThreshold: 3,
  irreversible: false,
  run: async (pass): Promise<Outcome> => {
    const stages = planStages(pass.desired.components, pass.cluster.id);
    if (!stages.ok) return failed(stages.error);
    if (progressOf(pass).doneAt !== undefined) return scanDrift(pass, stages.value);
    return converge(pass, stages.value);
  },
};

async function converge(pass: Pass, stages: readonly Stage[]): Promise<Outcome> {
  const objects = stages.flatMap((stage) => stage.batches.flat());
  const survey = await surveyObjects(pass, objects);
  await recordUnion(pass, survey);
  if (!progressOf(pass).deletedBefore) {
    const deleted = await runDeletions(pass, pass.desired.deletions.preApply);
    if (deleted.kind !== 'done') return deleted;
    saveProgress(pass, { deletedBefore: true });
    if (deleted.changed) return converge(pass, stages);
  }
  const findings = await pass.ports.updates.driftFindings(pass.cluster.id);
  const pending = stages.filter((stage) => isPending(pass, stage)).flatMap((stage) => stage.batches.flat());
  const compared = await compareObjects(pass, pending, survey, leftAlone(findings, objects));
  const recreated = [...compared].filter(([, one]) => willRecreate(one)).map(([key]) => key);
  if (recreated.length > 0) await recordUnion(pass, survey, new Set(recreated));
  const { outcome, written } = await applyStages(pass, stages, survey, compared);
  await recordApplied(pass, objects, verifiedOf(pass, compared, written));
  if (outcome) return outcome;
  const deleted = await runDeletions(pass, pass.desired.deletions.postApply);
  if (deleted.kind !== 'done') return deleted;
  await keepAccepted(
    pass,
    objects.map(({ object }) => refKey(refOf(object))),
  );
  saveProgress(pass, { doneAt: pass.ports.clock.now() });
  return done(`${objects.length} objects are as they should be`, written.size > 0);
}

/** Everything else was just written: what was open is no more. */
async function keepAccepted(pass: Pass, keys: readonly string[]): Promise<void> {
  const known = await pass.ports.updates.driftFindings(pass.cluster.id);
  const kept = known.filter(
    ({ ref, state }) => (state === 'accepted' || state === 'fight') && keys.includes(refKey(ref)),
  );
  if (kept.length === known.length) return;
  await pass.ports.updates.recordDrift(await pass.lease.current(), pass.cluster.id, kept);
}
