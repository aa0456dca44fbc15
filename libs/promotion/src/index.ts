export * from './approvals.js';
export * from './arrival.js';
export * from './channel-note.js';
export * from './channel.advance.js';
export * from './cluster-facts.js';
export * from './conformance/index.js';
export * from './convergence.js';
export * from './default-policy.js';
export * from './evidence.js';
export * from './gates.evaluator.js';
export {
  QUOTA_CHECK,
  RENDER_CHECK,
  SKEW_CHECK,
  type BackupFact,
  type OutsideAnswer,
} from './outside.gates.js';
export * from './policy.js';
export { parsePolicy } from './policy.parser.js';
export * from './soak.js';
export * from './waves.planner.js';
export * from './windows.js';
