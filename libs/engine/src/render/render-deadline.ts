import { LimitError } from '#config';
import type { CpuTime } from './cpu-time.js';

/** Reading a thread's CPU time costs a system call or two: not more often than this, in milliseconds. */
const LOOK_EVERY = 10;

/** For the renderer: throws once `limit` milliseconds of CPU time are used up, counted from now. */
export function renderDeadline(limit: number, used: CpuTime): () => void {
  const end = used() + limit;
  let next = performance.now() + LOOK_EVERY;
  let late = false;
  return () => {
    if (!late && performance.now() < next) return;
    next = performance.now() + LOOK_EVERY;
    late ||= used() > end;
    if (late) throw new LimitError(`rendering takes longer than ${limit / 1000} s`);
  };
}
