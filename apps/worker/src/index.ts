export * from './start-worker.js';
export type { WorkerRuntime } from './worker-runtime.js';
