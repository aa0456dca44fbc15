export { createQueue, type QueueLocation } from './create-queue.js';
export type { DoorbellQueue, QueueSettings } from './doorbell-queue.js';
