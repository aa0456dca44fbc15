import { beforeEach, describe, expect, it } from 'vitest';
import { FailureError, type FailureClass } from '#kernel';
import type { Intent, Lease, NewIntent, UpdateStorePort } from '#ports';
import { IntentLog } from './intent-log.js';
import { PassMemory } from './pass-memory.js';

/** Intents as the database keeps them, with a diary of what happened in which order. */
class Store {
  readonly diary: string[] = [];
  readonly open: Intent[] = [];

  readonly port = {
    recordIntents: async (_lease: Lease, intents: readonly NewIntent[], memory: unknown) => {
      this.diary.push(
        `record ${intents.map(({ verb, target }) => `${verb} ${target}`).join(', ')} ${JSON.stringify(memory)}`,
      );
      this.open.push(...intents);
    },
    settleIntents: async (_lease: Lease, ids: readonly string[], result: string) => {
      this.diary.push(`settle ${ids.join(', ')} ${result}`);
    },
    unsettledIntents: async () => {
      this.diary.push('read');
      return [...this.open];
    },
  } as unknown as UpdateStorePort;
}

const failing = (kind: FailureClass): FailureError =>
  new FailureError({ class: kind, code: 'some-code', message: 'no' });

describe('IntentLog', () => {
  let store: Store;
  let log: IntentLog;
  let leaseLost = false;

  beforeEach(() => {
    store = new Store();
    leaseLost = false;
    let id = 0;
    const lease = async (): Promise<Lease> => {
      if (leaseLost) throw new FailureError({ class: 'conflict', code: 'lease-lost', message: 'gone' });
      return { name: 'cluster/c', token: 1, expiresAt: 0 };
    };
    log = new IntentLog(
      store.port,
      { now: () => 0 },
      { next: () => `i${(id += 1)}` },
      lease,
      new PassMemory({ 'roll/x': 1 }),
      { updateId: 'u', clusterId: 'c' },
    );
  });

  const request = { step: 'node-pools', target: 'i-1', verb: 'terminate' } as const;

  it('records the intent with the memory, then acts, then settles', async () => {
    const result = await log.perform(request, async () => {
      store.diary.push('deed');
      return 7;
    });
    expect(result).toBe(7);
    expect(store.diary).toEqual(['record terminate i-1 {"roll/x":1}', 'deed', 'settle i1 done']);
  });

  it('does not act when the intent cannot be recorded', async () => {
    leaseLost = true;
    await expect(log.perform(request, async () => store.diary.push('deed'))).rejects.toThrow('lease-lost');
    expect(store.diary).toEqual([]);
  });

  it('does not begin a further deed once the lease is lost', async () => {
    const requests = [request, { ...request, target: 'i-2' }];
    const acting = log.performAll(requests, async ({ target }) => {
      store.diary.push(`deed ${target}`);
      leaseLost = true;
    });
    await expect(acting).rejects.toThrow('lease-lost');
    expect(store.diary).toEqual(['record terminate i-1, terminate i-2 {"roll/x":1}', 'deed i-1']);
  });

  it.each<[FailureClass, readonly string[]]>([
    ['invalid', ['settle i1 refused']],
    ['denied', ['settle i1 refused']],
    ['conflict', ['settle i1 refused']],
    ['throttled', ['settle i1 refused']],
    ['blocked', ['settle i1 refused']],
    ['transient', []],
    ['bug', []],
  ])('after a failure of class %s: %j', async (kind, settled) => {
    const acting = log.perform(request, async () => {
      throw failing(kind);
    });
    await expect(acting).rejects.toThrow('some-code');
    expect(store.diary.slice(1)).toEqual(settled);
  });

  it('goes on with the other deeds after one that failed', async () => {
    const requests = [request, { ...request, target: 'i-2' }];
    const performed = await log.performAll(requests, async ({ target }) => {
      if (target === 'i-1') throw failing('transient');
      return target;
    });
    expect(performed.map(({ result }) => result)).toEqual([undefined, 'i-2']);
    expect(store.diary.at(-1)).toBe('settle i2 done');
  });

  it('knows what earlier passes left open, and settles it when its step is done', async () => {
    const left = { ...request, id: 'old', updateId: 'u', clusterId: 'c', data: {}, recordedAt: 0 };
    store.open.push(left, { ...left, id: 'other', step: 'manifests' });
    expect(await log.leftOpen('node-pools', { target: 'i-1', verb: 'terminate' })).toEqual([left]);
    expect(await log.leftOpen('node-pools', { target: 'i-2', verb: 'terminate' })).toEqual([]);
    await log.settleLeftOpen('node-pools');
    expect(store.diary).toEqual(['read', 'settle old observed']);
  });
});
