import {
  arrayAt,
  isJsonObject,
  numberAt,
  objectAt,
  stringAt,
  valueAt,
  type KubeObject,
} from '../kubernetes/api/object.js';
import { labelSelectorText } from '../kubernetes/api/selectors.js';

export type Cell = string | number | boolean;

export interface Column {
  readonly name: string;
  readonly type?: string;
  /** Shown with `-o wide` only. */
  readonly wide?: boolean;
  /** `now` in milliseconds of the simulated world. */
  value(object: KubeObject, now: number): Cell;
}

/** Age as kubectl prints it: `5s`, `3m10s`, `4h5m`, `2d3h`, `40d`. */
export function shortAge(since: string, now: number): string {
  const seconds = Math.floor((now - Date.parse(since)) / 1000);
  if (Number.isNaN(seconds)) return '<unknown>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`;
  return days < 730 ? `${days}d` : `${Math.floor(days / 365)}y`;
}

type Read = Column['value'];
export const col = (name: string, value: Read, type = 'string'): Column => ({ name, type, value });
export const wide = (name: string, value: Read, type = 'string'): Column => ({
  name,
  type,
  value,
  wide: true,
});
export const text =
  (fallback: string, ...path: readonly string[]): Read =>
  (object) =>
    stringAt(object, ...path) ?? fallback;
export const count =
  (...path: readonly string[]): Read =>
  (object) =>
    numberAt(object, ...path) ?? 0;
export const ratio = (left: readonly string[], right: readonly string[]): Read => {
  const [a, b] = [count(...left), count(...right)];
  return (object, now) => `${a(object, now)}/${b(object, now)}`;
};

export const NAME = col('Name', (object) => object.metadata.name);
export const AGE = col('Age', (object, now) => shortAge(object.metadata.creationTimestamp, now));
export const SELECTOR = wide(
  'Selector',
  (object) => labelSelectorText(valueAt(object, 'spec', 'selector')) || '<none>',
);

const templateContainers = (object: KubeObject, field: 'name' | 'image'): string =>
  arrayAt(object, 'spec', 'template', 'spec', 'containers')
    .map((container) => stringAt(container, field) ?? '')
    .join(',');
export const CONTAINERS = wide('Containers', (object) => templateContainers(object, 'name'));
export const IMAGES = wide('Images', (object) => templateContainers(object, 'image'));

export const address =
  (type: string): Read =>
  (object) =>
    arrayAt(object, 'status', 'addresses')
      .filter(isJsonObject)
      .map((one) => (one['type'] === type ? String(one['address']) : ''))
      .find(Boolean) ?? '<none>';

const ROLE = 'node-role.kubernetes.io/';

export function nodeStatus(object: KubeObject): string {
  const ready = arrayAt(object, 'status', 'conditions')
    .filter(isJsonObject)
    .find((one) => one['type'] === 'Ready');
  const state = ready?.['status'] === 'True' ? 'Ready' : ready ? 'NotReady' : 'Unknown';
  return valueAt(object, 'spec', 'unschedulable') === true ? `${state},SchedulingDisabled` : state;
}

export function nodeRoles(object: KubeObject): string {
  const labels = object.metadata.labels ?? {};
  const roles = Object.keys(labels).flatMap((key) => (key.startsWith(ROLE) ? [key.slice(ROLE.length)] : []));
  if (labels['kubernetes.io/role']) roles.push(labels['kubernetes.io/role']);
  return roles.filter(Boolean).sort().join(',') || '<none>';
}

export const servicePorts: Read = (object) =>
  arrayAt(object, 'spec', 'ports')
    .filter(isJsonObject)
    .map(
      (port) =>
        `${String(port['port'])}${port['nodePort'] ? `:${String(port['nodePort'])}` : ''}/${String(port['protocol'])}`,
    )
    .join(',') || '<none>';

export const externalIp: Read = (object) => {
  const ingress = arrayAt(object, 'status', 'loadBalancer', 'ingress').filter(isJsonObject);
  const shown = ingress.map((one) => String(one['ip'] ?? one['hostname'])).join(',');
  if (shown) return shown;
  return stringAt(object, 'spec', 'type') === 'LoadBalancer' ? '<pending>' : '<none>';
};

export function jobStatus(object: KubeObject): string {
  const is = (type: string) =>
    arrayAt(object, 'status', 'conditions').some(
      (one) => isJsonObject(one) && one['type'] === type && one['status'] === 'True',
    );
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (object.metadata.deletionTimestamp) return 'Terminating';
  return is('Suspended') ? 'Suspended' : 'Running';
}

export const jobDuration: Read = (object, now) => {
  const start = stringAt(object, 'status', 'startTime');
  if (!start) return '';
  const end = stringAt(object, 'status', 'completionTime');
  return shortAge(start, end ? Date.parse(end) : now);
};

export const budgetBound =
  (name: string): Read =>
  (object) => {
    const value = objectAt(object, 'spec')[name];
    return value === undefined ? 'N/A' : String(value);
  };

export const accessModes: Read = (object) =>
  arrayAt(object, 'spec', 'accessModes')
    .map(
      (mode) =>
        ({ ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' })[
          String(mode)
        ] ?? '',
    )
    .join(',');

export const dataSize = (object: KubeObject): number => Object.keys(objectAt(object, 'data')).length;
