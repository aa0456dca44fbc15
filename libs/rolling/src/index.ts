export * from './action.js';
export * from './boot-throttle.js';
export { demandOf, marketOf, type PoolDemand } from './capacity-demand.js';
export * from './decide.js';
export * from './decision.js';
export * from './duration.js';
export { observeEviction } from './eviction.js';
export {
  foreseeCapacity,
  type CapacityFinding,
  type CapacityForecast,
  type CapacityUnknown,
} from './foresee-capacity.js';
export * from './memory.js';
export { outdated } from './outdated.js';
export { policyFor } from './policy-for.js';
export type * from './policy.js';
export { previewRoll } from './preview.js';
export { observeLaunch } from './zone-surge.js';
export type * from './scope.js';
