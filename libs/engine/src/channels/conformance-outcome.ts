import type { Instant } from '#kernel';
import { formatDuration, minutes, toFailure, type Failure } from '#kernel';
import type { ConformanceRun, KubernetesObject } from '#fleet';
import type { KubernetesPort } from '#ports';
import {
  CONFORMANCE_CONTAINER,
  conformanceName,
  conformanceProgress,
  extractJUnit,
  judge,
  RESULTS_CONTAINER,
  type ConformanceSuite,
  type Judgement,
} from '#promotion';

export type RunLook =
  /** Its Job is not there: it was never created, or the worker died in between. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'running'; readonly message: string; readonly tail?: string | undefined }
  | { readonly kind: 'ended'; readonly judgement: Judgement; readonly tail?: string | undefined };

/** JUnit of 64 MiB packs to a few; logs beyond this are cut, and a cut frame is its own verdict. Kept in memory thrice. */
const RESULTS_LOG_LIMIT = 32 * 1024 * 1024;
/** The end of what the tests print, looked at every few seconds; the beginning names the number of tests. */
const TAIL = { tailLines: 1_000, limitBytes: 1024 * 1024 } as const;
const HEAD_LIMIT = 256 * 1024;
/** A run whose Job vanished is created again only in its first minute; later somebody removed it. */
const CREATION_TIME = minutes(1);

/** Results that only a kubelet has which cannot be reached: for so long after its end a run waits for them. */
const RESULTS_PATIENCE = minutes(5);

/** One look at a run in its cluster. */
export async function outcomeOfRun(
  kubernetes: KubernetesPort,
  run: ConformanceRun,
  suite: ConformanceSuite,
  digestNow: string | undefined,
  now: Instant,
): Promise<RunLook> {
  const namespace = conformanceName(run.id);
  const job = await kubernetes.get({ apiVersion: 'batch/v1', kind: 'Job', namespace, name: namespace });
  if (!job) {
    if (now - (run.startedAt ?? now) < CREATION_TIME) return { kind: 'absent' };
    return ended(run, suite, { jobFailureReason: 'Disappeared', log: '', digestNow });
  }
  const end = endOfJob(job);
  const [pod] = await kubernetes.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace });
  const name = pod?.metadata.name;
  const tail = name === undefined ? undefined : await testsLog(kubernetes, namespace, name, TAIL);
  if (!end) return { kind: 'running', message: await progressOf(kubernetes, namespace, name, tail), tail };
  const log = name === undefined ? '' : await resultsLog(kubernetes, namespace, name);
  const look = await ended(run, suite, {
    log: typeof log === 'string' ? log : '',
    digestNow,
    serverVersion: await kubernetes.serverVersion(),
    ...exitOf(pod),
    jobFailureReason: podReason(pod) ?? end.reason,
  });
  // What was cut off, or changed underneath, needs no results to be told.
  if (typeof log === 'string' || look.judgement.reason !== 'no-junit') return { ...look, tail };
  return { ...withoutResults(log, now - (end.at ?? run.startedAt ?? 0)), tail };
}

/** The failure where it cannot be read now. */
async function resultsLog(
  kubernetes: KubernetesPort,
  namespace: string,
  name: string,
): Promise<string | Failure> {
  const limits = { limitBytes: RESULTS_LOG_LIMIT };
  try {
    return (await kubernetes.podLog({ namespace, name, container: RESULTS_CONTAINER, ...limits })) ?? '';
  } catch (thrown) {
    const failure = toFailure(thrown);
    if (failure.code === 'lease-lost') throw thrown;
    return failure;
  }
}

/** The next look may read them; but a run that is over does not hold its cluster's updates for ever. */
function withoutResults(
  { message }: Failure,
  waited: number,
): { readonly kind: 'running'; readonly message: string } | Extract<RunLook, { kind: 'ended' }> {
  if (waited < RESULTS_PATIENCE)
    return { kind: 'running', message: `its Job has ended; its results cannot be read: ${message}` };
  const judgement: Judgement = {
    verdict: 'inconclusive',
    reason: 'results-unreadable',
    executed: 0,
    failedTests: [],
    message: `its results could not be read for ${formatDuration(RESULTS_PATIENCE)} after its Job ended: ${message}`,
  };
  return { kind: 'ended', judgement };
}

interface Evidence {
  readonly log: string;
  readonly digestNow: string | undefined;
  readonly exit?: number;
  readonly dryRunEnv?: string;
  readonly serverVersion?: string;
  readonly jobFailureReason?: string | undefined;
}

async function ended(
  run: ConformanceRun,
  suite: ConformanceSuite,
  evidence: Evidence,
): Promise<Extract<RunLook, { kind: 'ended' }>> {
  const judgement = judge({
    exit: evidence.exit,
    junit: await extractJUnit(evidence.log),
    dryRunEnv: evidence.dryRunEnv,
    expectedMin: suite.expectedMin,
    serverVersionBefore: run.serverVersion,
    serverVersionAfter: evidence.serverVersion,
    digestBefore: run.desiredDigest,
    digestAfter: evidence.digestNow,
    jobFailureReason: evidence.jobFailureReason,
  });
  return { kind: 'ended', judgement };
}

/** Of the container with the tests. One that cannot be read now is read at the next look. */
async function testsLog(
  kubernetes: KubernetesPort,
  namespace: string,
  name: string,
  limits: { readonly limitBytes: number; readonly tailLines?: number },
): Promise<string | undefined> {
  return kubernetes
    .podLog({ namespace, name, container: CONFORMANCE_CONTAINER, ...limits })
    .catch(() => undefined);
}

async function progressOf(
  kubernetes: KubernetesPort,
  namespace: string,
  pod: string | undefined,
  tail: string | undefined,
): Promise<string> {
  if (pod === undefined) return 'waits for its pod';
  let progress = conformanceProgress(tail ?? '');
  if (!progress && tail !== undefined) {
    const head = await testsLog(kubernetes, namespace, pod, { limitBytes: HEAD_LIMIT });
    progress = head === undefined ? undefined : conformanceProgress(head);
  }
  return progress ? `${progress.done} of ${progress.total} tests, ${progress.failed} failed` : 'starts';
}

interface Conditioned {
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly lastTransitionTime?: string;
  }[];
}

/** Complete or Failed; undefined while it runs. Source: Kubernetes API reference, Job v1, "JobCondition". */
function endOfJob(
  job: KubernetesObject,
): { readonly reason?: string | undefined; readonly at: Instant | undefined } | undefined {
  const conditions = (job['status'] as Conditioned | undefined)?.conditions ?? [];
  const end = conditions.find(
    ({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'),
  );
  if (!end) return undefined;
  const at = Date.parse(end.lastTransitionTime ?? '');
  return { at: Number.isNaN(at) ? undefined : at, ...(end.type === 'Failed' && { reason: end.reason }) };
}

interface PodStatus extends Conditioned {
  readonly reason?: string;
  readonly containerStatuses?: readonly {
    readonly name: string;
    readonly state?: {
      readonly terminated?: { readonly exitCode: number; readonly reason?: string };
      readonly waiting?: { readonly reason?: string };
    };
  }[];
}

function exitOf(pod: KubernetesObject | undefined): Pick<Evidence, 'exit' | 'dryRunEnv'> {
  const status = pod?.['status'] as PodStatus | undefined;
  const tests = status?.containerStatuses?.find(({ name }) => name === CONFORMANCE_CONTAINER);
  const exit = tests?.state?.terminated?.exitCode;
  const dryRunEnv = dryRunOf(pod);
  return { ...(exit !== undefined && { exit }), ...(dryRunEnv !== undefined && { dryRunEnv }) };
}

/** What the pod really ran with: a webhook may have added it. */
function dryRunOf(pod: KubernetesObject | undefined): string | undefined {
  const spec = pod?.['spec'] as
    | { containers?: readonly { name: string; env?: readonly { name: string; value?: string }[] }[] }
    | undefined;
  const tests = spec?.containers?.find(({ name }) => name === CONFORMANCE_CONTAINER);
  const variable = tests?.env?.find(({ name }) => name === 'E2E_DRYRUN');
  return variable && (variable.value ?? 'set from a source');
}

/** Why the pod was cut off, where it was; an ordinary exit says nothing here. */
function podReason(pod: KubernetesObject | undefined): string | undefined {
  const status = pod?.['status'] as PodStatus | undefined;
  if (status?.reason !== undefined) return status.reason;
  const target = status?.conditions?.find(
    ({ type, status: value }) => type === 'DisruptionTarget' && value === 'True',
  );
  if (target?.reason !== undefined) return target.reason;
  const tests = status?.containerStatuses?.find(({ name }) => name === CONFORMANCE_CONTAINER);
  return tests?.state?.terminated?.reason === 'OOMKilled' ? 'OOMKilled' : undefined;
}
