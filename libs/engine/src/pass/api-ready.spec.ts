import { describe, expect, it } from 'vitest';
import { FailureError, seconds } from '#kernel';
import { apiReady } from './api-ready.js';
import { PassMemory } from './pass-memory.js';
import type { Pass } from './pass.js';

const denied = (): Promise<boolean> =>
  Promise.reject(new FailureError({ class: 'denied', code: 'api-denied', message: 'forbidden' }));

function passAt(
  now: number,
  memory: PassMemory,
  ready: () => Promise<boolean>,
  lifecycleStatus = 'ready',
): Pass {
  return {
    cluster: { id: 'c', apiServerUrl: 'https://api', lifecycleStatus },
    kubernetes: { ready },
    memory,
    report: { problems: [] },
    ports: { clock: { now: () => now } },
  } as unknown as Pass;
}

describe('an API server that answers "forbidden"', () => {
  it('is waited for while it may be starting, and no longer', async () => {
    const memory = new PassMemory({});
    expect(await apiReady(passAt(0, memory, denied))).toBe(false);
    expect(await apiReady(passAt(seconds(29), memory, denied))).toBe(false);
    await expect(apiReady(passAt(seconds(30), memory, denied))).rejects.toThrow('forbidden');
  });

  it('is believed at once by a cluster that it never let in', async () => {
    const stranger = passAt(0, new PassMemory({}), denied, 'requested');
    await expect(apiReady(stranger)).rejects.toThrow('forbidden');
    const memory = new PassMemory({});
    await apiReady(passAt(0, memory, () => Promise.resolve(false), 'requested'));
    expect(await apiReady(passAt(1, memory, denied, 'requested'))).toBe(false);
  });

  it('begins its time anew after an answer', async () => {
    const memory = new PassMemory({});
    await apiReady(passAt(0, memory, denied));
    expect(await apiReady(passAt(seconds(5), memory, () => Promise.resolve(true)))).toBe(true);
    expect(await apiReady(passAt(seconds(60), memory, denied))).toBe(false);
  });
});
