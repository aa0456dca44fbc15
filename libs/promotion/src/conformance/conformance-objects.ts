import { parseDocument } from 'yaml';
import type { Duration, Result } from '#kernel';
import { err, minutes, ok, seconds, sha256Hex } from '#kernel';
import type { ConformanceRun, KubernetesObject, ObjectRef } from '#fleet';
import type { ConformanceSuite } from '../policy.js';
import { printResultsScript } from './results-script.js';

/** On every object of a run, with the run's id: cleanup goes by it. */
export const RUN_LABEL = 'fairway.dev/run';
export const SUITE_LABEL = 'fairway.dev/suite';
const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'fairway' };

export const CONFORMANCE_CONTAINER = 'conformance';
export const RESULTS_CONTAINER = 'results';
const RESULTS_DIR = '/tmp/results';
/** The Job outlives its end by this, in case nobody cleans up. */
const TTL_AFTER_FINISHED = minutes(60);
/** Time for pulling images and printing results, on top of the suite's own. */
const OVERHEAD: Duration = minutes(5);

export interface ConformanceObjectOptions {
  /** As the API server says it: `v1.36.0`, vendors' suffixes allowed. */
  readonly serverVersion: string;
  readonly conformanceRepository?: string;
  readonly resultsImage?: string;
  /** Text of the suite's own Job. */
  readonly ownJob?: string;
}

export const DEFAULT_CONFORMANCE_REPOSITORY = 'registry.k8s.io/conformance';
export const DEFAULT_RESULTS_IMAGE = 'registry.k8s.io/e2e-test-images/busybox:1.36.1-1';

/** `fairway-conformance-0f9a…`: one name for the namespace, the Job and the cluster-wide binding of a run. */
export const conformanceName = (runId: string): string =>
  `fairway-conformance-${sha256Hex(runId).slice(0, 16)}`;

/** A run's id as a label value (63 characters of a small alphabet); odd ids are hashed. */
export const runLabel = (runId: string): string =>
  /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(runId) ? runId : sha256Hex(runId).slice(0, 32);

/** What must be gone after a run. The namespace takes the Job and the account with it. */
export const conformanceRefs = (runId: string): readonly ObjectRef[] => [
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', name: conformanceName(runId) },
  { apiVersion: 'v1', kind: 'Namespace', name: conformanceName(runId) },
];

/** `v1.36.0-eks-1a2b` → `v1.36.0`: images exist for upstream's versions only. */
export const upstreamVersion = (serverVersion: string): string | undefined => {
  const found = /^v?(\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)\.\d+)?)/.exec(serverVersion)?.[1];
  return found === undefined ? undefined : `v${found}`;
};

/**
 * Everything that one run needs in its cluster, in the order of creation. The tests need to do anything, so the account
 * is cluster-admin; namespace and binding exist for the time of the run only.
 * The error names what is wrong with the own job or the server's version.
 */
export function conformanceObjects(
  run: Pick<ConformanceRun, 'id' | 'suite'>,
  suite: ConformanceSuite,
  options: ConformanceObjectOptions,
): Result<readonly KubernetesObject[], string> {
  const name = conformanceName(run.id);
  const labels = { ...MANAGED_BY, [RUN_LABEL]: runLabel(run.id), [SUITE_LABEL]: suite.name };
  const job =
    suite.job === undefined
      ? upstreamJob(name, labels, suite, options)
      : ownJob(name, labels, suite, options);
  if (!job.ok) return job;
  return ok([
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { ...labels, 'pod-security.kubernetes.io/enforce': 'privileged' } },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: name, labels } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name, labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name, namespace: name }],
    },
    job.value,
  ]);
}

type Labels = Readonly<Record<string, string>>;

function upstreamJob(
  name: string,
  labels: Labels,
  suite: ConformanceSuite,
  options: ConformanceObjectOptions,
): Result<KubernetesObject, string> {
  const version = upstreamVersion(options.serverVersion);
  if (version === undefined)
    return err(`the server's version "${options.serverVersion}" has no conformance image`);
  const container = {
    name: CONFORMANCE_CONTAINER,
    image: `${options.conformanceRepository ?? DEFAULT_CONFORMANCE_REPOSITORY}:${version}`,
    imagePullPolicy: 'IfNotPresent',
    env: suiteEnv(suite),
    volumeMounts: [{ name: 'results', mountPath: RESULTS_DIR }],
  };
  const pod = podSpec(name, [container, resultsContainer(suite, options)], []);
  return ok(jobObject(name, labels, suite, { labels }, pod));
}

/** Never E2E_DRYRUN: the image takes any value of it, even "false", as a dry run. */
function suiteEnv(suite: ConformanceSuite): readonly { readonly name: string; readonly value: string }[] {
  return [
    { name: 'RESULTS_DIR', value: RESULTS_DIR },
    { name: 'E2E_FOCUS', value: suite.focus ?? '' },
    { name: 'E2E_SKIP', value: suite.skip ?? '' },
    { name: 'E2E_PARALLEL', value: suite.parallel ? 'true' : '' },
    { name: 'E2E_PROVIDER', value: 'skeleton' },
    { name: 'E2E_EXTRA_ARGS', value: suite.extraArgs.join(' ') },
  ].filter(({ value }) => value !== '');
}

function resultsContainer(suite: ConformanceSuite, options: ConformanceObjectOptions): object {
  return {
    name: RESULTS_CONTAINER,
    image: options.resultsImage ?? DEFAULT_RESULTS_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    command: ['/bin/sh', '-c', printResultsScript(RESULTS_DIR, Math.round(suite.timeout / seconds(1)))],
    resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    volumeMounts: [{ name: 'results', mountPath: RESULTS_DIR, readOnly: true }],
  };
}

function podSpec(
  serviceAccountName: string,
  containers: readonly object[],
  volumes: readonly unknown[],
): object {
  return {
    serviceAccountName,
    restartPolicy: 'Never',
    // Tests drain and taint workers; the run itself may sit on a control-plane node.
    tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }],
    containers,
    volumes: [...volumes, { name: 'results', emptyDir: { sizeLimit: '1Gi' } }],
  };
}

function jobObject(
  name: string,
  labels: Labels,
  suite: ConformanceSuite,
  podMetadata: object,
  podTemplateSpec: object,
): KubernetesObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: name, labels },
    spec: {
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      activeDeadlineSeconds: Math.round((suite.timeout + OVERHEAD) / seconds(1)),
      ttlSecondsAfterFinished: Math.round(TTL_AFTER_FINISHED / seconds(1)),
      template: { metadata: podMetadata, spec: podTemplateSpec },
    },
  };
}

/** A team's Job, with our names, limits and the container that prints its results put around its own containers. */
function ownJob(
  name: string,
  labels: Labels,
  suite: ConformanceSuite,
  options: ConformanceObjectOptions,
): Result<KubernetesObject, string> {
  if (options.ownJob === undefined)
    return err(`the job ${suite.job} of suite "${suite.name}" is not in the repository`);
  const parsed = parseJob(options.ownJob);
  if (!parsed.ok) return err(`${suite.job}: ${parsed.error}`);
  const template = record(record(parsed.value['spec'])['template']);
  const spec = record(template['spec']);
  const containers = list(spec['containers']).map(record);
  const first = containers[0];
  if (first === undefined) return err(`${suite.job}: the job has no container`);
  if (containers.length > 1) return err(`${suite.job}: the job must have exactly one container, the tests`);
  const mounts = list(first['volumeMounts']).filter((mount) => record(mount)['mountPath'] !== RESULTS_DIR);
  const environment = list(first['env']).filter((one) => record(one)['name'] !== 'RESULTS_DIR');
  const tests = {
    ...first,
    name: CONFORMANCE_CONTAINER,
    env: [...environment, { name: 'RESULTS_DIR', value: RESULTS_DIR }],
    volumeMounts: [...mounts, { name: 'results', mountPath: RESULTS_DIR }],
  };
  const volumes = list(spec['volumes']).filter((volume) => record(volume)['name'] !== 'results');
  const pod = { ...spec, ...podSpec(name, [tests, resultsContainer(suite, options)], volumes) };
  const podLabels = { ...record(record(template['metadata'])['labels']), ...labels };
  return ok(jobObject(name, labels, suite, { labels: podLabels }, pod));
}

function parseJob(text: string): Result<Record<string, unknown>, string> {
  const document = parseDocument(text, { uniqueKeys: true });
  const fault = document.errors[0];
  if (fault !== undefined) return err(fault.message.split('\n')[0] ?? 'is no YAML');
  const job = record(document.toJS({ maxAliasCount: 50 }));
  if (job['apiVersion'] !== 'batch/v1' || job['kind'] !== 'Job') return err('is no batch/v1 Job');
  return ok(job);
}

const record = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
