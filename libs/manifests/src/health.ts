import type { KubernetesObject } from '#fleet';
import { WORKLOAD_HEALTH } from './workload-health.js';
import { conditionOf, numberAt, text } from './object-fields.js';
import type { Health } from './types.js';

/**
 * The status of an object by kstatus rules (sigs.k8s.io/cli-utils, `kstatus`): deletion and `observedGeneration` first,
 * then the kind's own rule, then the conditions Stalled, Reconciling and Ready that custom resources share.
 */
export function healthOf(object: KubernetesObject | undefined): Health {
  if (object === undefined) return { status: 'NotFound', message: 'it does not exist' };
  if (object.metadata.deletionTimestamp !== undefined)
    return { status: 'Terminating', message: 'it is being deleted' };
  const observed = numberAt(object, 'status', 'observedGeneration');
  const generation = object.metadata.generation;
  if (observed !== undefined && generation !== undefined && observed < generation) {
    return { status: 'InProgress', message: `generation ${generation} is not observed yet (${observed} is)` };
  }
  const rule = WORKLOAD_HEALTH[kindKey(object)];
  return rule ? rule(object) : byConditions(object);
}

const kindKey = (object: KubernetesObject): string =>
  object.apiVersion.includes('/') ? `${object.apiVersion.split('/')[0] ?? ''}/${object.kind}` : object.kind;

function byConditions(object: KubernetesObject): Health {
  const stalled = conditionOf(object, 'Stalled');
  if (stalled?.status === 'True') return { status: 'Failed', message: text(stalled, 'it is stalled') };
  const reconciling = conditionOf(object, 'Reconciling');
  if (reconciling?.status === 'True')
    return { status: 'InProgress', message: text(reconciling, 'it is being reconciled') };
  const ready = conditionOf(object, 'Ready');
  if (ready && ready.status !== 'True')
    return { status: 'InProgress', message: text(ready, 'it is not Ready') };
  return { status: 'Current', message: 'it is as asked for' };
}
