import type { StatusCause } from '../api-error.js';
import {
  clone,
  isJsonObject,
  objectAt,
  sameJson,
  stringAt,
  valueAt,
  type JsonObject,
  type KubeObject,
} from '../object.js';
import { forbiddenChange, IMMUTABLE, invalidValue } from './faults.js';

type Rule = (next: KubeObject, live: KubeObject) => readonly StatusCause[];

const changed = (next: unknown, live: unknown, path: readonly string[]): boolean =>
  !sameJson(valueAt(next, ...path), valueAt(live, ...path));

/** Fields that keep the value of creation. */
const fixed =
  (...paths: readonly string[]): Rule =>
  (next, live) =>
    paths.flatMap((text) => {
      const path = text.split('.');
      return changed(next, live, path) ? [invalidValue(text, valueAt(next, ...path), IMMUTABLE)] : [];
    });

const forbidden =
  (...paths: readonly string[]): Rule =>
  (next, live) =>
    paths.flatMap((text) =>
      changed(next, live, text.split('.'))
        ? [forbiddenChange(text, `updates to ${text} are forbidden.`)]
        : [],
    );

const both =
  (...rules: readonly Rule[]): Rule =>
  (next, live) =>
    rules.flatMap((rule) => rule(next, live));

function specWithout(object: KubeObject, names: readonly string[]): JsonObject {
  const spec = clone(objectAt(object, 'spec')) as JsonObject;
  for (const name of names) delete spec[name];
  return spec;
}

const STATEFUL_SET_MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

const statefulSet: Rule = (next, live) => {
  if (sameJson(specWithout(next, STATEFUL_SET_MUTABLE), specWithout(live, STATEFUL_SET_MUTABLE))) return [];
  return [
    forbiddenChange(
      'spec',
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ),
  ];
};

const claim: Rule = (next, live) => {
  const bound = stringAt(live, 'status', 'phase') === 'Bound';
  const mutable = bound ? ['resources', 'volumeAttributesClassName'] : [];
  // Binding a claim writes the volume's name once.
  if (!stringAt(live, 'spec', 'volumeName')) mutable.push('volumeName');
  if (sameJson(specWithout(next, mutable), specWithout(live, mutable))) return [];
  return [
    forbiddenChange(
      'spec',
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
    ),
  ];
};

const service: Rule = (next, live) => {
  const before = stringAt(live, 'spec', 'clusterIP');
  const after = valueAt(next, 'spec', 'clusterIP');
  const external = [next, live].some((one) => stringAt(one, 'spec', 'type') === 'ExternalName');
  if (external || !before || before === after || after === undefined) return [];
  return [invalidValue('spec.clusterIPs[0]', [after], 'may not change once set')];
};

const sealed =
  (...fields: readonly string[]): Rule =>
  (next, live) => {
    if (live['immutable'] !== true) return [];
    const why = 'field is immutable when `immutable` is set';
    return [...fields, 'immutable']
      .filter((field) => changed(next, live, [field]))
      .map((field) => forbiddenChange(field, why));
  };

const roleRef: Rule = (next, live) =>
  changed(next, live, ['roleRef']) ? [invalidValue('roleRef', next['roleRef'], 'cannot change roleRef')] : [];

const POD_TEXT =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

const pod: Rule = (next, live) => {
  const comparable = (object: KubeObject): JsonObject => {
    const spec = specWithout(object, [
      'activeDeadlineSeconds',
      'tolerations',
      'schedulingGates',
      'ephemeralContainers',
    ]);
    for (const list of ['containers', 'initContainers']) {
      for (const one of Array.isArray(spec[list]) ? spec[list] : [])
        if (isJsonObject(one)) delete one['image'];
    }
    return spec;
  };
  return sameJson(comparable(next), comparable(live)) ? [] : [forbiddenChange('spec', POD_TEXT)];
};

const job: Rule = (next, live) => {
  const suspended = valueAt(live, 'spec', 'suspend') === true && !stringAt(live, 'status', 'startTime');
  const always = [
    'spec.selector',
    'spec.completionMode',
    'spec.podFailurePolicy',
    'spec.backoffLimitPerIndex',
  ];
  const elastic = valueAt(next, 'spec', 'completionMode') === 'Indexed';
  return fixed(
    ...(elastic ? [] : ['spec.completions']),
    ...always,
    ...(suspended ? [] : ['spec.template']),
  )(next, live);
};

const volumeSource: Rule = (next, live) => {
  const mutable = [
    'accessModes',
    'capacity',
    'claimRef',
    'persistentVolumeReclaimPolicy',
    'mountOptions',
    'nodeAffinity',
    'storageClassName',
    'volumeAttributesClassName',
    'volumeMode',
  ];
  return sameJson(specWithout(next, mutable), specWithout(live, mutable))
    ? []
    : [
        forbiddenChange(
          'spec.persistentvolumesource',
          'spec.persistentvolumesource is immutable after creation',
        ),
      ];
};

const node: Rule = (next, live) => {
  const before = stringAt(live, 'spec', 'providerID');
  return before && changed(next, live, ['spec', 'providerID'])
    ? [forbiddenChange('spec.providerID', 'node updates may not change providerID except from "" to valid')]
    : [];
};

const RULES: Readonly<Record<string, Rule>> = {
  Pod: pod,
  Deployment: fixed('spec.selector'),
  ReplicaSet: fixed('spec.selector'),
  DaemonSet: fixed('spec.selector'),
  StatefulSet: statefulSet,
  Job: job,
  PersistentVolumeClaim: claim,
  PersistentVolume: volumeSource,
  Service: service,
  ConfigMap: sealed('data', 'binaryData'),
  Secret: both(fixed('type'), sealed('data')),
  RoleBinding: roleRef,
  ClusterRoleBinding: roleRef,
  StorageClass: both(forbidden('provisioner', 'parameters', 'reclaimPolicy'), fixed('volumeBindingMode')),
  VolumeAttachment: fixed('spec.attacher', 'spec.source', 'spec.nodeName'),
  CSIDriver: fixed('spec.attachRequired', 'spec.volumeLifecycleModes'),
  PriorityClass: (next, live) => [
    ...(changed(next, live, ['value']) ? [forbiddenChange('value', 'may not be changed in an update.')] : []),
    ...(changed(next, live, ['preemptionPolicy'])
      ? [invalidValue('preemptionPolicy', next['preemptionPolicy'], IMMUTABLE)]
      : []),
  ],
  RuntimeClass: fixed('handler'),
  ControllerRevision: fixed('data'),
  EndpointSlice: fixed('addressType'),
  IngressClass: fixed('spec.controller'),
  Node: node,
  CustomResourceDefinition: fixed('spec.group', 'spec.scope', 'spec.names.plural', 'spec.names.kind'),
};

/** Changes that the kind does not allow after creation. */
export const immutableFaults = (next: KubeObject, live: KubeObject): readonly StatusCause[] =>
  RULES[next.kind]?.(next, live) ?? [];
