import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { withClient } from '../support/database.js';
import { cluster, intent, status, update } from '../support/records.js';
import { ClientError, generatedClient, Swagger } from '../support/swagger.js';
import { ACCOUNT_ID, wireAccount, wireCluster, wirePool } from '../support/wire-records.js';

const swagger = new Swagger();
let api: TestApi;
let client: ReturnType<typeof generatedClient>;

beforeAll(async () => {
  api = await startTestApi();
  client = generatedClient(swagger, api.url, api.token);
});
afterAll(() => api.close());

const refusal = (id: string, values: Record<string, unknown>): Promise<ClientError> =>
  client(id, values).then(
    () => {
      throw new Error(`${id} was not refused`);
    },
    (error: unknown) => error as ClientError,
  );

it('lists, creates, patches and deletes with a client that knows the contract only', async () => {
  await client('createInfrastructureAccount', { infrastructure_account: wireAccount() });
  await client('updateInfrastructureAccount', {
    account_id: ACCOUNT_ID,
    infrastructure_account: { owner: 'team/next' },
  });
  expect(await client('getInfrastructureAccount', { account_id: ACCOUNT_ID })).toMatchObject({
    owner: 'team/next',
  });
  const record = wireCluster('kube-1');
  const id = { cluster_id: record.id };
  await client('createCluster', { cluster: record });
  expect((await refusal('createCluster', { cluster: record })).status).toBe(409);
  expect(await client('listClusters', { lifecycle_status: 'ready', verbose: true })).toMatchObject({
    items: [record],
  });
  // As CLM reports what it did: the whole status, in the words of the contract. Fairway has none of its own yet.
  const problem = { type: 'https://clm.example/x', title: 'Apply failed', status: 401, detail: 'no' };
  const reported = { current_version: 'a1b2', last_version: 'a1b1', next_version: '', problems: [problem] };
  expect(
    await client('updateCluster', { ...id, cluster: { lifecycle_status: 'ready', status: reported } }),
  ).toMatchObject({ lifecycle_status: 'ready', status: reported });
  expect(await client('getCluster', id)).toMatchObject({ status: reported });
  expect(await client('listClusters', {})).toMatchObject({ items: [{ status: reported }] });
  await client('addOrUpdateConfigItem', { ...id, config_key: 'added_item', value: { value: 'x' } });
  await client('deleteConfigItem', { ...id, config_key: 'added_item' });
  expect(
    await client('createOrUpdateNodePool', {
      ...id,
      node_pool_name: 'spare',
      'node-pool': wirePool('spare'),
    }),
  ).toEqual(wirePool('spare'));
  await client('updateNodePool', { ...id, node_pool_name: 'spare', 'node-pool': { max_size: 30 } });
  await client('addOrUpdateNodePoolConfigItem', {
    ...id,
    node_pool_name: 'spare',
    config_key: 'pool_item',
    value: { value: 'x' },
  });
  await client('deleteNodePoolConfigItem', { ...id, node_pool_name: 'spare', config_key: 'pool_item' });
  expect(await client('listNodePools', id)).toMatchObject({
    items: [{ name: 'masters' }, { name: 'pool-1' }, { name: 'spare', max_size: 30 }],
  });
  await client('deleteNodePool', { ...id, node_pool_name: 'spare' });
  await client('deleteCluster', id);
  expect((await refusal('getCluster', id)).status).toBe(404);
});

it('shows a status with problems in the types that the contract declares', async () => {
  const { registry, leases, updates } = api.running.runtime;
  const busy = await registry.createCluster(cluster('kube-busy', { infrastructureAccount: ACCOUNT_ID }), {
    actor: 'test',
  });
  const lease = await leases.acquire(`cluster/${busy.id}`, 10_000);
  if (!lease) throw new Error('no lease');
  const running = update('00000000-0000-4000-8000-000000000001', busy.id, { commit: 'c0ffee' });
  await updates.startUpdate(lease, running, undefined, []);
  await updates.recordIntents(lease, [intent('00000000-0000-4000-8000-000000000002', running)]);
  const shown = status(busy.id, {
    phase: 'failed',
    currentVersion: 'a1',
    lastVersion: 'a0',
    nextVersion: 'a2',
    problems: [
      {
        type: 'https://fairway.dev/problems/x',
        title: 'x',
        status: 401,
        detail: 'd',
        instance: 'service/x',
        hint: 'h',
        severity: 'error',
        firstSeen: 1_000,
        lastSeen: 2_000,
      },
    ],
  });
  await withClient(api.databaseUrl, (sql) =>
    sql.query('UPDATE cluster_runtimes SET status = $2 WHERE cluster_id = $1', [
      busy.id,
      JSON.stringify(shown),
    ]),
  );
  const got = (await client('getCluster', { cluster_id: busy.id })) as { status: object };
  expect(got.status).toMatchObject({
    current_version: 'a1',
    last_version: 'a0',
    next_version: 'a2',
    problems: [{ status: 401, detail: 'd', hint: 'h' }],
  });
  expect(await client('listClusters')).toMatchObject({ items: [{ id: busy.id }] });
  // What Fairway found out itself is not overwritten by what somebody says.
  const said = { cluster_id: busy.id, cluster: { status: { current_version: 'zz', problems: [] } } };
  expect(await client('updateCluster', said)).toMatchObject({ status: { current_version: 'a1' } });
  expect(await client('listClusters')).toMatchObject({ items: [{ status: { current_version: 'a1' } }] });
});

it('keeps the record of a cluster for which something was made, until it is decommissioned', async () => {
  const id = { cluster_id: cluster('kube-busy').id };
  const refused = await refusal('deleteCluster', id);
  expect([refused.status, refused.body.message]).toEqual([
    400,
    expect.stringContaining('decommission-requested'),
  ]);
  // Nobody may say so while its machines may be there; the engine says it when everything is gone.
  const claimed = await refusal('updateCluster', { ...id, cluster: { lifecycle_status: 'decommissioned' } });
  expect(claimed.status).toBe(403);
  const { registry } = api.running.runtime;
  await registry.updateCluster(id.cluster_id, { lifecycleStatus: 'decommissioned' }, { actor: 'engine' });
  await client('deleteCluster', id);
  expect((await refusal('getCluster', id)).status).toBe(404);
});
