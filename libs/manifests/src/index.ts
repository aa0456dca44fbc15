export { APPLY_SET_ID, applySetParent, PART_OF_LABEL } from './apply-set.js';
export { compareApply, contentDigest } from './compare-apply.js';
export { matchDeletion } from './deletions.js';
export {
  desiredBody,
  fieldsToDrop,
  KUBECTL_APPLY_MANAGERS,
  needsAdoption,
  pointerWays,
  type DesiredBody,
} from './desired-body.js';
export { decideDrift, type DriftDecision, type DriftedObject } from './drift.js';
export { managersOf } from './field-owners.js';
export { healthOf } from './health.js';
export { classifyImmutable, mayRecreate } from './immutable.js';
export { inventoryOf, shrinkInventory, unionInventory } from './inventory.js';
export {
  CLUSTER_LABEL,
  COMPONENT_LABEL,
  FIELD_MANAGER,
  FORCE_ANNOTATION,
  isOurs,
  labelObject,
  labelValue,
  MANAGED_BY_LABEL,
  PRUNE_ANNOTATION,
} from './labels.js';
export { decidePrune } from './prune.js';
export { MeaningIndex } from './same-object.js';
export { planStages } from './stages.js';
export type * from './types.js';
