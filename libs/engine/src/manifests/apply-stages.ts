import { failed, seconds, waiting, type Failure, type Outcome } from '#kernel';
import type { KubernetesObject } from '#fleet';
import { problemOf, refKey, refOf } from '#fleet';
import type { Stage } from '#manifests';
import { createLimiter } from '../bounded.js';
import type { Pass } from '../pass/pass.js';
import { tell } from '../pass/pass.js';
import { heldOutcome } from '../steps/held.js';
import { applyObject } from './apply-object.js';
import type { Compared } from './compare-objects.js';
import { isPending, progressOf, saveProgress } from './progress.js';
import { stageHealth } from './stage-health.js';
import { API_CONCURRENCY, type Survey } from './survey.js';

/** One pass over the stages. */
interface Run {
  readonly pass: Pass;
  readonly survey: Survey;
  readonly compared: ReadonlyMap<string, Compared>;
  /** What the API server answered to our writes, by `refKey`. */
  readonly written: Map<string, KubernetesObject>;
  /** Components that are not through, and why. What depends on them waits. */
  readonly unfinished: Map<string, Outcome>;
  /** Components whose turn did not come, because of what they depend on. */
  readonly skipped: Set<string>;
  /** Components of which an object could not be applied. */
  readonly incomplete: Set<string>;
  /** Objects that were not applied in this pass though they should, by `refKey`. */
  readonly missing: Set<string>;
  readonly limit: <T>(work: () => Promise<T>) => Promise<T>;
}

export interface StagesResult {
  /** Undefined when every stage is applied and healthy. */
  readonly outcome: Outcome | undefined;
  readonly written: ReadonlyMap<string, KubernetesObject>;
}

/**
 * Applies stage after stage; components that do not depend on one another at the same time. A component that fails stops
 * those that depend on it and nobody else. Trouble with the API itself is thrown.
 */
export async function applyStages(
  pass: Pass,
  stages: readonly Stage[],
  survey: Survey,
  compared: ReadonlyMap<string, Compared>,
): Promise<StagesResult> {
  const limit = createLimiter(API_CONCURRENCY);
  const run: Run = {
    ...{ pass, survey, compared, limit },
    ...{
      written: new Map(),
      unfinished: new Map(),
      skipped: new Set(),
      incomplete: new Set(),
      missing: new Set(),
    },
  };
  for (const group of groupsOf(stages)) {
    const ready = group.filter((stage) => mayRun(run, stage));
    for (const { component } of group.filter((stage) => !ready.includes(stage))) {
      if (component !== undefined) run.skipped.add(component);
    }
    const stopped = await runGroup(run, ready);
    if (stopped) return { outcome: stopped, written: run.written };
  }
  return { outcome: overall(pass, run.unfinished), written: run.written };
}

/** Runs of stages that may be applied at the same time: components of one wave without dependencies among them. */
function groupsOf(stages: readonly Stage[]): readonly (readonly Stage[])[] {
  const groups: Stage[][] = [];
  for (const stage of stages) {
    const group = groups.at(-1);
    const joins =
      group?.every(
        (other) =>
          other.kind === 'component' &&
          stage.kind === 'component' &&
          other.wave === stage.wave &&
          !stage.after.includes(other.component ?? ''),
      ) ?? false;
    if (group && joins) group.push(stage);
    else groups.push([stage]);
  }
  return groups;
}

const isThrough = (run: Run, component: string): boolean =>
  !run.unfinished.has(component) && !run.skipped.has(component);

const mayRun = (run: Run, stage: Stage): boolean =>
  stage.after.every((name) => isThrough(run, name)) &&
  (stage.component === undefined || isThrough(run, stage.component));

/**
 * A webhook that is asked before its component answers stops what it was meant to watch, so a new one waits for the
 * component's health. One that is there already may be what keeps the component down: its change only waits for the rest.
 */
function mayApply(run: Run, stage: Stage, { staged, action }: Compared): boolean {
  const { component } = staged;
  if (stage.kind !== 'webhooks' || isThrough(run, component)) return true;
  return action !== 'create' && !run.skipped.has(component) && !run.incomplete.has(component);
}

async function runGroup(run: Run, group: readonly Stage[]): Promise<Outcome | undefined> {
  const { pass } = run;
  const pending = group.filter((stage) => isPending(pass, stage));
  const writes = pending.flatMap((stage) => changesOf(run, stage).filter((one) => mayApply(run, stage, one)));
  if (writes.length > 0) {
    const held = heldOutcome(pass);
    if (held) return held;
    const names = pending.map(({ name }) => name).join(', ');
    const objects = writes.map(({ staged }) => refKey(refOf(staged.object))).slice(0, 200);
    const intent = {
      step: 'manifests',
      target: names.slice(0, 200),
      verb: 'apply',
      data: { objects },
    } as const;
    await pass.intents.perform(intent, () => applyAll(run, pending));
    tellApplied(run, names, writes);
  }
  saveApplied(run, pending);
  for (const stage of group) {
    const stopped = await settle(run, stage);
    if (stopped) return stopped;
  }
  return undefined;
}

/** A stage of several components goes on where one of them failed; what is missing is tried with every pass. */
function saveApplied(run: Run, pending: readonly Stage[]): void {
  const { pass } = run;
  const { applied, partly = [] } = progressOf(pass);
  const now = pass.ports.clock.now();
  const through = pending.filter(
    ({ component }) => component === undefined || !run.unfinished.has(component),
  );
  const wrote = (stage: Stage): boolean => objectsOf(stage).some((key) => run.written.has(key));
  const lacks = (stage: Stage): boolean => changesOf(run, stage).some((one) => !isWritten(run, one));
  const times = through.map(
    (stage) => [stage.name, wrote(stage) ? now : (applied[stage.name] ?? now)] as const,
  );
  const names = through.map(({ name }) => name);
  saveProgress(pass, {
    applied: { ...applied, ...Object.fromEntries(times) },
    partly: [
      ...partly.filter((name) => !names.includes(name)),
      ...through.filter(lacks).map(({ name }) => name),
    ],
  });
}

const isWritten = (run: Run, { staged }: Compared): boolean => run.written.has(refKey(refOf(staged.object)));

const objectsOf = (stage: Stage): readonly string[] =>
  stage.batches.flat().map(({ object }) => refKey(refOf(object)));

const changesOf = (run: Run, stage: Stage): readonly Compared[] =>
  objectsOf(stage).flatMap((key) => {
    const compared = run.compared.get(key);
    return compared && compared.action !== 'none' ? [compared] : [];
  });

/** All are awaited before a rejection is passed on: a write that is under way must not outlive the intent. */
async function applyAll(run: Run, stages: readonly Stage[]): Promise<void> {
  const results = await Promise.allSettled(stages.map((stage) => applyStage(run, stage)));
  const rejected = results.find((result) => result.status === 'rejected');
  if (rejected?.status === 'rejected') throw rejected.reason;
}

async function applyStage(run: Run, stage: Stage): Promise<void> {
  for (const batch of stage.batches) {
    const results = await Promise.allSettled(
      batch.map(({ object, component }) =>
        run.limit(async () => {
          const compared = run.compared.get(refKey(refOf(object)));
          if (!compared || compared.action === 'none') return;
          if (mayApply(run, stage, compared)) await applyOne(run, component, compared);
        }),
      ),
    );
    const rejected = results.find((result) => result.status === 'rejected');
    if (rejected?.status === 'rejected') throw rejected.reason;
    // The rest of this component would lean on what is missing.
    if (stage.component !== undefined && run.unfinished.has(stage.component)) return;
  }
}

async function applyOne(run: Run, component: string, compared: Compared): Promise<void> {
  const key = refKey(refOf(compared.staged.object));
  const result = await applyObject(run.pass, compared);
  if (result.kind === 'applied') {
    run.written.set(key, result.object);
    return;
  }
  run.incomplete.add(component);
  run.missing.add(key);
  if (result.kind === 'refused') {
    run.unfinished.set(component, failed(addFailure(run.unfinished.get(component), result.failure)));
  } else if (!run.unfinished.has(component)) {
    run.unfinished.set(component, waiting(result.for, run.pass.settings.pollInterval));
  }
}

/** Several objects of one component may be refused at once; each is told. */
function addFailure(known: Outcome | undefined, failure: Failure): Failure {
  if (known?.kind !== 'failed') return failure;
  const { message, hint, place } = failure;
  const detail = { message, ...(hint !== undefined && { hint }), ...(place && { place }) };
  return { ...known.failure, details: [...(known.failure.details ?? []), detail] };
}

/** How long CRDs take to be served: looked for soon, because everything waits for them. */
const ESTABLISH_RECHECK = seconds(1);

async function settle(run: Run, stage: Stage): Promise<Outcome | undefined> {
  if (stage.component !== undefined && run.unfinished.has(stage.component)) return undefined;
  if (progressOf(run.pass).applied[stage.name] === undefined) return undefined;
  const result = await stageHealth(
    run.pass,
    stage,
    (key) => run.written.get(key) ?? run.survey.live.get(key),
    (key) => !run.missing.has(key),
  );
  if (result.kind === 'healthy') return undefined;
  for (const [component, failure] of result.failed) run.unfinished.set(component, failed(failure));
  if (!result.waiting) return undefined;
  if (stage.component === undefined) return { ...result.waiting, recheckIn: ESTABLISH_RECHECK };
  run.unfinished.set(stage.component, result.waiting);
  return undefined;
}

/**
 * What moves goes on before what failed is reported as the end: a failure is not looked at again for a long time, and
 * other components must not wait for it. It is told as a problem meanwhile.
 */
function overall(pass: Pass, unfinished: ReadonlyMap<string, Outcome>): Outcome | undefined {
  const outcomes = [...unfinished.values()];
  const failures = outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.failure] : []));
  const moving = outcomes.find((outcome) => outcome.kind !== 'failed');
  const [first, ...more] = failures;
  if (!moving) {
    if (!first) return undefined;
    const details = more.map(({ message, hint, place }) => ({
      message,
      ...(hint !== undefined && { hint }),
      ...(place && { place }),
    }));
    const all = [...(first.details ?? []), ...details];
    return failed(all.length === 0 ? first : { ...first, details: all });
  }
  const instance = `cluster/${pass.cluster.id}`;
  for (const failure of failures) pass.report.problems.push(problemOf(failure, instance));
  return moving;
}

function tellApplied(run: Run, names: string, writes: readonly Compared[]): void {
  const done = writes.filter(({ staged }) => run.written.has(refKey(refOf(staged.object))));
  if (done.length === 0) return;
  tell(run.pass, {
    type: 'manifests.applied',
    message: `${names.length > 120 ? `${names.slice(0, 120)}…` : names}: ${done.length} objects applied`,
    data: {
      objects: done.slice(0, 50).map(({ staged, action, lines, body }) => ({
        ref: refKey(refOf(staged.object)),
        action,
        fields: lines.slice(0, 20).map(({ path }) => path),
        ...(body.left.length > 0 && { left: body.left }),
      })),
    },
  });
}
