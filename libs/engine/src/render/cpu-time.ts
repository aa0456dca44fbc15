import { readFileSync, readlinkSync } from 'node:fs';

/** Reads how long a thread has been on a CPU, in milliseconds, so that a busy machine costs nobody a render. */
export type CpuTime = () => number;

/** The number by which the system knows the calling thread; undefined where it tells nothing of threads. */
export function ownThread(): string | undefined {
  try {
    return /task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1];
  } catch {
    return undefined;
  }
}

/** CPU time of a thread of this process; wall-clock time where the system does not tell it. */
export function cpuTimeOf(thread: string | undefined): CpuTime {
  const file = `/proc/self/task/${thread}/schedstat`;
  const read = (): number => Number(readFileSync(file, 'latin1').split(' ')[0]) / 1e6;
  try {
    if (thread === undefined || Number.isNaN(read())) return () => performance.now();
    return () => {
      try {
        return read();
      } catch {
        return 0; // The thread is gone: it takes no more time.
      }
    };
  } catch {
    return () => performance.now();
  }
}
