import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { milliseconds, minutes } from '#kernel';
import type { Lease } from '#ports';
import { account, cluster, event, intent, status, update } from '../support/records.js';
import { freshStores, withClient } from '../support/database.js';
import { eventually } from '../support/eventually.js';

const by = { actor: 'test' };

describe('leases and fencing on Postgres', () => {
  let stores: Awaited<ReturnType<typeof freshStores>>;
  const id = cluster('fenced').id;
  const name = `cluster/${id}`;
  beforeAll(async () => {
    stores = await freshStores();
    await stores.registry.createAccount(account(), by);
    await stores.registry.createCluster(cluster('fenced'), by);
  });
  afterAll(() => stores.drop());

  const acquired = async (lease: string, ttl = minutes(1)): Promise<Lease> =>
    (await stores.leases.acquire(lease, ttl)) as Lease;

  it('has one holder at a time, also when ten ask at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => stores.leases.acquire('schedule/x', minutes(1))),
    );
    expect(answers.filter((lease) => lease !== undefined)).toHaveLength(1);
  });

  it('gives every later holder a greater token, after a release and after expiry', async () => {
    const first = await acquired('schedule/y');
    await stores.leases.release(first);
    const second = await acquired('schedule/y', milliseconds(20));
    expect(second.token).toBeGreaterThan(first.token);
    const third = await eventually(() => stores.leases.acquire('schedule/y', minutes(1)));
    expect(third.token).toBeGreaterThan(second.token);
    expect(await stores.leases.renew(second, minutes(1))).toBeUndefined();
    await stores.leases.release(second);
    expect(await stores.leases.acquire('schedule/y', minutes(1))).toBeUndefined();
  });

  it('renews an expired lease that nobody took, by the clock of the database', async () => {
    const lease = await acquired('schedule/z', milliseconds(1));
    const renewed = await stores.leases.renew(lease, minutes(5));
    expect(renewed?.token).toBe(lease.token);
    expect((renewed?.expiresAt ?? 0) - lease.expiresAt).toBeGreaterThan(minutes(4));
    expect(await stores.leases.acquire('schedule/z', minutes(1))).toBeUndefined();
  });

  it('refuses every leased write of a stale holder and leaves nothing of it', async () => {
    const stale = await acquired(name);
    await stores.leases.release(stale);
    const holder = await acquired(name);
    const up = update('u-stale', id);
    const { updates, channels } = stores;
    const revision = {
      id: 'r',
      repository: 'u',
      commit: 'c',
      treeDigest: 't',
      author: 'a',
      subject: 's',
      committedAt: '',
    };
    const entry = {
      channel: 'dev',
      revisionId: 'r',
      phase: 'seen',
      wave: 0,
      waves: 1,
      enteredAt: 1,
      admitted: false,
      reasons: [],
    } as const;
    const run = {
      id: 'run',
      channel: 'dev',
      clusterId: id,
      suite: 'q',
      revisionId: 'r',
      commit: 'c',
      treeDigest: 't',
      desiredDigest: 'd',
      attempt: 1,
      state: 'pending',
      failedTests: [],
      createdAt: 1,
    } as const;
    const promotion = {
      id: 'p',
      revisionId: 'r',
      fromChannel: 'dev',
      toChannel: 'alpha',
      state: 'intended',
      evidence: [],
      createdAt: 1,
    } as const;
    const news = [event('never.stored')];
    const pass = { status: status(id), doorbellSeen: 1, memory: {}, events: [] };
    const writes: Record<string, () => Promise<unknown>> = {
      startUpdate: () => updates.startUpdate(stale, up, undefined, news),
      recordIntents: () => updates.recordIntents(stale, [intent('i', up)], { a: 1 }),
      settleIntents: () => updates.settleIntents(stale, ['i'], 'done', 1),
      quietPass: () => updates.commitPass(stale, pass),
      loudPass: () => updates.commitPass(stale, { ...pass, events: news }),
      recordInventory: () => updates.recordInventory(stale, id, []),
      recordFetch: () => channels.recordFetch(stale, { url: 'u' }, news),
      recordHead: () => channels.recordHead(stale, { channel: 'dev', revision, entry }, news),
      commitChannel: () =>
        channels.commitChannel(stale, { channel: 'dev', admit: [], runs: [], events: news }),
      saveRun: () => channels.saveRun(stale, run, news),
      recordPromotion: () => channels.recordPromotion(stale, promotion),
      settlePromotion: () => channels.settlePromotion(stale, promotion, news),
    };
    for (const [what, write] of Object.entries(writes)) {
      await expect(write(), what).rejects.toMatchObject({
        failure: { class: 'conflict', code: 'lease-lost' },
      });
    }
    expect((await stores.updates.runtime(id))?.status).toBeUndefined();
    expect((await stores.outbox.eventsAfter(0, 100)).map(({ type }) => type)).not.toContain('never.stored');
    await stores.updates.commitPass(holder, pass);
    await stores.leases.release(holder);
  });

  it('makes a new holder wait for the commit of a write that has checked its token', async () => {
    const lease = await acquired('cluster/serial', milliseconds(1));
    await withClient(stores.url, async (client) => {
      await client.query('BEGIN');
      const held = await client.query('SELECT 1 FROM leases WHERE name = $1 AND token = $2 FOR SHARE', [
        lease.name,
        lease.token,
      ]);
      expect(held.rowCount).toBe(1);
      let taken = false;
      const takeover = stores.leases.acquire(lease.name, minutes(1)).then((next) => {
        taken = true;
        return next;
      });
      await eventually(async () => {
        const waiting = await client.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return waiting.rowCount;
      }, 'the takeover waits for the lock');
      expect(taken).toBe(false);
      await client.query('COMMIT');
      expect((await takeover)?.token).toBeGreaterThan(lease.token);
    });
    await expect(stores.updates.settleIntents(lease, [], 'late', 1)).rejects.toMatchObject({
      failure: { code: 'lease-lost' },
    });
  });

  it('takes the lease away when the record of the cluster is removed', async () => {
    const doomed = cluster('doomed');
    await stores.registry.createCluster(doomed, by);
    const lease = await acquired(`cluster/${doomed.id}`);
    await stores.registry.deleteCluster(doomed.id, by);
    const pass = { status: status(doomed.id), doorbellSeen: 1, memory: {}, events: [] };
    await expect(stores.updates.commitPass(lease, pass)).rejects.toMatchObject({
      failure: { code: 'lease-lost' },
    });
  });
});
