import { isJsonObject, type JsonObject } from '../object.js';
import {
  defaultBinding,
  defaultCsiDriver,
  defaultCustomResourceDefinition,
  defaultEndpointSlice,
  defaultEndpoints,
  defaultLimitRange,
  defaultNetworkPolicy,
  defaultSecret,
  defaultService,
  defaultWebhooks,
} from './other-defaults.js';
import { defaultPodSpec, fill } from './pod-defaults.js';
import {
  defaultAutoscaler,
  defaultCronJob,
  defaultDaemonSet,
  defaultDeployment,
  defaultJob,
  defaultReplicaSet,
  defaultStatefulSet,
  defaultTemplate,
  ensureObject,
} from './workload-defaults.js';

type Defaulter = (object: JsonObject) => void;

const onSpec =
  (defaulter: Defaulter): Defaulter =>
  (object) => {
    if (isJsonObject(object['spec'])) defaulter(object['spec']);
  };

const DEFAULTERS: Readonly<Record<string, Defaulter>> = {
  Pod: onSpec(defaultPodSpec),
  PodTemplate: defaultTemplate,
  Deployment: onSpec(defaultDeployment),
  ReplicaSet: onSpec(defaultReplicaSet),
  StatefulSet: onSpec(defaultStatefulSet),
  DaemonSet: onSpec(defaultDaemonSet),
  Job: onSpec(defaultJob),
  CronJob: onSpec(defaultCronJob),
  HorizontalPodAutoscaler: onSpec(defaultAutoscaler),
  Service: onSpec(defaultService),
  Secret: defaultSecret,
  PersistentVolume: onSpec((spec) => {
    fill(spec, 'persistentVolumeReclaimPolicy', 'Retain');
    fill(spec, 'volumeMode', 'Filesystem');
  }),
  PersistentVolumeClaim: onSpec((spec) => fill(spec, 'volumeMode', 'Filesystem')),
  StorageClass: (object) => {
    fill(object, 'reclaimPolicy', 'Delete');
    fill(object, 'volumeBindingMode', 'Immediate');
  },
  PriorityClass: (object) => fill(object, 'preemptionPolicy', 'PreemptLowerPriority'),
  CustomResourceDefinition: defaultCustomResourceDefinition,
  ValidatingWebhookConfiguration: defaultWebhooks,
  MutatingWebhookConfiguration: defaultWebhooks,
  NetworkPolicy: onSpec(defaultNetworkPolicy),
  CSIDriver: onSpec(defaultCsiDriver),
  RoleBinding: defaultBinding,
  ClusterRoleBinding: defaultBinding,
  Endpoints: defaultEndpoints,
  EndpointSlice: defaultEndpointSlice,
  LimitRange: onSpec(defaultLimitRange),
  APIService: onSpec((spec) => {
    if (isJsonObject(spec['service'])) fill(spec['service'], 'port', 443);
  }),
};

/** Fills in what the server would. Idempotent; changes the draft. */
export function applyDefaults(object: JsonObject): void {
  DEFAULTERS[String(object['kind'])]?.(object);
}

const INITIAL_STATUS: Readonly<Record<string, JsonObject>> = {
  Namespace: { phase: 'Active' },
  PersistentVolume: { phase: 'Pending' },
  PersistentVolumeClaim: { phase: 'Pending' },
  Service: { loadBalancer: {} },
  Ingress: { loadBalancer: {} },
  Deployment: {},
  ReplicaSet: { replicas: 0 },
  StatefulSet: { replicas: 0, availableReplicas: 0 },
  DaemonSet: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
  Job: {},
  CronJob: {},
  PodDisruptionBudget: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
};

/** Creation ignores what the client says about the state of things. Nodes and events report it themselves. */
export function initialStatus(object: JsonObject): void {
  const kind = String(object['kind']);
  const initial = INITIAL_STATUS[kind];
  if (initial) object['status'] = structuredClone(initial);
  if (kind !== 'Namespace') return;
  const spec = ensureObject(object, 'spec');
  fill(spec, 'finalizers', ['kubernetes']);
}
