import type { KubernetesObject } from '#fleet';
import { at, conditionOf, numberAt, stringAt, text } from './object-fields.js';
import type { Health, HealthStatus } from './types.js';

const is = (status: HealthStatus, message: string): Health => ({ status, message });
const current = (message: string): Health => is('Current', message);
const progressing = (message: string): Health => is('InProgress', message);

/** Rules by group and kind; kinds that are not here go by their conditions. */
export const WORKLOAD_HEALTH: Readonly<Record<string, (object: KubernetesObject) => Health>> = {
  'apps/Deployment': deployment,
  'apps/StatefulSet': statefulSet,
  'apps/DaemonSet': daemonSet,
  'apps/ReplicaSet': replicaSet,
  'batch/Job': job,
  'apiextensions.k8s.io/CustomResourceDefinition': customResourceDefinition,
  'apiregistration.k8s.io/APIService': apiService,
  'policy/PodDisruptionBudget': disruptionBudget,
  Pod: pod,
  PersistentVolumeClaim: claim,
  Service: service,
  Namespace: namespace,
};

const observes = (object: KubernetesObject): boolean =>
  numberAt(object, 'status', 'observedGeneration') !== undefined;

function deployment(object: KubernetesObject): Health {
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const progress = conditionOf(object, 'Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded')
    return is('Failed', text(progress, 'progress deadline exceeded'));
  if (!observes(object)) return progressing('the controller has not seen it yet');
  const updated = numberAt(object, 'status', 'updatedReplicas') ?? 0;
  const total = numberAt(object, 'status', 'replicas') ?? 0;
  const available = numberAt(object, 'status', 'availableReplicas') ?? 0;
  const ready = numberAt(object, 'status', 'readyReplicas') ?? 0;
  if (updated < wanted) return progressing(`${updated} of ${wanted} replicas are updated`);
  if (total > updated) return progressing(`${total - updated} old replicas are still to go`);
  if (available < wanted) return progressing(`${available} of ${wanted} replicas are available`);
  if (ready < wanted) return progressing(`${ready} of ${wanted} replicas are ready`);
  const availability = conditionOf(object, 'Available');
  if (availability && availability.status !== 'True')
    return progressing(text(availability, 'it is not available'));
  return current(`${wanted} replicas are available`);
}

function statefulSet(object: KubernetesObject): Health {
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const onDelete = stringAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete';
  if (!observes(object)) return progressing('the controller has not seen it yet');
  const ready = numberAt(object, 'status', 'readyReplicas') ?? 0;
  const replicas = numberAt(object, 'status', 'replicas') ?? 0;
  if (replicas < wanted || ready < wanted) return progressing(`${ready} of ${wanted} replicas are ready`);
  if (replicas > wanted) return progressing(`${replicas - wanted} replicas are still to go`);
  if (onDelete) return current(`${ready} replicas are ready`);
  const partition = numberAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const updated = numberAt(object, 'status', 'updatedReplicas') ?? 0;
  if (updated < wanted - partition)
    return progressing(`${updated} of ${wanted - partition} replicas are updated`);
  const same = stringAt(object, 'status', 'currentRevision') === stringAt(object, 'status', 'updateRevision');
  if (partition === 0 && !same) return progressing('the new revision is not the current one yet');
  return current(`${ready} replicas are ready`);
}

function daemonSet(object: KubernetesObject): Health {
  if (!observes(object)) return progressing('the controller has not seen it yet');
  const wanted = numberAt(object, 'status', 'desiredNumberScheduled');
  if (wanted === undefined) return progressing('it is not scheduled yet');
  const scheduled = numberAt(object, 'status', 'currentNumberScheduled') ?? 0;
  const updated = numberAt(object, 'status', 'updatedNumberScheduled') ?? 0;
  const available = numberAt(object, 'status', 'numberAvailable') ?? 0;
  const ready = numberAt(object, 'status', 'numberReady') ?? 0;
  const onDelete = stringAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete';
  if (scheduled < wanted) return progressing(`${scheduled} of ${wanted} pods are scheduled`);
  if (!onDelete && updated < wanted) return progressing(`${updated} of ${wanted} pods are updated`);
  if (available < wanted) return progressing(`${available} of ${wanted} pods are available`);
  return ready < wanted
    ? progressing(`${ready} of ${wanted} pods are ready`)
    : current(`${wanted} pods are ready`);
}

function replicaSet(object: KubernetesObject): Health {
  const failure = conditionOf(object, 'ReplicaFailure');
  if (failure?.status === 'True') return progressing(text(failure, 'pods cannot be created'));
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const available = numberAt(object, 'status', 'availableReplicas') ?? 0;
  const total = numberAt(object, 'status', 'replicas') ?? 0;
  if (available < wanted) return progressing(`${available} of ${wanted} replicas are available`);
  return total > wanted
    ? progressing(`${total - wanted} replicas are still to go`)
    : current(`${wanted} replicas`);
}

/** kstatus: a Job is Current as soon as it has started; it is Failed by its condition. */
function job(object: KubernetesObject): Health {
  const failed = conditionOf(object, 'Failed');
  if (failed?.status === 'True') return is('Failed', text(failed, 'the Job failed'));
  const complete = conditionOf(object, 'Complete');
  const succeeded = numberAt(object, 'status', 'succeeded') ?? 0;
  if (complete?.status === 'True') return current(`the Job is complete, ${succeeded} pods succeeded`);
  if (conditionOf(object, 'Suspended')?.status === 'True') return current('the Job is suspended');
  if (stringAt(object, 'status', 'startTime') === undefined) return progressing('the Job has not started');
  const active = numberAt(object, 'status', 'active') ?? 0;
  return current(`the Job runs: ${active} active, ${succeeded} succeeded`);
}

function customResourceDefinition(object: KubernetesObject): Health {
  const names = conditionOf(object, 'NamesAccepted');
  if (names?.status === 'False') return is('Failed', text(names, 'its names are not accepted'));
  const established = conditionOf(object, 'Established');
  if (established?.status === 'True') return current('it is established');
  if (established?.status === 'False' && established.reason !== 'Installing') {
    return is('Failed', text(established, 'it is not established'));
  }
  return progressing('it is not established yet');
}

function apiService(object: KubernetesObject): Health {
  const available = conditionOf(object, 'Available');
  return available?.status === 'True'
    ? current('it is available')
    : progressing(available ? text(available, 'not available') : 'not available yet');
}

function disruptionBudget(object: KubernetesObject): Health {
  return observes(object) ? current('it is observed') : progressing('the controller has not seen it yet');
}

function pod(object: KubernetesObject): Health {
  const phase = stringAt(object, 'status', 'phase');
  const ready = conditionOf(object, 'Ready');
  if (phase === 'Succeeded') return current('the pod succeeded');
  if (phase === 'Failed') return is('Failed', stringAt(object, 'status', 'message') ?? 'the pod failed');
  if (phase === 'Running' && ready?.status === 'True') return current('the pod is ready');
  const scheduled = conditionOf(object, 'PodScheduled');
  if (scheduled?.status === 'False') return progressing(text(scheduled, 'the pod cannot be scheduled'));
  return progressing(
    crashing(object) ?? (ready ? text(ready, 'the pod is not ready') : `phase ${phase ?? 'unknown'}`),
  );
}

function crashing(object: KubernetesObject): string | undefined {
  const statuses = at(object, 'status', 'containerStatuses');
  if (!Array.isArray(statuses)) return undefined;
  for (const status of statuses as readonly { name?: string; state?: { waiting?: { reason?: string } } }[]) {
    const reason = status.state?.waiting?.reason;
    if (reason !== undefined && reason !== 'ContainerCreating')
      return `container ${status.name ?? ''}: ${reason}`;
  }
  return undefined;
}

function claim(object: KubernetesObject): Health {
  const phase = stringAt(object, 'status', 'phase');
  if (phase === 'Lost') return is('Failed', 'its volume is lost');
  return phase === 'Bound' ? current('it is bound') : progressing(`phase ${phase ?? 'unknown'}`);
}

function service(object: KubernetesObject): Health {
  if (stringAt(object, 'spec', 'type') !== 'LoadBalancer') return current('it is as asked for');
  const ingress = at(object, 'status', 'loadBalancer', 'ingress');
  const assigned = Array.isArray(ingress) && ingress.length > 0;
  return assigned ? current('its load balancer is there') : progressing('its load balancer is not there yet');
}

function namespace(object: KubernetesObject): Health {
  const going = stringAt(object, 'status', 'phase') === 'Terminating';
  return going ? is('Terminating', 'it is being deleted') : current('it is active');
}
