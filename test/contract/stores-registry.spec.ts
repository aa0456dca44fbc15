import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FailureError } from '#kernel';
import type { PostgresStores } from '#adapters/postgres';
import { account, cluster, pool } from '../support/records.js';
import { freshStores, withClient } from '../support/database.js';

const by = { actor: 'test' };

describe('registry on Postgres', () => {
  let stores: PostgresStores & { readonly url: string; drop(): Promise<void> };
  beforeAll(async () => {
    stores = await freshStores();
    await stores.registry.createAccount(account(), by);
  });
  afterAll(() => stores.drop());

  const failureOf = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(FailureError);
    return (error as FailureError).failure;
  };

  it('keeps accounts, finds them by every filter and patches them', async () => {
    const created = await stores.registry.createAccount(
      account({ id: 'aws:2', name: 'second', costCenter: '77' }),
      by,
    );
    expect(await stores.registry.getAccount('aws:2')).toEqual(created);
    expect(await stores.registry.listAccounts({ costCenter: '77', name: 'second' })).toEqual([created]);
    expect(await stores.registry.listAccounts({ costCenter: '78' })).toEqual([]);
    const patched = await stores.registry.updateAccount('aws:2', { owner: 'team/new' }, by);
    expect(patched).toEqual({ ...created, owner: 'team/new' });
    expect((await failureOf(stores.registry.updateAccount('aws:9', {}, by))).code).toBe('not-found');
    const again = await failureOf(stores.registry.createAccount(account({ id: 'aws:2' }), by));
    expect(again).toMatchObject({ class: 'invalid', code: 'already-exists' });
    expect(again.message).toContain('id "aws:2"');
  });

  it('keeps a cluster with config items and pools in their order', async () => {
    const created = await stores.registry.createCluster(cluster('one'), by);
    expect(created).toMatchObject({ ...cluster('one'), recordVersion: 1 });
    expect(await stores.registry.getCluster(created.id)).toEqual(created);
    expect(created.nodePools.map(({ name }) => name)).toEqual(['masters', 'workers']);
  });

  it('finds clusters by every filter, the cost center of the account included', async () => {
    const wanted = cluster('two', { region: 'eu-west-1', criticalityLevel: 3 });
    await stores.registry.createCluster(wanted, by);
    const { nodePools, configItems, id, ...fields } = wanted;
    expect(
      (await stores.registry.listClusters({ ...fields, costCenter: '0000001234' })).map((c) => c.id),
    ).toEqual([id]);
    for (const name of Object.keys(fields)) {
      const other = { [name]: name === 'criticalityLevel' ? 99 : 'no-such-value' };
      expect(await stores.registry.listClusters(other), name).toEqual([]);
    }
    expect(nodePools.length + Object.keys(configItems).length).toBeGreaterThan(0);
  });

  it('lets exactly one of ten identical registrations through', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, () => stores.registry.createCluster(cluster('race'), by)),
    );
    const refused = attempts.filter((attempt) => attempt.status === 'rejected');
    expect(refused).toHaveLength(9);
    for (const { reason } of refused) expect(reason.failure).toMatchObject({ code: 'already-exists' });
  });

  it('refuses a taken alias by name, and an account that does not exist', async () => {
    const taken = await failureOf(stores.registry.createCluster(cluster('three', { alias: 'one' }), by));
    expect(taken.message).toContain('alias "one"');
    const orphan = cluster('four', { infrastructureAccount: 'aws:404' });
    const failure = await failureOf(stores.registry.createCluster(orphan, by));
    expect(failure).toMatchObject({
      class: 'invalid',
      code: 'not-found',
      place: { field: 'infrastructure_account' },
    });
    expect(failure.message).toContain('aws:404');
  });

  it('counts versions, checks If-Match, and records nothing for a change that changes nothing', async () => {
    const { id } = await stores.registry.createCluster(cluster('versions'), by);
    const second = await stores.registry.updateCluster(
      id,
      { alias: 'versions-2' },
      { ...by, expectedVersion: 1 },
    );
    expect(second).toMatchObject({ alias: 'versions-2', recordVersion: 2 });
    const stale = await failureOf(
      stores.registry.updateCluster(id, { alias: 'x' }, { ...by, expectedVersion: 1 }),
    );
    expect(stale).toMatchObject({ class: 'conflict', code: 'version-mismatch' });
    const before = await stores.outbox.lastEventId();
    expect((await stores.registry.updateCluster(id, { alias: 'versions-2' }, by)).recordVersion).toBe(2);
    await stores.registry.setConfigItem(id, 'product_x_key', 'abcde', by);
    expect(await stores.outbox.lastEventId()).toBe(before);
  });

  it('changes config items and pools one by one', async () => {
    const { id } = await stores.registry.createCluster(cluster('items'), by);
    const registry = stores.registry;
    await Promise.all(['a1', 'b1', 'c1'].map((key) => registry.setConfigItem(id, key, key, by)));
    await registry.deleteConfigItem(id, 'a1', by);
    expect((await failureOf(registry.deleteConfigItem(id, 'a1', by))).code).toBe('not-found');
    await registry.putNodePool(id, pool('gpu'), by);
    await registry.putNodePool(id, { ...pool('workers'), maxSize: 9 }, by);
    expect(await registry.updateNodePool(id, 'gpu', { minSize: 2 }, by)).toEqual({
      ...pool('gpu'),
      minSize: 2,
    });
    await registry.setPoolConfigItem(id, 'gpu', 'taint', 'yes', by);
    await registry.setPoolConfigItem(id, 'gpu', 'label', 'x', by);
    await registry.deletePoolConfigItem(id, 'gpu', 'label', by);
    await registry.deleteNodePool(id, 'masters', by);
    expect((await failureOf(registry.deleteNodePool(id, 'masters', by))).code).toBe('not-found');
    expect((await failureOf(registry.setPoolConfigItem('aws:9:x:y', 'gpu', 'a', 'b', by))).code).toBe(
      'not-found',
    );
    const now = await registry.getCluster(id);
    expect(now?.configItems).toEqual({ ...cluster('items').configItems, b1: 'b1', c1: 'c1' });
    expect(now?.nodePools.map(({ name, maxSize }) => [name, maxSize])).toEqual([
      ['workers', 9],
      ['gpu', 3],
    ]);
    expect(now?.nodePools[1]?.configItems).toEqual({ taint: 'yes' });
  });

  it('writes an audit row and an event with each change, without values', async () => {
    const { id } = await stores.registry.createCluster(cluster('audit'), by);
    await stores.registry.setConfigItem(id, 'api_key', 's3cr3t-value', {
      actor: 'alice',
      reason: 'rotation',
    });
    const [row] = await stores.audit.list(1);
    expect(row).toMatchObject({ actor: 'alice', reason: 'rotation', subject: `cluster/${id}` });
    expect(row?.data).toMatchObject({ fields: ['configItems.api_key'] });
    const events = await stores.outbox.eventsAfter(0, 1000, { clusterId: id });
    expect(events.map(({ type }) => type)).toEqual(['cluster.created', 'cluster.config-item-set']);
    expect(JSON.stringify([row, events])).not.toContain('s3cr3t-value');
    const change = (sql: string) => withClient(stores.url, (client) => client.query(sql));
    for (const sql of [`UPDATE audit_log SET actor = 'x'`, 'DELETE FROM audit_log', 'TRUNCATE audit_log']) {
      await expect(change(sql)).rejects.toThrow('append-only');
    }
  });

  it('removes a record only while nothing was made outside, or everything is gone', async () => {
    const { id } = await stores.registry.createCluster(cluster('gone'), by);
    await stores.registry.deleteCluster(id, by);
    expect(await stores.registry.getCluster(id)).toBeUndefined();
    expect((await failureOf(stores.registry.deleteCluster(id, by))).code).toBe('not-found');
  });
});
