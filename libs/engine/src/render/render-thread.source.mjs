// How the render thread starts from source: a loader counts for one thread only, so it brings its own.
import { register } from 'tsx/esm/api';

register();
await import('./render-thread.main.ts');
