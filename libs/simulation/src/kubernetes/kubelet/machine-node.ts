import type { StringMap, Taint } from '../controllers/objects.js';
import { instanceTypes } from '../../aws/catalog.js';
import type { Machine } from '../../aws/machine.js';

const LABEL_TAG = 'k8s.io/cluster-autoscaler/node-template/label/';
const TAINT_TAG = 'k8s.io/cluster-autoscaler/node-template/taint/';
const CLUSTER_TAG = /^kubernetes\.io\/cluster\/(.+)$/;
const ROLE_TAG = /^(?:k8s\.io|kubernetes\.io)\/role\/([a-z-]+)$/;
const MASTER_ROLES: ReadonlySet<string> = new Set(['master', 'control-plane']);
const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';
const GIB = 2 ** 30;

/** The cluster that owns the machine, by its tag `kubernetes.io/cluster/<id>: owned`. */
export function clusterOf(machine: Pick<Machine, 'tags'>): string | undefined {
  for (const [key, value] of Object.entries(machine.tags)) {
    const match = CLUSTER_TAG.exec(key);
    if (match && value === 'owned') return match[1];
  }
  return undefined;
}

export const poolOf = (machine: Pick<Machine, 'tags'>): string | undefined =>
  machine.tags['kubernetes.io/node-pool'] ?? machine.tags['NodePool'];

/** A master by role tag, by node label, or by the name of its pool or profile. */
export function isMaster(machine: Pick<Machine, 'tags' | 'userData'>): boolean {
  const roles = Object.keys(machine.tags).flatMap((key) => ROLE_TAG.exec(key)?.[1] ?? []);
  if (roles.some((role) => MASTER_ROLES.has(role))) return true;
  const labelled = labelsIn(machine.userData)['node.kubernetes.io/role'];
  if (labelled !== undefined) return MASTER_ROLES.has(labelled);
  const profile =
    machine.tags['kubernetes.io/node-pool-profile'] ??
    machine.tags['NodePoolProfile'] ??
    poolOf(machine) ??
    '';
  return profile.startsWith('master');
}

/** Labels from lines such as `node-labels: a=b,c=d`, `--node-labels=a=b` or `NODE_LABELS="a=b"` of the user data. */
export function labelsIn(userData: string): StringMap {
  const labels: Record<string, string> = {};
  for (const [, list = ''] of userData.matchAll(
    /(?:node-labels|NODE_LABELS|node_labels|nodeLabels)["']?\s*[=:]\s*["']?([^\s"'\\]+)/g,
  )) {
    for (const pair of list.split(',')) {
      const [key = '', value = ''] = pair.split('=');
      if (key) labels[key] = value;
    }
  }
  return labels;
}

/** Taints `key=value:Effect` from `register-with-taints`, `node-taints` or `taints` lines of the user data. */
export function taintsIn(userData: string): Taint[] {
  const lists = userData.matchAll(
    /(?:register-with-taints|node-taints|NODE_TAINTS|\btaints)["']?\s*[=:]\s*["']?([^\s"'\\]+)/g,
  );
  return [...lists].flatMap(([, list = '']) => list.split(',').flatMap((text) => parseTaint(text) ?? []));
}

function parseTaint(text: string): Taint | undefined {
  const match = /^([^=:]+)(?:=([^:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(text);
  return match
    ? { key: match[1] as string, ...(match[2] && { value: match[2] }), effect: match[3] as string }
    : undefined;
}

/** Labels with which the machine's kubelet registers. */
export function labelsOf(machine: Machine): StringMap {
  const fromTags = Object.entries(machine.tags)
    .filter(([key]) => key.startsWith(LABEL_TAG))
    .map(([key, value]): [string, string] => [key.slice(LABEL_TAG.length), value]);
  const master = isMaster(machine);
  const pool = poolOf(machine);
  const arm = instanceTypes.get(machine.instanceType)?.architecture === 'arm64';
  return {
    'kubernetes.io/arch': arm ? 'arm64' : 'amd64',
    'kubernetes.io/os': 'linux',
    'kubernetes.io/hostname': machine.privateDnsName,
    'node.kubernetes.io/instance-type': machine.instanceType,
    'topology.kubernetes.io/region': machine.region,
    'topology.kubernetes.io/zone': machine.zone,
    'topology.ebs.csi.aws.com/zone': machine.zone,
    'node.kubernetes.io/role': master ? 'master' : 'worker',
    'lifecycle-status': 'ready',
    ...(pool && { 'node.kubernetes.io/node-pool': pool }),
    ...(master && { [CONTROL_PLANE]: '' }),
    ...(machine.spot && { 'aws.amazon.com/spot': 'true' }),
    ...Object.fromEntries(fromTags),
    ...labelsIn(machine.userData),
  };
}

/** Masters keep workloads off unless their user data or tags say otherwise. */
export function taintsOf(machine: Machine): readonly Taint[] {
  const fromTags = Object.entries(machine.tags)
    .filter(([key]) => key.startsWith(TAINT_TAG))
    .flatMap(([key, value]) => parseTaint(`${key.slice(TAINT_TAG.length)}=${value}`) ?? []);
  const given = [...fromTags, ...taintsIn(machine.userData)];
  if (given.length > 0) return unique(given);
  return isMaster(machine) ? [{ key: CONTROL_PLANE, effect: 'NoSchedule' }] : [];
}

const unique = (taints: readonly Taint[]): Taint[] => [
  ...new Map(taints.map((taint) => [`${taint.key}:${taint.effect}`, taint])).values(),
];

/** Capacity of the instance type, and what is left after the system's share. */
export function resourcesOf(machine: Machine): {
  readonly capacity: StringMap;
  readonly allocatable: StringMap;
} {
  const type = instanceTypes.get(machine.instanceType);
  const vcpus = type?.vcpus ?? 2;
  const memory = (type?.memoryMiB ?? 8192) * 2 ** 20;
  const reserved = Math.round(0.255 * GIB + 0.06 * memory);
  const rest = { 'ephemeral-storage': '52416492Ki', 'hugepages-2Mi': '0', pods: '110' };
  return {
    capacity: { cpu: String(vcpus), memory: `${Math.round(memory / 1024)}Ki`, ...rest },
    allocatable: {
      cpu: `${vcpus * 1000 - 100}m`,
      memory: `${Math.round((memory - reserved) / 1024)}Ki`,
      ...rest,
    },
  };
}

export const DEFAULT_VERSION = '1.31.4';

export const kubeletVersionOf = (machine: Machine): string =>
  `v${machine.kubernetesVersion ?? DEFAULT_VERSION}`;

export function nodeInfoOf(machine: Machine): StringMap {
  const arm = instanceTypes.get(machine.instanceType)?.architecture === 'arm64';
  return {
    architecture: arm ? 'arm64' : 'amd64',
    bootID: machine.instanceId,
    containerRuntimeVersion: 'containerd://1.7.27',
    kernelVersion: '6.8.0-1021-aws',
    kubeProxyVersion: kubeletVersionOf(machine),
    kubeletVersion: kubeletVersionOf(machine),
    machineID: machine.instanceId,
    operatingSystem: 'linux',
    osImage: `Fairway Node ${machine.imageId}`,
    systemUUID: machine.instanceId,
  };
}
