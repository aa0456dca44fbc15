import { setTimeout as sleep } from 'node:timers/promises';
import { seconds, toFailure, type Duration } from '#kernel';
import type { FieldLog } from './logger.js';
import { readSettings } from './read-settings.js';
import type { Settings } from './settings.schema.js';

/** Settings of this process; prints every fault and exits with 2 when there are any. */
export function settingsOrExit(): Settings {
  const settings = readSettings(process.env);
  if (settings.ok) return settings.value;
  process.stderr.write('Fairway cannot start with this configuration:\n');
  for (const fault of settings.error) process.stderr.write(`  - ${fault}\n`);
  process.exit(2);
}

/** Runs `stop` once on the first SIGINT or SIGTERM; a second signal, or `limitMs`, ends the process at once. */
export function onShutdown(stop: () => Promise<void>, limitMs = 20_000): void {
  let stopping = false;
  const handle = (): void => {
    if (stopping) process.exit(130);
    stopping = true;
    setTimeout(() => process.exit(1), limitMs).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`shutdown failed: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
}

/** Starts a role; what keeps it from starting is one line for people, with the stack only where it is our own fault. */
export async function startOrExit<T>(role: string, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const failure = toFailure(error);
    const stack = failure.class === 'bug' && error instanceof Error ? `\n${error.stack}` : '';
    const hint = failure.hint === undefined ? '' : ` ${failure.hint}`;
    process.stderr.write(`Fairway's ${role} cannot start: ${failure.message}.${hint}${stack}\n`);
    process.exit(1);
  }
}

const FIRST_PAUSE = seconds(1);
const LONGEST_PAUSE = seconds(10);

/**
 * Tries again while what a role starts on is away: a database comes up beside us in any order. Anything but a transient
 * failure is thrown at once, and the last one when `patience` is over. Every try that fails is logged.
 */
export async function startPatiently<T>(
  start: () => Promise<T>,
  patience: Duration,
  log: FieldLog,
  pause: (duration: Duration) => Promise<unknown> = sleep,
): Promise<T> {
  let waited = 0;
  for (let next = FIRST_PAUSE; ; next = Math.min(next * 2, LONGEST_PAUSE)) {
    try {
      return await start();
    } catch (thrown) {
      const failure = toFailure(thrown);
      if (failure.class !== 'transient' || waited + next > patience) throw thrown;
      log.warn('cannot start yet; trying again', {
        code: failure.code,
        reason: failure.message,
        againInMs: next,
        patienceLeftMs: patience - waited,
      });
      await pause(next);
      waited += next;
    }
  }
}
