import { invalid } from './api-error.js';
import { arrayAt, isJsonObject, stringAt, type KubeObject } from './object.js';
import type { StoreContext } from './store-context.js';

const NODE_PORTS = { first: 30_000, last: 32_767 };
const SERVICE_NET = [10, 96];

/** Gives a Service its cluster IP (10.96.0.0/16) and its node ports. Changes the draft. */
export function allocateService(context: StoreContext, service: KubeObject): void {
  const spec = service['spec'];
  if (!isJsonObject(spec)) return;
  const others = context.storage.list('services').filter((one) => one.metadata.uid !== service.metadata.uid);
  if (spec['type'] !== 'ExternalName') {
    allocateClusterIp(spec, service, new Set(others.map((one) => stringAt(one, 'spec', 'clusterIP'))));
  }
  if (spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer') {
    allocateNodePorts(spec, new Set(others.flatMap((one) => arrayAt(one, 'spec', 'ports')).map(nodePortOf)));
  }
}

function allocateClusterIp(
  spec: Record<string, unknown>,
  service: KubeObject,
  used: ReadonlySet<string | undefined>,
): void {
  const asked = spec['clusterIP'];
  if (typeof asked === 'string' && asked !== '' && asked !== 'None' && used.has(asked)) {
    throw invalid('Service', '', service.metadata.name, [
      {
        reason: 'FieldValueInvalid',
        field: 'spec.clusterIPs',
        message: `Invalid value: ["${asked}"]: failed to allocate IP ${asked}: provided IP is already allocated`,
      },
    ]);
  }
  if (!asked) spec['clusterIP'] = freeAddress(used);
  spec['clusterIPs'] ??= [spec['clusterIP']];
  spec['ipFamilies'] ??= ['IPv4'];
  spec['ipFamilyPolicy'] ??= 'SingleStack';
}

function freeAddress(used: ReadonlySet<string | undefined>): string {
  for (let host = 2; host < 65_535; host += 1) {
    const address = [...SERVICE_NET, host >> 8, host & 255].join('.');
    if (!used.has(address)) return address;
  }
  throw new Error('the service network is used up');
}

const nodePortOf = (port: unknown): unknown => (isJsonObject(port) ? port['nodePort'] : undefined);

function allocateNodePorts(spec: Record<string, unknown>, used: Set<unknown>): void {
  let next = NODE_PORTS.first;
  for (const port of arrayAt(spec, 'ports').filter(isJsonObject)) {
    if (port['nodePort'] !== undefined) continue;
    while (used.has(next) && next < NODE_PORTS.last) next += 1;
    port['nodePort'] = next;
    used.add(next);
  }
}
