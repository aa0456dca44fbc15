import type { Failure } from './failure.js';
import type { Duration } from './time.js';

/** How one step ended in one pass. A pass never sleeps: it says what it waits for and when to look again. */
export type Outcome =
  | { readonly kind: 'done'; readonly summary: string; readonly changed: boolean }
  | {
      readonly kind: 'waiting';
      readonly for: string;
      readonly recheckIn: Duration;
      readonly progress?: Progress;
    }
  | {
      readonly kind: 'blocked';
      readonly by: string;
      /** Who or what can unblock it, for people. */
      readonly unblock: string;
      readonly recheckIn: Duration;
      readonly progress?: Progress;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** Work done of work known, for example nodes replaced. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly unit: string;
}

export const done = (summary: string, changed = false): Outcome => ({ kind: 'done', summary, changed });
export const failed = (failure: Failure): Outcome => ({ kind: 'failed', failure });
export const waiting = (what: string, recheckIn: Duration, progress?: Progress): Outcome => ({
  kind: 'waiting',
  for: what,
  recheckIn,
  ...(progress && { progress }),
});
