import {
  arrayAt,
  isJsonObject,
  numberAt,
  objectAt,
  stringAt,
  type JsonObject,
  type KubeObject,
} from '../kubernetes/api/object.js';

const statuses = (pod: KubeObject): readonly JsonObject[] =>
  arrayAt(pod, 'status', 'containerStatuses').filter(isJsonObject);

export const readyContainers = (pod: KubeObject): string =>
  `${statuses(pod).filter((one) => one['ready'] === true).length}/${arrayAt(pod, 'spec', 'containers').length}`;

export const restartsOf = (pod: KubeObject): string =>
  String(statuses(pod).reduce((sum, one) => sum + (numberAt(one, 'restartCount') ?? 0), 0));

/** The STATUS column: the phase, or what explains it better. */
export function podStatus(pod: KubeObject): string {
  if (pod.metadata.deletionTimestamp) return 'Terminating';
  let status = stringAt(pod, 'status', 'reason') ?? stringAt(pod, 'status', 'phase') ?? 'Unknown';
  for (const container of statuses(pod)) {
    const waiting = stringAt(container, 'state', 'waiting', 'reason');
    const terminated = objectAt(container, 'state')['terminated'];
    if (waiting) status = waiting;
    else if (isJsonObject(terminated))
      status = stringAt(terminated, 'reason') ?? `ExitCode:${String(terminated['exitCode'])}`;
  }
  return status;
}
