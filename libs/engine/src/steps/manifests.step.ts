import { done, failed, formatDuration, hours, type Outcome, toFailure, waiting } from '#kernel';
import { refKey, refOf } from '#fleet';
import { FIELD_MANAGER, healthOf, planStages, type Stage, type StagedObject } from '#manifests';
import { mapBounded } from '../bounded.js';
import {
  API_CONCURRENCY,
  compareObjects,
  readLive,
  type ComparedObject,
  type LiveObjects,
} from '../manifests/compare-objects.js';
import { runDeletions } from '../manifests/run-deletions.js';
import { recordUnion } from '../manifests/inventory.js';
import type { Pass } from '../pass/pass.js';
import { tell } from '../pass/pass.js';
import { heldOutcome } from './held.js';
import type { StepRunner } from './step-runner.js';

const PROGRESS = 'manifests/progress';

interface Progress {
  readonly desiredDigest: string;
  /** Names of stages that were applied, with the time. */
  readonly applied: Readonly<Record<string, number>>;
  readonly deletedBefore: boolean;
}

/** Pre-apply deletions, then stage by stage: dry-run all of a stage, apply what differs, wait for its health. */
export const manifestsStep: StepRunner = {
  kind: 'manifests',
  title: 'Apply the manifests',
  timeLimit: hours(4),
  errorThreshold: 3,
  irreversible: false,
  run: async (pass): Promise<Outcome> => {
    const stages = planStages(pass.desired.components, pass.cluster.id);
    if (!stages.ok) return failed(stages.error);
    const objects = stages.value.flatMap((stage) => stage.batches.flat());
    if (!progressOf(pass).deletedBefore) {
      const deleted = await runDeletions(pass, pass.desired.deletions.preApply);
      if (deleted.kind !== 'done') return deleted;
      saveProgress(pass, { ...progressOf(pass), deletedBefore: true });
    }
    const waits = await applyStages(pass, stages.value, objects);
    if (waits) return waits;
    const deleted = await runDeletions(pass, pass.desired.deletions.postApply);
    if (deleted.kind !== 'done') return deleted;
    return done(`${objects.length} objects are as they should be`);
  },
};

async function applyStages(
  pass: Pass,
  stages: readonly Stage[],
  objects: readonly StagedObject[],
): Promise<Outcome | undefined> {
  let live: LiveObjects | undefined;
  const unfinished = new Map<string, Outcome>();
  for (const stage of stages) {
    const blockedBy = stage.after.find((component) => unfinished.has(component));
    if (blockedBy !== undefined) continue;
    if (progressOf(pass).applied[stage.name] === undefined) {
      live ??= await readLive(pass.kubernetes, objects);
      const stopped = await applyStage(pass, stage, live);
      if (stopped) return stopped;
    }
    const outcome = await stageHealth(pass, stage);
    if (outcome === undefined) continue;
    if (stage.component === undefined) return outcome;
    unfinished.set(stage.component, outcome);
  }
  // A component that failed does not stop the ones that do not depend on it; its failure is the step's all the same.
  const outcomes = [...unfinished.values()];
  return outcomes.find((outcome) => outcome.kind === 'failed') ?? outcomes[0];
}

async function applyStage(pass: Pass, stage: Stage, live: LiveObjects): Promise<Outcome | undefined> {
  const ignored = new Map(pass.desired.components.map((one) => [one.name, one.settings.ignore]));
  for (const batch of stage.batches) {
    const compared = await compareObjects(pass.kubernetes, batch, live, (name) => ignored.get(name) ?? []);
    const changed = compared.filter(({ comparison }) => comparison.action !== 'none');
    if (changed.length === 0) continue;
    const held = heldOutcome(pass);
    if (held) return held;
    await applyChanged(pass, stage, changed);
  }
  const progress = progressOf(pass);
  saveProgress(pass, {
    ...progress,
    applied: { ...progress.applied, [stage.name]: pass.ports.clock.now() },
  });
  return undefined;
}

async function applyChanged(pass: Pass, stage: Stage, changed: readonly ComparedObject[]): Promise<void> {
  await recordUnion(pass);
  const keys = changed.map(({ staged }) => refKey(refOf(staged.object)));
  await pass.intents.perform(
    { step: 'manifests', target: stage.name, verb: 'apply', data: { objects: keys.slice(0, 200) } },
    () =>
      mapBounded(changed, API_CONCURRENCY, ({ staged }) =>
        pass.kubernetes
          .apply(staged.object, { dryRun: false, force: true, fieldManager: FIELD_MANAGER })
          .catch((error: unknown): never => {
            throw withPlace(error, staged);
          }),
      ),
  );
  tell(pass, {
    type: 'manifests.applied',
    message: `${stage.name}: ${changed.length} objects applied`,
    data: {
      stage: stage.name,
      objects: changed.slice(0, 50).map(({ staged, comparison }) => ({
        ref: refKey(refOf(staged.object)),
        action: comparison.action,
        fields: comparison.fields.slice(0, 20),
      })),
    },
  });
}

/** Undefined when the stage may be passed. */
async function stageHealth(pass: Pass, stage: Stage): Promise<Outcome | undefined> {
  if (stage.waitFor === 'nothing') return undefined;
  const states = await mapBounded(stage.batches.flat(), API_CONCURRENCY, async ({ object }) => ({
    name: refKey(refOf(object)),
    health: healthOf(await pass.kubernetes.get(refOf(object))),
  }));
  const pending = states.filter(({ health }) => health.status !== 'Current');
  if (pending.length === 0) return undefined;
  const words = pending.slice(0, 3).map(({ name, health }) => `${name} (${health.message})`);
  const appliedAt = progressOf(pass).applied[stage.name] ?? pass.ports.clock.now();
  const overdue = pass.ports.clock.now() - appliedAt > stage.timeoutMs;
  const allSettled = pending.every(({ health }) => health.status === 'Failed');
  if (allSettled || overdue) {
    return failed({
      class: 'terminal',
      code: 'component-unhealthy',
      message: `${stage.name}: ${words.join('; ')}${overdue ? ` after ${formatDuration(stage.timeoutMs)}` : ''}`,
      hint: 'Look at the events of the object; merge a fix, or raise the timeout in component.yaml.',
    });
  }
  return waiting(`${stage.name}: ${words.join('; ')}`, pass.settings.pollInterval, {
    done: states.length - pending.length,
    total: states.length,
    unit: 'objects',
  });
}

function progressOf(pass: Pass): Progress {
  const stored = pass.memory.get(PROGRESS) as Partial<Progress> | undefined;
  if (stored?.desiredDigest === progressKey(pass) && stored.applied) return stored as Progress;
  return { desiredDigest: progressKey(pass), applied: {}, deletedBefore: false };
}

const saveProgress = (pass: Pass, progress: Progress): void => pass.memory.set(PROGRESS, progress);

/** A verification of a settled cluster looks at every object again, once per resync. */
const progressKey = (pass: Pass): string => `${pass.update.id}|${pass.desired.digest}`;

/** Says which file the object came from. */
function withPlace(error: unknown, staged: StagedObject): unknown {
  const failure = toFailure(error);
  if (failure.class === 'bug' || failure.place || !(error instanceof Error) || !('failure' in error))
    return error;
  return Object.assign(error, {
    failure: {
      ...failure,
      message: `${refKey(refOf(staged.object))}: ${failure.message}`,
      place: { file: staged.file, line: staged.line },
    },
  });
}
