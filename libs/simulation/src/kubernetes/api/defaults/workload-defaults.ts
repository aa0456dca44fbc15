import { arrayAt, isJsonObject, objectAt, type JsonObject } from '../object.js';
import { defaultPodSpec, fill } from './pod-defaults.js';

function ensureObject(target: JsonObject, name: string): JsonObject {
  const member = target[name];
  if (isJsonObject(member)) return member;
  const made: JsonObject = {};
  target[name] = made;
  return made;
}

function defaultTemplate(spec: JsonObject): void {
  const template = spec['template'];
  if (isJsonObject(template) && isJsonObject(template['spec'])) defaultPodSpec(template['spec']);
}

export function defaultDeployment(spec: JsonObject): void {
  fill(spec, 'replicas', 1);
  const strategy = ensureObject(spec, 'strategy');
  fill(strategy, 'type', 'RollingUpdate');
  if (strategy['type'] === 'RollingUpdate') {
    const rolling = ensureObject(strategy, 'rollingUpdate');
    fill(rolling, 'maxUnavailable', '25%');
    fill(rolling, 'maxSurge', '25%');
  }
  fill(spec, 'revisionHistoryLimit', 10);
  fill(spec, 'progressDeadlineSeconds', 600);
  defaultTemplate(spec);
}

export function defaultReplicaSet(spec: JsonObject): void {
  fill(spec, 'replicas', 1);
  defaultTemplate(spec);
}

export function defaultStatefulSet(spec: JsonObject): void {
  fill(spec, 'podManagementPolicy', 'OrderedReady');
  const strategy = ensureObject(spec, 'updateStrategy');
  fill(strategy, 'type', 'RollingUpdate');
  if (strategy['type'] === 'RollingUpdate') fill(ensureObject(strategy, 'rollingUpdate'), 'partition', 0);
  const retention = ensureObject(spec, 'persistentVolumeClaimRetentionPolicy');
  fill(retention, 'whenDeleted', 'Retain');
  fill(retention, 'whenScaled', 'Retain');
  fill(spec, 'replicas', 1);
  fill(spec, 'revisionHistoryLimit', 10);
  for (const claim of arrayAt(spec, 'volumeClaimTemplates').filter(isJsonObject)) {
    fill(claim, 'apiVersion', 'v1');
    fill(claim, 'kind', 'PersistentVolumeClaim');
    fill(ensureObject(claim, 'spec'), 'volumeMode', 'Filesystem');
    fill(ensureObject(claim, 'status'), 'phase', 'Pending');
  }
  defaultTemplate(spec);
}

export function defaultDaemonSet(spec: JsonObject): void {
  const strategy = ensureObject(spec, 'updateStrategy');
  fill(strategy, 'type', 'RollingUpdate');
  if (strategy['type'] === 'RollingUpdate') {
    const rolling = ensureObject(strategy, 'rollingUpdate');
    fill(rolling, 'maxUnavailable', 1);
    fill(rolling, 'maxSurge', 0);
  }
  fill(spec, 'revisionHistoryLimit', 10);
  defaultTemplate(spec);
}

export function defaultJob(spec: JsonObject): void {
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) spec['completions'] = 1;
  fill(spec, 'parallelism', 1);
  fill(spec, 'backoffLimit', spec['backoffLimitPerIndex'] === undefined ? 6 : 2_147_483_647);
  fill(spec, 'completionMode', 'NonIndexed');
  fill(spec, 'suspend', false);
  fill(spec, 'manualSelector', false);
  fill(
    spec,
    'podReplacementPolicy',
    spec['podFailurePolicy'] === undefined ? 'TerminatingOrFailed' : 'Failed',
  );
  defaultTemplate(spec);
}

/** The selector and labels that tie a Job's pods to it. Only at creation. */
export function generateJobSelector(job: JsonObject, uid: string, name: string): void {
  const spec = ensureObject(job, 'spec');
  if (spec['manualSelector'] === true) return;
  const template = ensureObject(spec, 'template');
  const labels = ensureObject(ensureObject(template, 'metadata'), 'labels');
  Object.assign(labels, {
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  });
  const selector = ensureObject(spec, 'selector');
  ensureObject(selector, 'matchLabels')['batch.kubernetes.io/controller-uid'] = uid;
}

export function defaultCronJob(spec: JsonObject): void {
  fill(spec, 'concurrencyPolicy', 'Allow');
  fill(spec, 'suspend', false);
  fill(spec, 'successfulJobsHistoryLimit', 3);
  fill(spec, 'failedJobsHistoryLimit', 1);
  const job = objectAt(spec, 'jobTemplate', 'spec');
  defaultTemplate(job);
}

export function defaultAutoscaler(spec: JsonObject): void {
  fill(spec, 'minReplicas', 1);
  fill(spec, 'metrics', [
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
  ]);
  const behavior = spec['behavior'];
  if (!isJsonObject(behavior)) return;
  const policies = [{ type: 'Percent', value: 100, periodSeconds: 15 }];
  const up = ensureObject(behavior, 'scaleUp');
  fill(up, 'stabilizationWindowSeconds', 0);
  fill(up, 'selectPolicy', 'Max');
  fill(up, 'policies', [{ type: 'Pods', value: 4, periodSeconds: 15 }, ...policies]);
  const down = ensureObject(behavior, 'scaleDown');
  fill(down, 'selectPolicy', 'Max');
  fill(down, 'policies', policies);
}

export { defaultTemplate, ensureObject };
