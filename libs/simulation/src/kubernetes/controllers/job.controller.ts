import type { Duration } from '#kernel';
import { ApiError } from '../api/store.js';
import { controllerOf, keyOfObject } from './cluster-view.js';
import { conditionOf, parseTimestamp, timestamp, withCondition } from './conditions.js';
import { queueFor, writeStatus, type Controller, type ControllerContext } from './controller.js';
import type { Condition, Pod } from './objects.js';
import { isFinished, isReady, isTerminating, podFrom, randomSuffix } from './pods.js';
import type { Job, JobSpec, JobStatus } from './workloads.js';
import type { WorkQueue } from './work-queue.js';

const RESOURCE = 'jobs.batch';

type Verdict = { readonly type: 'Complete' | 'Failed'; readonly reason?: string; readonly message?: string };

interface Gone {
  readonly succeeded: number;
  readonly failed: number;
  readonly lastFailure: number;
}

interface Tally {
  readonly active: readonly Pod[];
  readonly succeeded: number;
  readonly failed: number;
  readonly lastFailure: number;
}

/** Runs pods to completion, counts failures, and clears finished Jobs away after their time. */
export class JobController implements Controller {
  readonly name = 'job-controller';
  private readonly queue: WorkQueue;
  private readonly random;
  /** What pods that are gone contributed, by uid of the Job: a deleted pod stays counted. */
  private readonly gone = new Map<string, Gone>();
  /** Pods that the controller itself stopped when their Job was suspended: no failures. */
  private readonly stopped = new Set<string>();

  constructor(private readonly context: ControllerContext) {
    this.queue = queueFor(context, this.name, (key) => this.reconcile(key));
    this.random = context.random.fork(`${this.name}/names`);
  }

  start(): void {
    const { view } = this.context;
    view.on<Job>(RESOURCE, ({ object }) => this.queue.add(keyOfObject(object)));
    view.on<Pod>('pods', ({ type, object }) => {
      const owner = controllerOf(object);
      if (owner?.kind !== 'Job') return;
      if (type === 'DELETED') this.remember(owner.uid, object);
      this.queue.add(`${object.metadata.namespace}/${owner.name}`);
    });
    view.on<Job>(RESOURCE, ({ type, object }) => {
      if (type === 'DELETED') this.gone.delete(object.metadata.uid as string);
    });
    for (const job of view.all<Job>(RESOURCE)) this.queue.add(keyOfObject(job));
  }

  close(): void {
    this.queue.close();
  }

  private reconcile(key: string): void {
    const job = this.context.view.byKey<Job>(RESOURCE, key);
    if (!job?.spec || isTerminating(job)) return;
    if (finishedAt(job) !== undefined) return this.expire(key, job);
    const now = this.context.scheduler.now();
    const tally = this.tally(job);
    const verdict = verdictOf(job, tally, this.activeFor(job));
    if (verdict) return this.finish(key, job, tally, verdict);
    if (job.spec.suspend) return this.suspend(job, tally);
    if (!this.fill(key, job, job.spec, tally)) return;
    this.record(job, this.tally(job), resumed(job, now));
    this.watchDeadline(key, job);
  }

  private remember(jobUid: string, pod: Pod): void {
    if (this.stopped.delete(pod.metadata.uid as string)) return;
    const known = this.gone.get(jobUid) ?? { succeeded: 0, failed: 0, lastFailure: 0 };
    const success = pod.status?.phase === 'Succeeded';
    this.gone.set(jobUid, {
      succeeded: known.succeeded + (success ? 1 : 0),
      failed: known.failed + (success ? 0 : 1),
      lastFailure: success ? known.lastFailure : Math.max(known.lastFailure, endOf(pod)),
    });
  }

  private tally(job: Job): Tally {
    const gone = this.gone.get(job.metadata.uid as string) ?? { succeeded: 0, failed: 0, lastFailure: 0 };
    const pods = this.context.view
      .podsOf(job.metadata.uid)
      .filter((pod) => !this.stopped.has(pod.metadata.uid as string));
    const failed = pods.filter(
      (pod) => pod.status?.phase === 'Failed' || (isTerminating(pod) && !isFinished(pod)),
    );
    return {
      active: pods.filter((pod) => !isFinished(pod) && !isTerminating(pod)),
      succeeded: gone.succeeded + pods.filter((pod) => pod.status?.phase === 'Succeeded').length,
      failed: gone.failed + failed.length,
      lastFailure: Math.max(gone.lastFailure, ...failed.map(endOf)),
    };
  }

  /** False where a new pod has to wait for the back-off of the last failure. */
  private fill(key: string, job: Job, spec: JobSpec, tally: Tally): boolean {
    const parallelism = spec.parallelism ?? 1;
    const open = spec.completions === undefined ? parallelism : spec.completions - tally.succeeded;
    const missing = Math.min(parallelism, open) - tally.active.length;
    if (missing <= 0 || (spec.completions === undefined && tally.succeeded > 0)) return true;
    const wait = tally.failed > 0 ? backOff(tally.failed) - this.context.clock.since(tally.lastFailure) : 0;
    if (wait > 0) {
      this.record(job, tally, job.status?.conditions);
      this.queue.add(key, wait);
      this.watchDeadline(key, job);
      return false;
    }
    for (let i = 0; i < missing; i++) this.create(job, spec);
    return true;
  }

  private create(job: Job, spec: JobSpec): void {
    const { store, events } = this.context;
    const { name } = job.metadata;
    const podName = `${name}-${randomSuffix(this.random)}`;
    const uid = job.metadata.uid as string;
    const labels = {
      'batch.kubernetes.io/job-name': name,
      'job-name': name,
      'batch.kubernetes.io/controller-uid': uid,
      'controller-uid': uid,
    };
    try {
      store.create('pods', podFrom(spec.template, job, podName, { labels }));
      events.normal(job, 'SuccessfulCreate', `Created pod: ${podName}`, this.name);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      events.warning(job, 'FailedCreate', `Error creating: ${error.message}`, this.name);
      this.queue.add(keyOfObject(job), 10_000);
    }
  }

  private suspend(job: Job, tally: Tally): void {
    for (const pod of tally.active) this.stopped.add(pod.metadata.uid as string);
    this.stop(tally.active);
    const suspended = { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' };
    const conditions = withCondition(job.status?.conditions, suspended, this.context.scheduler.now());
    this.record(job, { ...tally, active: [] }, conditions, false);
  }

  private finish(key: string, job: Job, tally: Tally, verdict: Verdict): void {
    const { scheduler, events } = this.context;
    const now = scheduler.now();
    this.stop(tally.active);
    const failed = verdict.type === 'Failed' ? tally.failed + tally.active.length : tally.failed;
    const texts = {
      ...(verdict.reason && { reason: verdict.reason }),
      ...(verdict.message && { message: verdict.message }),
    };
    const conditions = withCondition(
      job.status?.conditions,
      { type: verdict.type, status: 'True', ...texts },
      now,
    );
    this.record(job, { ...tally, active: [], failed }, conditions);
    if (verdict.type === 'Complete') events.normal(job, 'Completed', 'Job completed', this.name);
    else events.warning(job, verdict.reason ?? 'Failed', verdict.message ?? 'Job failed', this.name);
    this.queue.add(key);
  }

  private stop(pods: readonly Pod[]): void {
    for (const pod of pods) {
      this.context.store.remove('pods', pod.metadata.namespace, pod.metadata.name, {
        uid: pod.metadata.uid as string,
      });
    }
  }

  private record(job: Job, tally: Tally, conditions: readonly Condition[] | undefined, started = true): void {
    const now = timestamp(this.context.scheduler.now());
    const complete = conditions?.some(({ type, status }) => type === 'Complete' && status === 'True');
    const status: JobStatus = {
      ...(started && { startTime: job.status?.startTime ?? now }),
      ...(complete && { completionTime: now }),
      ...(tally.active.length > 0 && {
        active: tally.active.length,
        ready: tally.active.filter(isReady).length,
      }),
      ...(tally.succeeded > 0 && { succeeded: tally.succeeded }),
      ...(tally.failed > 0 && { failed: tally.failed }),
      ...(conditions && { conditions }),
    };
    writeStatus(this.context.store, RESOURCE, job.metadata.namespace, job.metadata.name, { ...status });
  }

  private watchDeadline(key: string, job: Job): void {
    const limit = job.spec?.activeDeadlineSeconds;
    if (limit !== undefined) this.queue.add(key, Math.max(100, limit * 1000 - this.activeFor(job)));
  }

  private activeFor(job: Job): Duration {
    const start = parseTimestamp(job.status?.startTime);
    return start === undefined ? 0 : this.context.clock.since(start);
  }

  private expire(key: string, job: Job): void {
    const ttl = job.spec?.ttlSecondsAfterFinished;
    if (ttl === undefined) return;
    const wait = ttl * 1000 - this.context.clock.since(finishedAt(job) as number);
    if (wait > 0) return this.queue.add(key, wait);
    const { namespace, name } = job.metadata;
    this.context.store.remove(RESOURCE, namespace, name, { propagationPolicy: 'Background' });
  }
}

/** 10 s, doubled for every failure, at most 6 min. */
const backOff = (failures: number): number => Math.min(360_000, 10_000 * 2 ** (failures - 1));

const endOf = (pod: Pod): number => {
  const ends = (pod.status?.containerStatuses ?? []).map(
    (status) => parseTimestamp(status.state.terminated?.finishedAt) ?? 0,
  );
  return Math.max(parseTimestamp(pod.metadata.deletionTimestamp) ?? 0, ...ends);
};

function finishedAt(job: Job): number | undefined {
  const end = ['Complete', 'Failed']
    .map((type) => conditionOf(job, type))
    .find((condition) => condition?.status === 'True');
  return parseTimestamp(end?.lastTransitionTime);
}

function verdictOf(job: Job, tally: Tally, activeFor: Duration): Verdict | undefined {
  const spec = job.spec as JobSpec;
  if (tally.failed > (spec.backoffLimit ?? 6)) {
    return {
      type: 'Failed',
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    };
  }
  if (
    !spec.suspend &&
    spec.activeDeadlineSeconds !== undefined &&
    activeFor >= spec.activeDeadlineSeconds * 1000
  ) {
    return {
      type: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Job was active longer than specified deadline',
    };
  }
  const wanted = spec.completions ?? (tally.active.length === 0 ? 1 : Number.POSITIVE_INFINITY);
  return tally.succeeded >= wanted
    ? { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
    : undefined;
}

function resumed(job: Job, now: number): readonly Condition[] | undefined {
  if (conditionOf(job, 'Suspended')?.status !== 'True') return job.status?.conditions;
  return withCondition(
    job.status?.conditions,
    { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' },
    now,
  );
}
