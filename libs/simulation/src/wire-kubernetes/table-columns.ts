import { arrayAt, objectAt, stringAt, valueAt } from '../kubernetes/api/object.js';
import { resourceName, type ResourceType } from '../kubernetes/api/resource-type.js';
import { labelSelectorText } from '../kubernetes/api/selectors.js';
import {
  accessModes,
  address,
  AGE,
  budgetBound,
  col,
  CONTAINERS,
  count,
  dataSize,
  externalIp,
  IMAGES,
  jobDuration,
  jobStatus,
  NAME,
  nodeRoles,
  nodeStatus,
  ratio,
  SELECTOR,
  servicePorts,
  shortAge,
  text,
  wide,
  type Column,
} from './column-readers.js';
import { podStatus, readyContainers, restartsOf } from './pod-columns.js';

const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  pods: [
    NAME,
    col('Ready', readyContainers),
    col('Status', podStatus),
    col('Restarts', restartsOf),
    AGE,
    wide('IP', text('<none>', 'status', 'podIP')),
    wide('Node', text('<none>', 'spec', 'nodeName')),
    wide('Nominated Node', text('<none>', 'status', 'nominatedNodeName')),
    wide('Readiness Gates', () => '<none>'),
  ],
  nodes: [
    NAME,
    col('Status', nodeStatus),
    col('Roles', nodeRoles),
    AGE,
    col('Version', text('', 'status', 'nodeInfo', 'kubeletVersion')),
    wide('Internal-IP', address('InternalIP')),
    wide('External-IP', address('ExternalIP')),
    wide('OS-Image', text('<unknown>', 'status', 'nodeInfo', 'osImage')),
    wide('Kernel-Version', text('<unknown>', 'status', 'nodeInfo', 'kernelVersion')),
    wide('Container-Runtime', text('<unknown>', 'status', 'nodeInfo', 'containerRuntimeVersion')),
  ],
  namespaces: [NAME, col('Status', text('', 'status', 'phase')), AGE],
  'deployments.apps': [
    NAME,
    col('Ready', ratio(['status', 'readyReplicas'], ['spec', 'replicas'])),
    col('Up-to-date', count('status', 'updatedReplicas'), 'integer'),
    col('Available', count('status', 'availableReplicas'), 'integer'),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
  ],
  'replicasets.apps': [
    NAME,
    col('Desired', count('spec', 'replicas'), 'integer'),
    col('Current', count('status', 'replicas'), 'integer'),
    col('Ready', count('status', 'readyReplicas'), 'integer'),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
  ],
  'statefulsets.apps': [
    NAME,
    col('Ready', ratio(['status', 'readyReplicas'], ['spec', 'replicas'])),
    AGE,
    CONTAINERS,
    IMAGES,
  ],
  'daemonsets.apps': [
    NAME,
    col('Desired', count('status', 'desiredNumberScheduled'), 'integer'),
    col('Current', count('status', 'currentNumberScheduled'), 'integer'),
    col('Ready', count('status', 'numberReady'), 'integer'),
    col('Up-to-date', count('status', 'updatedNumberScheduled'), 'integer'),
    col('Available', count('status', 'numberAvailable'), 'integer'),
    col(
      'Node Selector',
      (object) =>
        labelSelectorText({ matchLabels: objectAt(object, 'spec', 'template', 'spec', 'nodeSelector') }) ||
        '<none>',
    ),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
  ],
  'jobs.batch': [
    NAME,
    col('Status', jobStatus),
    col('Completions', ratio(['status', 'succeeded'], ['spec', 'completions'])),
    col('Duration', jobDuration),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
  ],
  'cronjobs.batch': [
    NAME,
    col('Schedule', text('', 'spec', 'schedule')),
    col('Timezone', text('<none>', 'spec', 'timeZone')),
    col('Suspend', (object) => String(valueAt(object, 'spec', 'suspend') === true), 'boolean'),
    col('Active', (object) => arrayAt(object, 'status', 'active').length, 'integer'),
    col('Last Schedule', (object, now) => {
      const last = stringAt(object, 'status', 'lastScheduleTime');
      return last ? shortAge(last, now) : '<none>';
    }),
    AGE,
  ],
  'poddisruptionbudgets.policy': [
    NAME,
    col('Min Available', budgetBound('minAvailable')),
    col('Max Unavailable', budgetBound('maxUnavailable')),
    col('Allowed Disruptions', count('status', 'disruptionsAllowed'), 'integer'),
    AGE,
  ],
  'horizontalpodautoscalers.autoscaling': [
    NAME,
    col(
      'Reference',
      (object) =>
        `${stringAt(object, 'spec', 'scaleTargetRef', 'kind') ?? ''}/${stringAt(object, 'spec', 'scaleTargetRef', 'name') ?? ''}`,
    ),
    col('MinPods', count('spec', 'minReplicas'), 'integer'),
    col('MaxPods', count('spec', 'maxReplicas'), 'integer'),
    col('Replicas', count('status', 'currentReplicas'), 'integer'),
    AGE,
  ],
  services: [
    NAME,
    col('Type', text('', 'spec', 'type')),
    col('Cluster-IP', text('<none>', 'spec', 'clusterIP')),
    col('External-IP', externalIp),
    col('Port(s)', servicePorts),
    AGE,
    wide(
      'Selector',
      (object) => labelSelectorText({ matchLabels: objectAt(object, 'spec', 'selector') }) || '<none>',
    ),
  ],
  configmaps: [NAME, col('Data', dataSize, 'integer'), AGE],
  secrets: [NAME, col('Type', text('', 'type')), col('Data', dataSize, 'integer'), AGE],
  persistentvolumes: [
    NAME,
    col('Capacity', text('', 'spec', 'capacity', 'storage')),
    col('Access Modes', accessModes),
    col('Reclaim Policy', text('', 'spec', 'persistentVolumeReclaimPolicy')),
    col('Status', text('', 'status', 'phase')),
    col('Claim', (object) => {
      const claim = objectAt(object, 'spec', 'claimRef');
      return claim['name'] ? `${String(claim['namespace'])}/${String(claim['name'])}` : '';
    }),
    col('StorageClass', text('', 'spec', 'storageClassName')),
    AGE,
  ],
  persistentvolumeclaims: [
    NAME,
    col('Status', text('', 'status', 'phase')),
    col('Volume', text('', 'spec', 'volumeName')),
    col('Capacity', text('', 'status', 'capacity', 'storage')),
    col('Access Modes', accessModes),
    col('StorageClass', text('', 'spec', 'storageClassName')),
    AGE,
  ],
  events: [
    col('Last Seen', (object, now) =>
      shortAge(stringAt(object, 'lastTimestamp') ?? object.metadata.creationTimestamp, now),
    ),
    col('Type', text('', 'type')),
    col('Reason', text('', 'reason')),
    col('Object', (object) => {
      const about = objectAt(object, 'involvedObject');
      return `${String(about['kind']).toLowerCase()}/${String(about['name'])}`;
    }),
    col('Message', text('', 'message')),
  ],
  'leases.coordination.k8s.io': [NAME, col('Holder', text('', 'spec', 'holderIdentity')), AGE],
  'storageclasses.storage.k8s.io': [
    NAME,
    col('Provisioner', text('', 'provisioner')),
    col('ReclaimPolicy', text('', 'reclaimPolicy')),
    col('VolumeBindingMode', text('', 'volumeBindingMode')),
    AGE,
  ],
  'customresourcedefinitions.apiextensions.k8s.io': [
    NAME,
    col('Created At', (object) => object.metadata.creationTimestamp),
  ],
};

export const columnsFor = (type: ResourceType): readonly Column[] =>
  COLUMNS[resourceName(type)] ?? [NAME, AGE];
