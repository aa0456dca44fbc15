import { arrayAt, isJsonObject, objectAt, type JsonObject } from '../object.js';
import { fill } from './pod-defaults.js';
import { ensureObject } from './workload-defaults.js';

const items = (target: JsonObject, ...path: readonly string[]): readonly JsonObject[] =>
  arrayAt(target, ...path).filter(isJsonObject);

export function defaultService(spec: JsonObject): void {
  fill(spec, 'type', 'ClusterIP');
  fill(spec, 'sessionAffinity', 'None');
  if (spec['sessionAffinity'] === 'ClientIP') {
    fill(ensureObject(ensureObject(spec, 'sessionAffinityConfig'), 'clientIP'), 'timeoutSeconds', 10_800);
  }
  for (const port of items(spec, 'ports')) {
    fill(port, 'protocol', 'TCP');
    fill(port, 'targetPort', port['port']);
  }
  const type = spec['type'];
  if (type !== 'ExternalName') fill(spec, 'internalTrafficPolicy', 'Cluster');
  if (type === 'NodePort' || type === 'LoadBalancer') fill(spec, 'externalTrafficPolicy', 'Cluster');
  if (type === 'LoadBalancer') fill(spec, 'allocateLoadBalancerNodePorts', true);
}

/** `stringData` is write-only: it ends up base64-encoded in `data`. */
export function defaultSecret(secret: JsonObject): void {
  fill(secret, 'type', 'Opaque');
  const plain = secret['stringData'];
  if (!isJsonObject(plain)) return;
  const data = ensureObject(secret, 'data');
  for (const [key, value] of Object.entries(plain)) data[key] = Buffer.from(String(value)).toString('base64');
  delete secret['stringData'];
}

export function defaultCustomResourceDefinition(crd: JsonObject): void {
  const spec = ensureObject(crd, 'spec');
  const names = ensureObject(spec, 'names');
  if (typeof names['kind'] === 'string') {
    fill(names, 'singular', names['kind'].toLowerCase());
    fill(names, 'listKind', `${names['kind']}List`);
  }
  fill(ensureObject(spec, 'conversion'), 'strategy', 'None');
  for (const version of items(spec, 'versions')) {
    for (const column of items(version, 'additionalPrinterColumns')) {
      if (column['priority'] === 0) delete column['priority'];
    }
  }
}

export function defaultWebhooks(configuration: JsonObject): void {
  for (const webhook of items(configuration, 'webhooks')) {
    fill(webhook, 'failurePolicy', 'Fail');
    fill(webhook, 'matchPolicy', 'Equivalent');
    fill(webhook, 'namespaceSelector', {});
    fill(webhook, 'objectSelector', {});
    fill(webhook, 'timeoutSeconds', 10);
    if (configuration['kind'] === 'MutatingWebhookConfiguration')
      fill(webhook, 'reinvocationPolicy', 'Never');
    for (const rule of items(webhook, 'rules')) fill(rule, 'scope', '*');
    const service = objectAt(webhook, 'clientConfig')['service'];
    if (isJsonObject(service)) fill(service, 'port', 443);
  }
}

export function defaultNetworkPolicy(spec: JsonObject): void {
  if (spec['policyTypes'] === undefined) {
    spec['policyTypes'] = arrayAt(spec, 'egress').length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  }
  for (const rule of [...items(spec, 'ingress'), ...items(spec, 'egress')]) {
    for (const port of items(rule, 'ports')) fill(port, 'protocol', 'TCP');
  }
}

export function defaultCsiDriver(spec: JsonObject): void {
  fill(spec, 'attachRequired', true);
  fill(spec, 'podInfoOnMount', false);
  fill(spec, 'storageCapacity', false);
  fill(spec, 'fsGroupPolicy', 'ReadWriteOnceWithFSType');
  fill(spec, 'volumeLifecycleModes', ['Persistent']);
  fill(spec, 'requiresRepublish', false);
  fill(spec, 'seLinuxMount', false);
}

const RBAC = 'rbac.authorization.k8s.io';

export function defaultBinding(binding: JsonObject): void {
  const role = binding['roleRef'];
  if (isJsonObject(role)) fill(role, 'apiGroup', RBAC);
  for (const subject of items(binding, 'subjects')) {
    if (subject['kind'] === 'User' || subject['kind'] === 'Group') fill(subject, 'apiGroup', RBAC);
    if (subject['apiGroup'] === '') delete subject['apiGroup'];
  }
}

export function defaultEndpoints(endpoints: JsonObject): void {
  for (const subset of items(endpoints, 'subsets')) {
    for (const port of items(subset, 'ports')) fill(port, 'protocol', 'TCP');
  }
}

export function defaultEndpointSlice(slice: JsonObject): void {
  for (const port of items(slice, 'ports')) {
    fill(port, 'name', '');
    fill(port, 'protocol', 'TCP');
  }
}

/** Limits of a container become its default limits, and these its default requests. */
export function defaultLimitRange(spec: JsonObject): void {
  for (const limit of items(spec, 'limits')) {
    if (limit['type'] !== 'Container') continue;
    const defaults = ensureObject(limit, 'default');
    for (const [name, value] of Object.entries(objectAt(limit, 'max'))) fill(defaults, name, value);
    const requests = ensureObject(limit, 'defaultRequest');
    for (const [name, value] of Object.entries(defaults)) fill(requests, name, value);
    for (const [name, value] of Object.entries(objectAt(limit, 'min'))) fill(requests, name, value);
    for (const name of ['default', 'defaultRequest']) {
      if (Object.keys(objectAt(limit, name)).length === 0) delete limit[name];
    }
  }
}
