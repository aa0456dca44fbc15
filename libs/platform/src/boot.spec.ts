import { FailureError, minutes, seconds, type FailureClass } from '#kernel';
import { describe, expect, it } from 'vitest';
import { startPatiently } from './boot.js';
import { createLog } from './logger.js';

const failing = (kind: FailureClass) =>
  new FailureError({ class: kind, code: 'database-unreachable', message: 'away' });
const log = createLog('silent', {});

describe('startPatiently', () => {
  it('waits for what is away, longer every time', async () => {
    const pauses: number[] = [];
    let tries = 0;
    const started = await startPatiently(
      async () => {
        tries += 1;
        if (tries < 7) throw failing('transient');
        return 'up';
      },
      minutes(2),
      log,
      async (pause) => pauses.push(pause),
    );
    expect(started).toBe('up');
    expect(pauses).toEqual([1, 2, 4, 8, 10, 10].map(seconds));
  });

  it('gives up when its patience is over, and at once where waiting cures nothing', async () => {
    const counted = async (kind: FailureClass) => {
      let tries = 0;
      const start = async () => {
        tries += 1;
        throw failing(kind);
      };
      await expect(startPatiently(start, seconds(10), log, async () => undefined)).rejects.toThrow('away');
      return tries;
    };
    expect(await counted('transient')).toBe(4);
    expect(await counted('denied')).toBe(1);
  });
});
