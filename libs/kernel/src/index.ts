export * from './digest.js';
export * from './failure.js';
export * from './ids.js';
export * from './outcome.js';
export * from './result.js';
export * from './time.js';
export * from './assert-never.js';
