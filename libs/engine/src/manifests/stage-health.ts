import { formatDuration, waiting, type Failure, type Outcome } from '#kernel';
import type { KubernetesObject, ObjectRef } from '#fleet';
import { refKey, refOf } from '#fleet';
import { healthOf, type Health, type Stage, type StagedObject } from '#manifests';
import { mapBounded } from '../bounded.js';
import type { Pass } from '../pass/pass.js';
import { progressOf, saveProgress } from './progress.js';
import { API_CONCURRENCY } from './survey.js';

export type StageHealth =
  | { readonly kind: 'healthy' }
  | {
      readonly kind: 'unhealthy';
      /** By component: a shared stage may hold objects of several. */
      readonly failed: ReadonlyMap<string, Failure>;
      readonly waiting?: Extract<Outcome, { kind: 'waiting' }>;
    };

interface Look {
  readonly staged: StagedObject;
  readonly health: Health;
}

/** Judges a stage by what was just written or listed; asks only for what neither shows. `counts`: not what was refused. */
export async function stageHealth(
  pass: Pass,
  stage: Stage,
  seen: (key: string) => KubernetesObject | undefined,
  counts: (key: string) => boolean,
): Promise<StageHealth> {
  if (stage.waitFor === 'nothing') return { kind: 'healthy' };
  const objects = stage.batches.flat().filter(({ object }) => counts(refKey(refOf(object))));
  const looks = await mapBounded(objects, API_CONCURRENCY, async (staged): Promise<Look> => {
    const ref = refOf(staged.object);
    const known = seen(refKey(ref));
    const live = known && !looksTooEarly(stage, known) ? known : await pass.kubernetes.get(ref);
    return { staged, health: healthOf(live) };
  });
  const pending = looks.filter(({ health }) => health.status !== 'Current');
  if (pending.length === 0) return { kind: 'healthy' };
  if (pending.some(({ health }) => health.status === 'NotFound')) applyAgain(pass, stage);
  return verdict(pass, stage, pending, objects.length);
}

/** A CRD is established some milliseconds after it was written. */
const looksTooEarly = (stage: Stage, object: KubernetesObject): boolean =>
  stage.waitFor === 'established' && healthOf(object).status !== 'Current';

/** Somebody deleted it since: the next pass compares the stage once more. */
function applyAgain(pass: Pass, stage: Stage): void {
  const { [stage.name]: _again, ...applied } = progressOf(pass).applied;
  saveProgress(pass, { applied });
}

function verdict(pass: Pass, stage: Stage, pending: readonly Look[], total: number): StageHealth {
  const appliedAt = progressOf(pass).applied[stage.name] ?? pass.ports.clock.now();
  const overdue = pass.ports.clock.now() - appliedAt > stage.timeoutMs;
  const components = [...new Set(pending.map(({ staged }) => staged.component))];
  const failed = new Map<string, Failure>();
  for (const component of components) {
    const own = pending.filter(({ staged }) => staged.component === component);
    const settled = own.every(({ health }) => health.status === 'Failed');
    if (settled || overdue) failed.set(component, unhealthy(stage, own, overdue && !settled));
  }
  const moving = pending.filter(({ staged }) => !failed.has(staged.component));
  if (moving.length === 0) return { kind: 'unhealthy', failed };
  const progress = { done: total - pending.length, total, unit: 'objects' };
  const words = `${stage.name}: ${wordsOf(moving)}`;
  return {
    kind: 'unhealthy',
    failed,
    waiting: waiting(words, pass.settings.pollInterval, progress) as Extract<Outcome, { kind: 'waiting' }>,
  };
}

const wordsOf = (looks: readonly Look[]): string =>
  looks
    .slice(0, 3)
    .map(({ staged, health }) => `${refKey(refOf(staged.object) satisfies ObjectRef)} (${health.message})`)
    .join('; ');

function unhealthy(stage: Stage, looks: readonly Look[], late: boolean): Failure {
  const [first] = looks;
  return {
    class: 'terminal',
    code: 'component-unhealthy',
    message: `${stage.name}: ${wordsOf(looks)}${late ? ` after ${formatDuration(stage.timeoutMs)}` : ''}`,
    hint: 'Look at the events of the object; merge a fix, or raise the timeout in component.yaml.',
    ...(first && { place: { file: first.staged.file, line: first.staged.line } }),
  };
}
