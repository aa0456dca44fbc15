import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import type { FleetEvent } from '#fleet';
import type { Delivery, Lease } from '#ports';
import { event } from '../support/records.js';
import { freshStores, withClient } from '../support/database.js';
import { eventually } from '../support/eventually.js';

describe('events and outbox on Postgres', () => {
  let stores: Awaited<ReturnType<typeof freshStores>>;
  let lease: Lease;
  let now = 1_000_000;
  beforeAll(async () => {
    stores = await freshStores({
      notificationRoutes: [
        { route: 'all' },
        { route: 'loud', minSeverity: 'error' },
        { route: 'alpha', channels: ['alpha'], types: ['promotion.*', 'roll.failed'] },
        { route: 'people', types: ['burst.*'], digest: true },
      ],
    });
    lease = (await stores.leases.acquire('channel/x', minutes(5))) as Lease;
  });
  afterAll(() => stores.drop());

  const publish = (...events: FleetEvent[]): Promise<void> =>
    stores.channels.commitChannel(lease, { channel: 'x', admit: [], runs: [], events });
  const claimAll = (): Promise<readonly Delivery[]> => stores.outbox.claim(now, 100, minutes(1));
  /** Delivers everything; returns `route type` of each in the order of the claims. */
  const drain = async (): Promise<readonly string[]> => {
    const seen: string[] = [];
    for (let batch = await claimAll(); batch.length > 0; batch = await claimAll()) {
      for (const delivery of batch) {
        seen.push(`${delivery.route} ${delivery.event.type}`);
        await stores.outbox.settle(delivery.id, { kind: 'delivered', status: 200 }, now);
      }
    }
    return seen;
  };

  it('makes deliveries for the routes that match', async () => {
    await publish(
      event('roll.failed', { severity: 'error', channel: 'alpha', subject: 's1' }),
      event('promotion.done', { channel: 'alpha', subject: 's2' }),
      event('promotion.done', { channel: 'beta', subject: 's3' }),
      event('roll.started', { channel: 'alpha', subject: 's4' }),
    );
    const got = await drain();
    expect([...got].sort()).toEqual(
      [
        'all roll.failed',
        'all promotion.done',
        'all promotion.done',
        'all roll.started',
        'loud roll.failed',
        'alpha roll.failed',
        'alpha promotion.done',
      ].sort(),
    );
  });

  it('hands out only the oldest of a route and subject, each to one worker', async () => {
    await publish(
      ...['one', 'two', 'three'].map((type) => event(type, { subject: 'ordered' })),
      event('else', { subject: 'other' }),
    );
    const claims = (await Promise.all(Array.from({ length: 8 }, claimAll))).flat();
    expect(claims.map((delivery) => delivery.event.type).sort()).toEqual(['else', 'one']);
    expect(await claimAll()).toEqual([]);
    for (const delivery of claims)
      await stores.outbox.settle(delivery.id, { kind: 'delivered', status: 200 }, now);
    expect(await drain()).toEqual(['all two', 'all three']);
  });

  it('hands a delivery out again when its claim ran out, and after the asked wait', async () => {
    await publish(
      event('retry.me', { subject: 'retry', data: { n: 1 } }),
      event('behind', { subject: 'retry' }),
    );
    const [first] = await claimAll();
    expect(first).toMatchObject({ route: 'all', attempt: 1, event: { type: 'retry.me', data: { n: 1 } } });
    now += minutes(1);
    const [second] = await claimAll();
    expect(second).toMatchObject({ id: first?.id, attempt: 2 });
    await stores.outbox.settle(
      second?.id as string,
      { kind: 'retry', reason: '503', after: seconds(90) },
      now,
    );
    now += seconds(89);
    expect(await claimAll()).toEqual([]);
    now += seconds(1);
    const [third] = await claimAll();
    expect(third).toMatchObject({ id: first?.id, attempt: 3 });
    await stores.outbox.settle(third?.id as string, { kind: 'dead', reason: 'refused' }, now);
    expect(await drain()).toEqual(['all behind']);
  });

  it('gives up after about three days of its own waits', async () => {
    await publish(event('never', { subject: 'never' }));
    const start = now;
    let attempts = 0;
    for (let idle = 0; idle < 200; idle++) {
      const [delivery] = await claimAll();
      if (delivery) {
        attempts++;
        await stores.outbox.settle(delivery.id, { kind: 'retry', reason: 'refused' }, now);
        idle = 0;
      }
      now += minutes(30);
    }
    expect(attempts).toBe(10);
    expect(now - start).toBeGreaterThan(minutes(60 * 72));
  });

  it('notifies an equal key once per scope until it is resolved, and the resolution goes where the trouble went', async () => {
    const raised = event('problem.raised', { severity: 'error', subject: 'cluster/a', dedupeKey: 'k' });
    const resolved = event('problem.resolved', { subject: 'cluster/a', dedupeKey: 'k' });
    await publish(raised, raised, { ...raised, subject: 'cluster/b' });
    await publish(raised);
    expect([...(await drain())].sort()).toEqual([
      'all problem.raised',
      'all problem.raised',
      'loud problem.raised',
      'loud problem.raised',
    ]);
    await publish(resolved, resolved);
    expect([...(await drain())].sort()).toEqual(['all problem.resolved', 'loud problem.resolved']);
    await publish(raised);
    expect(await drain()).toHaveLength(2);
    const stored = await stores.outbox.eventsAfter(0, 1000);
    expect(
      stored.filter(({ subject, dedupeKey }) => subject === 'cluster/a' && dedupeKey === 'k'),
    ).toHaveLength(6);
  });

  it('damps trouble that comes and goes, and tells its last word when it keeps still', async () => {
    const at = { subject: 'cluster/flap', dedupeKey: 'k' };
    const flap = async (type: string): Promise<readonly string[]> => {
      now += minutes(1);
      await publish(event(type, { ...at, at: now, severity: type === 'problem.raised' ? 'error' : 'info' }));
      return (await drain()).filter((line) => line.startsWith('all'));
    };
    for (let times = 0; times < 3; times += 1) {
      expect(await flap('problem.raised')).toEqual(['all problem.raised']);
      expect(await flap('problem.resolved')).toEqual(['all problem.resolved']);
    }
    expect(await flap('problem.raised')).toEqual(['all notification.flapping']);
    for (let times = 0; times < 20; times += 1) {
      expect(await flap('problem.resolved')).toEqual([]);
      expect(await flap('problem.raised')).toEqual([]);
    }
    // Every change puts it off; half an hour after the last one it is told as it stands, to whoever heard of it.
    now += minutes(29);
    expect(await stores.outbox.settleQuiet(now)).toBe(0);
    now += minutes(2);
    expect(await stores.outbox.settleQuiet(now)).toBe(2);
    expect([...(await drain())].sort()).toEqual(['all problem.raised', 'loud problem.raised']);
    expect(await stores.outbox.settleQuiet(now)).toBe(0);
    expect(await flap('problem.resolved')).toEqual(['all problem.resolved']);
    expect(await flap('problem.raised')).toEqual(['all problem.raised']);
  });

  it('holds back what is too much for people at once, in order, and nothing that is critical', async () => {
    const burst = (index: number, severity: FleetEvent['severity'] = 'info') =>
      event('burst.one', { at: now, severity, subject: `burst/${index % 3}`, message: `burst ${index}` });
    now += minutes(10);
    await publish(...Array.from({ length: 30 }, (_, index) => burst(index)));
    await publish(burst(99, 'critical'));
    const people = async (): Promise<readonly Delivery[]> =>
      (await claimAll()).filter(({ route }) => route === 'people');
    const first = await people();
    // Ten go at once, three subjects at a time; the critical one only behind those of its own subject.
    expect(first.map(({ event: { message } }) => message)).toEqual(['burst 0', 'burst 1', 'burst 2']);
    for (const { id } of first) await stores.outbox.settle(id, { kind: 'delivered', status: 200 }, now);
    for (let batch = await people(); batch.length > 0; batch = await people())
      for (const { id } of batch) await stores.outbox.settle(id, { kind: 'delivered', status: 200 }, now);
    const left = () => stores.deliveries.deliveries({ route: 'people', state: 'pending' }, 100);
    expect((await left()).length).toBe(21);
    now += minutes(1);
    const heads = await people();
    expect(heads.every(({ dueAt, event: { at } }) => dueAt > at)).toBe(true);
    const followers = await stores.outbox.claimFollowers(heads, now, 100, minutes(1));
    expect(heads.length + followers.length).toBe(21);
    expect(await people()).toEqual([]);
    const all = [...heads, ...followers].sort((a, b) => a.event.id - b.event.id);
    expect(all.map(({ event: { message } }) => message).at(-1)).toBe('burst 99');
    for (const { id } of all) await stores.outbox.settle(id, { kind: 'delivered', status: 200 }, now);
    await drain();
  });

  it('disables a route whose receiver is gone', async () => {
    await publish(
      event('promotion.one', { channel: 'alpha', subject: 'g1' }),
      event('promotion.two', { channel: 'alpha', subject: 'g2' }),
    );
    const gone = (await claimAll()).find(({ route }) => route === 'alpha') as Delivery;
    await stores.outbox.settle(gone.id, { kind: 'disable', reason: '410' }, now);
    now += minutes(2);
    expect((await drain()).filter((line) => line.startsWith('alpha'))).toEqual([]);
    await publish(event('promotion.three', { channel: 'alpha' }));
    expect(await drain()).toEqual(['all promotion.three']);
  });

  it('replays events in order, filtered', async () => {
    const from = await stores.outbox.lastEventId();
    const full = event('x', {
      channel: 'alpha',
      clusterId: 'c1',
      dedupeKey: 'd',
      data: { deep: { a: [1] } },
    });
    await publish(full, event('y', { channel: 'beta' }), event('z', { clusterId: 'c1' }));
    const types = async (filter?: { channel?: string; clusterId?: string }) =>
      (await stores.outbox.eventsAfter(from, 10, filter)).map(({ type }) => type);
    expect(await types()).toEqual(['x', 'y', 'z']);
    expect(await types({ channel: 'alpha' })).toEqual(['x']);
    expect(await types({ clusterId: 'c1' })).toEqual(['x', 'z']);
    expect(await stores.outbox.eventsAfter(from, 1)).toEqual([{ ...full, id: from + 1 }]);
    expect(await stores.outbox.lastEventId()).toBe(from + 3);
    const newest = (await stores.outbox.newestEvents(2)).map(({ type }) => type);
    expect(newest).toEqual(['y', 'z']);
    expect((await stores.outbox.newestEvents(1, { channel: 'alpha' })).map(({ type }) => type)).toEqual([
      'x',
    ]);
  });

  it('never lets a reader see a later id before an earlier one', async () => {
    const from = await stores.outbox.lastEventId();
    const writers = Array.from({ length: 40 }, (_, n) =>
      publish(event(`w${n}`, { subject: `w${n}` }), event(`v${n}`)),
    );
    let finished = false;
    const done = Promise.all(writers).then(() => (finished = true));
    const seen: number[] = [];
    while (!finished || seen.length < 80) {
      const last = seen.at(-1) ?? from;
      seen.push(...(await stores.outbox.eventsAfter(last, 7)).map(({ id }) => id));
      if (finished && seen.length >= 80) break;
    }
    await done;
    expect(new Set(seen).size).toBe(80);
    const all = (await stores.outbox.eventsAfter(from, 1000)).map(({ id }) => id);
    expect(seen).toEqual(all);
  });

  it('makes a writer wait for another one that has not committed, so that ids have the order of commits', async () => {
    await withClient(stores.url, async (client) => {
      await client.query('BEGIN');
      const insert = `INSERT INTO events (type, at, severity, subject, message, data)
                      VALUES ('slow', now(), 'info', 's', 'm', '{}') RETURNING id`;
      const slow = Number((await client.query(insert)).rows[0].id);
      const from = await stores.outbox.lastEventId();
      const fast = publish(event('fast'));
      await eventually(
        async () =>
          (
            await client.query(
              `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
            )
          ).rowCount,
        'the second writer waits',
      );
      expect(await stores.outbox.eventsAfter(from, 10)).toEqual([]);
      await client.query('COMMIT');
      await fast;
      const after = await stores.outbox.eventsAfter(from, 10);
      expect(after.map(({ id, type }) => [id, type])).toEqual([
        [slow, 'slow'],
        [slow + 1, 'fast'],
      ]);
    });
  });

  it('calls back after a commit, also when the listening connection was cut', async () => {
    let calls = 0;
    const stop = stores.outbox.onCommitted(() => calls++);
    await eventually(() => calls > 0, 'the first call, when listening begins');
    const before = calls;
    await publish(event('call'));
    await eventually(() => calls > before, 'a call after the commit');
    // Of this database: files that run beside this one listen on the same server.
    const cut = `SELECT pg_terminate_backend(pid) AS cut FROM pg_stat_activity
                 WHERE datname = current_database() AND query = 'LISTEN fairway_events'`;
    const result = await withClient(stores.url, (client) => client.query(cut));
    expect(result.rowCount).toBe(1);
    const atCut = calls;
    await eventually(() => calls > atCut, 'a call when listening is back');
    const back = calls;
    await publish(event('again'));
    await eventually(() => calls > back, 'a call after the reconnect');
    stop();
  });
});
