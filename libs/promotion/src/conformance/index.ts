export * from './conformance-objects.js';
export * from './frame.js';
export * from './junit.reader.js';
export * from './progress.js';
export * from './verdict.js';
export { followLog, type LogTail } from './log-tail.js';
