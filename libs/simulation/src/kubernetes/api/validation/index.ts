import { invalid, type StatusCause } from '../api-error.js';
import { objectAt, sameJson, type KubeObject } from '../object.js';
import type { ResourceType } from '../resource-type.js';
import type { StructSchema } from '../schema/schema.js';
import { forbiddenChange } from './faults.js';
import { immutableFaults } from './immutable.js';
import { metadataFaults } from './names.js';
import { requiredFaults } from './required-fields.js';
import {
  budgetFaults,
  definitionFaults,
  podSpecFaults,
  servicePortFaults,
  templateFaults,
} from './workloads.js';

function faultsOf(object: KubeObject, type: ResourceType, schema: StructSchema): readonly StatusCause[] {
  const faults = [...metadataFaults(object, type), ...requiredFaults(object, schema)];
  if (type.custom) return faults;
  switch (object.kind) {
    case 'Pod':
      faults.push(...podSpecFaults(objectAt(object, 'spec'), 'spec'));
      break;
    case 'Deployment':
    case 'ReplicaSet':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'Job':
      faults.push(...templateFaults(object));
      break;
    case 'Service':
      faults.push(...servicePortFaults(object));
      break;
    case 'PodDisruptionBudget':
      faults.push(...budgetFaults(object));
      break;
    case 'CustomResourceDefinition':
      faults.push(...definitionFaults(object));
      break;
  }
  return distinct(faults);
}

function distinct(faults: readonly StatusCause[]): readonly StatusCause[] {
  const seen = new Set<string>();
  return faults.filter((fault) => {
    const key = `${fault.reason} ${fault.field}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Throws 422 with every fault of a new object. */
export function validateCreate(object: KubeObject, type: ResourceType, schema: StructSchema): void {
  const faults = faultsOf(object, type, schema);
  if (faults.length > 0) throw invalid(type.kind, type.group, object.metadata.name, faults);
}

/** Throws 422 for what a changed object may not be, and for what may not change. */
export function validateUpdate(
  next: KubeObject,
  live: KubeObject,
  type: ResourceType,
  schema: StructSchema,
  options: { readonly subresource?: string },
): void {
  if (options.subresource === 'status') return;
  const faults = [
    ...(sameJson(next['spec'], live['spec']) ? metadataFaults(next, type) : faultsOf(next, type, schema)),
  ];
  // Binding is the one way to give a pod its node.
  if (!type.custom && options.subresource !== 'binding') faults.push(...immutableFaults(next, live));
  const known = live.metadata.finalizers ?? [];
  const added = (next.metadata.finalizers ?? []).filter((one) => !known.includes(one));
  if (live.metadata.deletionTimestamp !== undefined && added.length > 0) {
    const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`;
    faults.push(forbiddenChange('metadata.finalizers', why));
  }
  if (faults.length > 0) throw invalid(type.kind, type.group, next.metadata.name, distinct(faults));
}
