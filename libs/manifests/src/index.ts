export { compareApply } from './compare-apply.js';
export { matchDeletion } from './deletions.js';
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
export { planStages } from './stages.js';
export type * from './types.js';
