import type { Duration } from '#kernel';
import { LimitError, type RenderCache } from '#config';

export interface RenderDeadline {
  /** For the renderer: throws once the time is up. */
  readonly checkpoint: () => void;
  /** The cache, but for what was cut short: another time the same render may be in time. */
  guarded(cache: RenderCache): RenderCache;
}

/** Time of this process, not of the fleet's clock: a render occupies the process. */
export function renderDeadline(limit: Duration): RenderDeadline {
  const end = performance.now() + limit;
  let late = false;
  return {
    checkpoint: () => {
      if (performance.now() <= end) return;
      late = true;
      throw new LimitError(`rendering takes longer than ${limit / 1000} s`);
    },
    guarded: (cache) => ({
      get: (key) => cache.get(key),
      set: (key, value) => {
        if (!late) cache.set(key, value);
      },
    }),
  };
}
