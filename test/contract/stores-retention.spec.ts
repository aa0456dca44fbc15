import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { days, systemClock } from '#kernel';
import { freshStores, withClient } from '../support/database.js';

const CLUSTER = 'aws:123456789012:eu-central-1:kube-1';
const policy = { events: days(90), deliveries: days(30), updates: days(180) };

describe('retention', () => {
  let stores: Awaited<ReturnType<typeof freshStores>>;

  beforeAll(async () => {
    stores = await freshStores({ clock: systemClock });
    await sql(`
      INSERT INTO infrastructure_accounts (id, type, name, owner, cost_center, environment, criticality_level, external_id, lifecycle_status, record_version, created_at)
      VALUES ('aws:123456789012', 'aws', 'a', 'o', '1', 'test', 1, '123456789012', 'ready', 1, now());
      INSERT INTO clusters (id, alias, infrastructure_account, region, local_id, provider, api_server_url, channel, environment, criticality_level, lifecycle_status, config_items, record_version, created_at)
      VALUES ('${CLUSTER}', 'one', 'aws:123456789012', 'eu-central-1', 'kube-1', 'zalando-aws', 'https://a.example', 'dev', 'test', 1, 'ready', '{}', 1, now());
      -- Thirty updates, the first of them open, one a day long ago; each with two intents, one of the last unsettled.
      INSERT INTO updates (id, cluster_id, kind, state, started_at, finished_at)
      SELECT 'u' || n, '${CLUSTER}', 'update', CASE n WHEN 1 THEN 'running' ELSE 'succeeded' END,
             now() - interval '400 days' + n * interval '1 day',
             CASE n WHEN 1 THEN NULL ELSE now() - interval '399 days' + n * interval '1 day' END
        FROM generate_series(1, 30) n;
      INSERT INTO intents (id, update_id, cluster_id, step, target, verb, generation, data, recorded_at, settled_at)
      SELECT 'i' || n || '-' || k, 'u' || n, '${CLUSTER}', 's', 't', 'v' || k, 1, '{}', now() - interval '390 days',
             CASE WHEN n = 5 AND k = 1 THEN NULL ELSE now() - interval '390 days' END
        FROM generate_series(1, 30) n, generate_series(1, 2) k;
      INSERT INTO events (type, at, severity, subject, message, data)
      SELECT 't', now() - n * interval '10 days', 'info', 's', 'm' || n, '{}' FROM generate_series(1, 20) n;
      INSERT INTO outbox_deliveries (id, route, event_id, subject, state, due_at, settled_at)
      SELECT 'd' || id, 'r', id, 's', CASE message WHEN 'm15' THEN 'pending' ELSE 'delivered' END, at,
             CASE message WHEN 'm15' THEN NULL ELSE at END FROM events;
      INSERT INTO problems (subject, fingerprint, type, title, severity, first_seen, last_seen, resolved_at)
      SELECT 's' || n, 'f', 't', 't', 'error', now() - interval '400 days', now() - interval '390 days',
             CASE n WHEN 1 THEN NULL ELSE now() - interval '390 days' END FROM generate_series(1, 2) n`);
  });
  afterAll(() => stores.drop());

  const sql = (text: string) => withClient(stores.url, (client) => client.query(text));
  const column = async (text: string) =>
    (await sql(text)).rows.map((row: Record<string, unknown>) => Object.values(row)[0]);

  it('removes what ended long ago, and nothing that is open', async () => {
    const { removed, more } = await stores.retention.clear(policy);
    expect(more).toBe(false);
    expect(await column('SELECT message FROM events ORDER BY id')).toEqual(
      ['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm15'].map((name) => name),
    );
    expect(await column(`SELECT count(*)::int FROM outbox_deliveries WHERE state = 'pending'`)).toEqual([1]);
    expect(await column('SELECT count(*)::int FROM outbox_deliveries')).toEqual([3]);
    expect(await column('SELECT id FROM intents ORDER BY id')).toEqual(['i1-1', 'i1-2', 'i30-2', 'i5-1']);
    // The newest twenty, the open one, and the one whose intent is not settled.
    expect(await column('SELECT count(*)::int FROM updates')).toEqual([22]);
    expect(await column(`SELECT id FROM updates WHERE id IN ('u1', 'u5') ORDER BY id`)).toEqual(['u1', 'u5']);
    expect(await column('SELECT subject FROM problems')).toEqual(['s1']);
    expect(removed).toMatchObject({ events: 11, intents: 56, updates: 8, problems: 1 });
  });

  it('has nothing to do the second time, and never without a policy', async () => {
    expect(await stores.retention.clear(policy)).toEqual({ removed: {}, more: false });
    await sql(`UPDATE events SET at = now() - interval '999 days'`);
    expect((await stores.retention.clear({})).removed).toEqual({});
  });

  it('still knows that Fairway made things for a cluster', async () => {
    await expect(stores.registry.deleteCluster(CLUSTER, { actor: 'test' })).rejects.toThrow(
      'cluster-not-empty',
    );
  });
});
