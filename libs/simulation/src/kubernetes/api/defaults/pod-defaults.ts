import { arrayAt, isJsonObject, type JsonObject } from '../object.js';

/** Sets a member that is absent. */
export function fill(target: JsonObject, name: string, value: unknown): void {
  if (target[name] === undefined) target[name] = value;
}

const members = (target: JsonObject, name: string): readonly JsonObject[] =>
  arrayAt(target, name).filter(isJsonObject);

/** What every pod spec gets, in pods and in templates. Source: pkg/apis/core/v1 defaulting. */
export function defaultPodSpec(spec: JsonObject): void {
  fill(spec, 'restartPolicy', 'Always');
  fill(spec, 'dnsPolicy', 'ClusterFirst');
  fill(spec, 'schedulerName', 'default-scheduler');
  fill(spec, 'terminationGracePeriodSeconds', 30);
  fill(spec, 'securityContext', {});
  if (typeof spec['serviceAccountName'] === 'string')
    fill(spec, 'serviceAccount', spec['serviceAccountName']);
  if (typeof spec['serviceAccount'] === 'string') fill(spec, 'serviceAccountName', spec['serviceAccount']);
  for (const list of ['initContainers', 'containers', 'ephemeralContainers']) {
    for (const container of members(spec, list)) defaultContainer(container);
  }
  for (const volume of members(spec, 'volumes')) defaultVolume(volume);
}

function defaultContainer(container: JsonObject): void {
  fill(container, 'terminationMessagePath', '/dev/termination-log');
  fill(container, 'terminationMessagePolicy', 'File');
  fill(container, 'imagePullPolicy', pullPolicyOf(String(container['image'] ?? '')));
  fill(container, 'resources', {});
  for (const port of members(container, 'ports')) fill(port, 'protocol', 'TCP');
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = container[name];
    if (isJsonObject(probe)) defaultProbe(probe);
  }
  const lifecycle = container['lifecycle'];
  if (isJsonObject(lifecycle)) {
    for (const hook of Object.values(lifecycle)) if (isJsonObject(hook)) defaultHttpGet(hook);
  }
  for (const variable of members(container, 'env')) {
    const from = variable['valueFrom'];
    if (!isJsonObject(from)) continue;
    if (isJsonObject(from['fieldRef'])) fill(from['fieldRef'], 'apiVersion', 'v1');
    if (isJsonObject(from['resourceFieldRef'])) fill(from['resourceFieldRef'], 'divisor', '0');
  }
}

function pullPolicyOf(image: string): string {
  if (image.includes('@')) return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(image)?.[1] ?? 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function defaultProbe(probe: JsonObject): void {
  fill(probe, 'timeoutSeconds', 1);
  fill(probe, 'periodSeconds', 10);
  fill(probe, 'successThreshold', 1);
  fill(probe, 'failureThreshold', 3);
  defaultHttpGet(probe);
  if (isJsonObject(probe['grpc'])) fill(probe['grpc'], 'service', '');
}

function defaultHttpGet(handler: JsonObject): void {
  const get = handler['httpGet'];
  if (!isJsonObject(get)) return;
  fill(get, 'path', '/');
  fill(get, 'scheme', 'HTTP');
}

const DEFAULT_MODE = 420;

function defaultVolume(volume: JsonObject): void {
  if (Object.keys(volume).every((name) => name === 'name')) volume['emptyDir'] = {};
  for (const name of ['configMap', 'secret', 'downwardAPI', 'projected']) {
    const source = volume[name];
    if (isJsonObject(source)) fill(source, 'defaultMode', DEFAULT_MODE);
  }
  if (isJsonObject(volume['hostPath'])) fill(volume['hostPath'], 'type', '');
  const projected = volume['projected'];
  if (isJsonObject(projected)) {
    for (const source of members(projected, 'sources')) {
      if (isJsonObject(source['serviceAccountToken']))
        fill(source['serviceAccountToken'], 'expirationSeconds', 3600);
      const downward = source['downwardAPI'];
      if (isJsonObject(downward)) defaultDownward(downward);
    }
  }
  if (isJsonObject(volume['downwardAPI'])) defaultDownward(volume['downwardAPI']);
}

function defaultDownward(source: JsonObject): void {
  for (const item of members(source, 'items')) {
    if (isJsonObject(item['fieldRef'])) fill(item['fieldRef'], 'apiVersion', 'v1');
    if (isJsonObject(item['resourceFieldRef'])) fill(item['resourceFieldRef'], 'divisor', '0');
  }
}

const EVICTION_SECONDS = 300;

/** What only pods themselves get: defaults of the kind and of the admission plugins that every cluster runs. */
export function defaultPod(pod: JsonObject, priority: { value: number; policy: string }): void {
  const spec = pod['spec'];
  if (!isJsonObject(spec)) return;
  fill(spec, 'enableServiceLinks', true);
  fill(spec, 'serviceAccountName', 'default');
  fill(spec, 'serviceAccount', spec['serviceAccountName']);
  fill(spec, 'priority', priority.value);
  fill(spec, 'preemptionPolicy', priority.policy);
  for (const container of [...members(spec, 'initContainers'), ...members(spec, 'containers')]) {
    const resources = container['resources'];
    if (!isJsonObject(resources) || !isJsonObject(resources['limits'])) continue;
    const requests: JsonObject = isJsonObject(resources['requests']) ? { ...resources['requests'] } : {};
    for (const [name, value] of Object.entries(resources['limits'])) fill(requests, name, value);
    resources['requests'] = requests;
  }
  const tolerations = [...members(spec, 'tolerations')];
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const tolerated = tolerations.some(
      (one) =>
        (one['key'] === key || one['key'] === undefined) && (one['effect'] ?? 'NoExecute') === 'NoExecute',
    );
    if (tolerated) continue;
    tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: EVICTION_SECONDS });
  }
  spec['tolerations'] = tolerations;
  const status = isJsonObject(pod['status']) ? pod['status'] : {};
  pod['status'] = status;
  fill(status, 'phase', 'Pending');
  fill(status, 'qosClass', qosClassOf(spec));
}

function qosClassOf(spec: JsonObject): string {
  const all = [...members(spec, 'containers'), ...members(spec, 'initContainers')].map((container) => {
    const resources = isJsonObject(container['resources']) ? container['resources'] : {};
    const part = (name: string) => (isJsonObject(resources[name]) ? resources[name] : {});
    return { limits: part('limits'), requests: part('requests') };
  });
  const some = all.some(({ limits, requests }) =>
    [limits, requests].some((part) => part['cpu'] ?? part['memory']),
  );
  if (!some) return 'BestEffort';
  const guaranteed = all.every(({ limits, requests }) =>
    ['cpu', 'memory'].every((name) => limits[name] !== undefined && limits[name] === requests[name]),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
