import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '#fleet';
import type { Delivery, DeliveryResult, NotifierPort, OutboxPort } from '#ports';
import type { Metrics } from '#platform';
import { OutboxPump } from './outbox-pump.js';

const delivery = (id: number, route: string, late: boolean, subject = `s${id}`): Delivery => ({
  id: `${id}.${route}`,
  route,
  attempt: 1,
  dueAt: late ? 60_000 : 0,
  event: { id, at: 0, type: 't', severity: 'info', subject, message: 'm', data: {} } as StoredEvent,
});

/** One drain of a pump over these deliveries; what was sent, alone or together, and how each was settled. */
async function pumped(claims: readonly (readonly Delivery[])[], followers: readonly Delivery[] = []) {
  const queue = [...claims];
  const [alone, together]: [string[], string[][]] = [[], []];
  const settled = new Map<string, string>();
  const outbox = {
    onCommitted: () => () => undefined,
    settleQuiet: async () => 0,
    claim: async () => queue.shift() ?? [],
    claimFollowers: async () => followers,
    settle: async (id: string, { kind }: DeliveryResult) => void settled.set(id, kind),
  } as unknown as OutboxPort;
  const notifier: NotifierPort = {
    deliver: async ({ id }) => {
      alone.push(id);
      return { kind: 'delivered', status: 200 };
    },
    deliverDigest: async (list) => {
      together.push(list.map(({ id }) => id));
      return { kind: 'retry', reason: 'later' };
    },
  };
  const metrics = { deliveries: { inc: () => undefined } } as unknown as Metrics;
  const log = { warn: (message: string) => expect.fail(message) } as never;
  const clock = { now: () => 0 };
  const pump = new OutboxPump({ outbox, notifier, clock, metrics, log, digests: new Set(['slack']) });
  pump.wake();
  await pump.close();
  return { alone, together, settled };
}

describe('OutboxPump', () => {
  it('tells people what was held back in one message, with what follows it', async () => {
    const late = [1, 2, 3, 4, 5].map((id) => delivery(id, 'slack', true));
    const { alone, together, settled } = await pumped(
      [[...late, delivery(6, 'slack', false), delivery(7, 'webhook', true)]],
      [delivery(8, 'slack', true, 's1')],
    );
    expect(alone).toEqual(['6.slack', '7.webhook']);
    expect(together).toEqual([['1.slack', '2.slack', '3.slack', '4.slack', '5.slack', '8.slack']]);
    expect(settled.get('8.slack')).toBe('retry');
    expect(settled.size).toBe(8);
  });

  it('tells a few late ones one by one, and machines everything', async () => {
    const few = [1, 2, 3, 4].map((id) => delivery(id, 'slack', true));
    const machine = Array.from({ length: 50 }, (_, id) => delivery(id, 'webhook', true));
    const { alone, together } = await pumped([few, machine]);
    expect([alone.length, together.length]).toEqual([54, 0]);
  });
});
