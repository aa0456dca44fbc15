export { controlPlaneGate } from './control-plane-gate.js';
export { orderMasters } from './masters.js';
export { checkSkew } from './skew.js';
export type * from './types.js';
export { upgradePath } from './upgrade-path.js';
export { compareVersions, kubeletTolerance, minorOf, parseVersion } from './version.js';
