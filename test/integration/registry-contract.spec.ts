import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type Answer, type SendOptions, type TestApi } from '../support/api.js';
import { fillPath, Swagger } from '../support/swagger.js';
import { FITTING, READS } from '../support/registry-calls.js';
import { ACCOUNT_ID, wireAccount, wireCluster, wirePool } from '../support/wire-records.js';

const swagger = new Swagger();
let api: TestApi;
let viewer: string;
const reached = new Map<string, Set<number>>();

/** Sends by operation id, and holds every answer against the contract's file. */
async function call(
  id: string,
  values: Readonly<Record<string, string>> = {},
  options: SendOptions & {
    readonly query?: Readonly<Record<string, string>>;
    readonly rawPath?: boolean;
  } = {},
): Promise<Answer> {
  const operation = swagger.operations.get(id);
  if (!operation) throw new Error(`no operation ${id}`);
  const path = fillPath(operation, values, options.rawPath ? String : encodeURIComponent);
  const query = options.query === undefined ? '' : `?${new URLSearchParams(options.query)}`;
  const answer = await api.send(operation.method, path + query, options);
  expect(swagger.faults(operation, answer)).toEqual([]);
  reached.set(id, (reached.get(id) ?? new Set()).add(answer.status));
  return answer;
}

const KUBE = `${ACCOUNT_ID}:eu-central-1:kube-1`;
const at = { cluster_id: KUBE };
const pool = { ...at, node_pool_name: 'pool-1' };
const error = (answer: Answer) => answer.body as { code: number; message: string; fields: string };
const fieldsOf = (answer: Answer): string[] => error(answer).fields.split(',');
const items = (answer: Answer) => (answer.body as { items: Record<string, unknown>[] }).items;
const body = (answer: Answer) => answer.body as Record<string, unknown>;

beforeAll(async () => {
  api = await startTestApi();
  viewer = await api.tokenFor('viewer');
  await call('createInfrastructureAccount', {}, { body: wireAccount() });
  await call('createCluster', {}, { body: wireCluster('kube-1') });
});
afterAll(() => api.close());

const operations = [...swagger.operations.values()];
const withBody = operations
  .filter(({ parameters }) => parameters.some((one) => one.in === 'body'))
  .map(({ id }) => id);
const withPath = operations.filter(({ path }) => path.includes('{')).map(({ id }) => id);

it('knows every operation of the file', () => {
  expect(operations.map(({ id }) => id).sort()).toEqual(Object.keys(FITTING).sort());
});

describe.each(operations.map(({ id }) => id))('%s', (id) => {
  const { values, body: fitting } = FITTING[id] ?? {};
  const send = (options: SendOptions) =>
    call(id, values, { ...(fitting !== undefined && { body: fitting }), ...options });

  it('answers 401 without a token, with a wrong one, and with another scheme', async () => {
    for (const headers of [
      {},
      { Authorization: 'Bearer fwy_wrongwrongwrongwrong' },
      { Authorization: 'Basic Zm9vOmJhcg==' },
      { Authorization: 'Bearer' },
    ]) {
      const answer = await send({ token: null, headers });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    }
  });

  it(READS.has(id) ? 'lets a viewer read' : 'answers 403 to a viewer', async () => {
    const answer = await send({ token: viewer });
    expect(answer.status).toBe(READS.has(id) ? 200 : 403);
  });

  it('is what the token’s scheme in any case allows', async () => {
    if (!READS.has(id)) return;
    expect((await send({ token: null, headers: { Authorization: `bearer ${viewer}` } })).status).toBe(200);
  });
});

describe.each(withBody)('body of %s', (id) => {
  const { values } = FITTING[id] ?? {};

  it.each([
    ['cut off', '{"id": "x"'],
    ['no object', '"text"'],
    ['a list', '[]'],
    ['a number as text', '12'],
    ['null', 'null'],
  ])('answers 400 to JSON that is %s', async (_, raw) => {
    const answer = await call(id, values, { raw });
    expect(answer.status).toBe(400);
    expect(error(answer)).toMatchObject({ code: 400 });
    expect(error(answer).message).not.toBe('');
  });

  it('answers 413 to more than 1 MiB, and 400 to reserved keys', async () => {
    const answer = await call(id, values, { raw: JSON.stringify({ value: 'x'.repeat(2 ** 20) }) });
    expect(answer.status).toBe(413);
    for (const raw of [
      '{"__proto__":{"polluted":"yes"}}',
      '{"config_items":{"__proto__":"x"}}',
      '{"config_items":{"constructor":"x"}}',
    ]) {
      const refused = await call(id, values, { raw });
      expect(refused.status).toBe(400);
      expect(error(refused).message + error(refused).fields).toMatch(/__proto__|constructor/);
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe.each(withPath)('path of %s', (id) => {
  const { values = {}, body: fitting } = FITTING[id] ?? {};

  it.each(Object.keys(values))('answers 400 to a %s that breaks its pattern', async (name) => {
    for (const wrong of ['Upper-Case', '1', 'a', 'a b', 'ä-ö', '__proto__', 'a/b', '-a-']) {
      const answer = await call(
        id,
        { ...values, [name]: wrong },
        fitting === undefined ? {} : { body: fitting },
      );
      expect([wrong, answer.status]).toEqual([wrong, 400]);
      expect(fieldsOf(answer)).toContain(name);
    }
  });

  it('answers 404 to what is not there', async () => {
    const first = Object.keys(values)[0] as string;
    const answer = await call(
      id,
      { ...values, [first]: 'aws:000000000000:eu-central-1:nobody' },
      fitting === undefined ? {} : { body: fitting },
    );
    expect(answer.status).toBe(404);
  });
});

describe('accounts', () => {
  it('takes, gives, lists and changes them', async () => {
    const made = await call(
      'createInfrastructureAccount',
      {},
      { body: wireAccount({ id: 'aws:2', name: 'two', cost_center: '77', unknown_field: 1 }) },
    );
    expect(made.status).toBe(201);
    expect(made.body).toEqual(wireAccount({ id: 'aws:2', name: 'two', cost_center: '77' }));
    expect((await call('getInfrastructureAccount', { account_id: 'aws:2' })).body).toEqual(made.body);
    expect(
      (await call('createInfrastructureAccount', {}, { body: wireAccount({ id: 'aws:2' }) })).status,
    ).toBe(409);
    const changed = await call(
      'updateInfrastructureAccount',
      { account_id: 'aws:2' },
      { body: { owner: 'team/new', criticality_level: 3 } },
    );
    expect(changed.body).toEqual({ ...body(made), owner: 'team/new', criticality_level: 3 });
    const renamed = await call(
      'updateInfrastructureAccount',
      { account_id: 'aws:2' },
      { body: { id: 'aws:3' } },
    );
    expect([renamed.status, fieldsOf(renamed)]).toEqual([400, ['id']]);
  });

  it.each([
    ['criticality_level', '7'],
    ['environment', 'staging'],
    ['external_id', '000000000007'],
    ['lifecycle_status', 'requested'],
    ['name', 'seven'],
    ['owner', 'team/seven'],
    ['type', 'gcp'],
    ['cost_center', '0000000007'],
  ])('filters by %s', async (name, value) => {
    const seven = wireAccount({
      id: 'aws:7',
      criticality_level: 7,
      environment: 'staging',
      external_id: '000000000007',
      lifecycle_status: 'requested',
      name: 'seven',
      owner: 'team/seven',
      type: 'gcp',
      cost_center: '0000000007',
    });
    await call('createInfrastructureAccount', {}, { body: seven });
    const found = await call('listInfrastructureAccounts', {}, { query: { [name]: value } });
    expect(items(found)).toEqual([seven]);
  });

  it('names every wrong field', async () => {
    const answer = await call(
      'createInfrastructureAccount',
      {},
      {
        body: {
          id: 'UPPER',
          type: 1,
          criticality_level: 'x',
          lifecycle_status: 'sleeping',
          name: 'nul\u0000',
        },
      },
    );
    expect(answer.status).toBe(400);
    expect(fieldsOf(answer).sort()).toEqual([
      'cost_center',
      'criticality_level',
      'environment',
      'external_id',
      'id',
      'lifecycle_status',
      'name',
      'owner',
      'type',
    ]);
  });
});

describe('clusters', () => {
  it('gives back what was registered, and a time', async () => {
    const before = Date.now();
    const made = await call(
      'createCluster',
      {},
      { body: { ...wireCluster('kube-2'), surprise: { deep: true }, created_at: '1999-01-01T00:00:00Z' } },
    );
    expect(made.status).toBe(201);
    const { created_at: created, status, ...rest } = body(made);
    expect(rest).toEqual(wireCluster('kube-2'));
    expect(status).toEqual({ problems: [] });
    expect(Date.parse(created as string)).toBeGreaterThanOrEqual(before - 1_000);
    expect((await call('getCluster', { cluster_id: rest['id'] as string })).body).toEqual(made.body);
  });

  it('takes ids with colons as they are and percent-encoded', async () => {
    for (const rawPath of [true, false]) {
      expect((await call('getCluster', at, { rawPath })).status).toBe(200);
      expect(
        (
          await call(
            'addOrUpdateConfigItem',
            { ...at, config_key: 'by_path' },
            { rawPath, body: { value: String(rawPath) } },
          )
        ).body,
      ).toEqual({ value: String(rawPath) });
    }
  });

  it('answers 409 to a second one with its id or its alias', async () => {
    expect(
      (await call('createCluster', {}, { body: wireCluster('kube-1', { alias: 'other-alias' }) })).status,
    ).toBe(409);
    expect(
      (await call('createCluster', {}, { body: wireCluster('kube-x', { alias: 'kube-1' }) })).status,
    ).toBe(409);
    expect(
      (
        await call(
          'updateCluster',
          { cluster_id: `${ACCOUNT_ID}:eu-central-1:kube-2` },
          { body: { alias: 'kube-1' } },
        )
      ).status,
    ).toBe(409);
  });

  it('makes one of ten that are registered alike at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => call('createCluster', {}, { body: wireCluster('kube-ten') })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(9).fill(409)]);
  });

  it.each([
    ['alias', 'kube-f', 'kube-f'],
    ['api_server_url', 'https://filter.example.org', 'https://filter.example.org'],
    ['channel', 'beta', 'beta'],
    ['criticality_level', 3, '3'],
    ['environment', 'filter-env', 'filter-env'],
    ['infrastructure_account', 'aws:44', 'aws:44'],
    ['lifecycle_status', 'creating', 'creating'],
    ['local_id', 'filter-id', 'filter-id'],
    ['provider', 'filter-provider', 'filter-provider'],
    ['region', 'eu-north-1', 'eu-north-1'],
    ['cost_center', undefined, '44'],
  ])('filters by %s', async (name, value, query) => {
    await call('createInfrastructureAccount', {}, { body: wireAccount({ id: 'aws:44', cost_center: '44' }) });
    const wanted = wireCluster('kube-f', {
      api_server_url: 'https://filter.example.org',
      channel: 'beta',
      criticality_level: 3,
      environment: 'filter-env',
      infrastructure_account: 'aws:44',
      lifecycle_status: 'creating',
      local_id: 'filter-id',
      provider: 'filter-provider',
      region: 'eu-north-1',
    });
    await call('createCluster', {}, { body: wanted });
    const found = await call('listClusters', {}, { query: { [name]: query } });
    expect(items(found).map((one) => one['id'])).toEqual([wanted.id]);
    if (value !== undefined) expect(items(found)[0]?.[name]).toBe(value);
    expect(items(await call('listClusters', {}, { query: { alias: 'kube-f', channel: 'dev' } }))).toEqual([]);
  });

  it('leaves technical data out when it is not wanted', async () => {
    for (const verbose of ['false', 'False']) {
      const one = body(await call('getCluster', at, { query: { verbose } }));
      expect(one).not.toHaveProperty('config_items');
      expect(one).not.toHaveProperty('node_pools');
      const [first] = items(await call('listClusters', {}, { query: { verbose } }));
      expect(first).not.toHaveProperty('node_pools');
    }
    expect(body(await call('getCluster', at, { query: { verbose: 'true' } }))).toHaveProperty('node_pools');
  });

  it.each([
    ['listClusters', 'criticality_level', 'high'],
    ['listClusters', 'criticality_level', '99999999999'],
    ['listClusters', 'lifecycle_status', 'asleep'],
    ['listClusters', 'verbose', 'perhaps'],
    ['listInfrastructureAccounts', 'criticality_level', '1.5'],
    ['listInfrastructureAccounts', 'lifecycle_status', 'decommission-requested'],
  ])('answers 400 to %s with %s=%s', async (id, name, value) => {
    const answer = await call(id, {}, { query: { [name]: value } });
    expect([answer.status, fieldsOf(answer)]).toEqual([400, [name]]);
  });

  it('names every wrong field, in pools too', async () => {
    const wrong = wireCluster('kube-bad', {
      id: 'No',
      alias: '-x',
      api_server_url: 'ftp://x',
      criticality_level: 1.5,
      lifecycle_status: 'gone',
      region: undefined,
      config_items: { a: 1 },
      node_pools: [
        wirePool('ok-pool', { instance_types: [], min_size: -1 }),
        wirePool('Bad', { min_size: 9, max_size: 1, instance_types: ['a', 'a'] }),
      ],
    });
    const answer = await call('createCluster', {}, { body: wrong });
    expect(answer.status).toBe(400);
    expect(fieldsOf(answer)).toEqual(
      expect.arrayContaining([
        'id',
        'alias',
        'api_server_url',
        'criticality_level',
        'lifecycle_status',
        'region',
        'config_items.a',
        'node_pools[0].instance_types',
        'node_pools[0].min_size',
        'node_pools[1].name',
        'node_pools[1].instance_types',
      ]),
    );
    for (const field of fieldsOf(answer)) expect(error(answer).message).toContain(field);
  });

  it('answers 400, with what there is, to an unknown channel and account', async () => {
    const answer = await call(
      'createCluster',
      {},
      { body: wireCluster('kube-c', { channel: 'nightly', infrastructure_account: 'aws:0' }) },
    );
    expect(answer.status).toBe(400);
    expect(fieldsOf(answer)).toEqual(['channel', 'infrastructure_account']);
    expect(error(answer).message).toMatch(/nightly.*dev, alpha, beta, stable.*aws:0.*register/);
    expect((await call('updateCluster', at, { body: { channel: 'nightly' } })).status).toBe(400);
  });

  it('answers 400 to two pools of one name', async () => {
    const answer = await call(
      'createCluster',
      {},
      { body: wireCluster('kube-c', { node_pools: [wirePool(), wirePool()] }) },
    );
    expect([answer.status, fieldsOf(answer)]).toEqual([400, ['node_pools']]);
  });

  it('stores text of any kind as it is', async () => {
    const odd = {
      quote: `'"; DROP TABLE clusters;--`,
      unicode: 'Ünïcode 💥',
      lines: 'a\n---\nb',
      empty: '',
      'dotted.key': 'x',
    };
    const made = await call('createCluster', {}, { body: wireCluster('kube-odd', { config_items: odd }) });
    expect(body(made)['config_items']).toEqual(odd);
  });
});

describe('changes of a cluster', () => {
  it('merges config items; null takes one away; the rest stays', async () => {
    await call('createCluster', {}, { body: wireCluster('kube-p') });
    const id = { cluster_id: `${ACCOUNT_ID}:eu-central-1:kube-p` };
    const changed = await call('updateCluster', id, {
      body: {
        config_items: { product_x_key: 'new', added: 'yes', product_y_key: null },
        channel: 'stable',
        not_known: 1,
      },
    });
    expect(changed.status).toBe(200);
    expect(body(changed)).toMatchObject({
      config_items: { product_x_key: 'new', added: 'yes' },
      channel: 'stable',
      alias: 'kube-p',
    });
    expect(body(changed)['config_items']).not.toHaveProperty('product_y_key');
    expect(body(changed)['node_pools']).toEqual(wireCluster('kube-p').node_pools);
    expect((await call('getCluster', id)).body).toEqual(changed.body);
  });

  it('loses and refuses none of many changes at once, of its pools neither', async () => {
    const record = wireCluster('kube-many');
    await call('createCluster', {}, { body: record });
    const id = { cluster_id: record.id };
    const at = { ...id, node_pool_name: record.node_pools[0]?.name as string };
    const keys = Array.from({ length: 15 }, (_, index) => `key_${index}`);
    const answers = await Promise.all(
      keys.flatMap((key) => {
        const change = { body: { config_items: { [key]: 'x' } } };
        return [call('updateCluster', id, change), call('updateNodePool', at, change)];
      }),
    );
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(body(await call('getCluster', id))['config_items']).toMatchObject({ key_0: 'x', key_14: 'x' });
  });

  it.each([
    [{ id: 'aws:1:other:id' }, ['id']],
    [{ alias: 'UPPER', region: '' }, ['alias', 'region']],
    [{ config_items: { a: 5 } }, ['config_items.a']],
    [{ lifecycle_status: 'gone' }, ['lifecycle_status']],
  ])('answers 400 to %j', async (change, fields) => {
    const answer = await call('updateCluster', at, { body: change });
    expect([answer.status, fieldsOf(answer)]).toEqual([400, fields]);
  });

  it('takes a change only of the version that it names', async () => {
    const got = await call('getCluster', at);
    const etag = got.headers.get('etag') as string;
    const changed = await call('updateCluster', at, {
      body: { environment: 'test' },
      headers: { 'If-Match': etag },
    });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
    const stale = { 'If-Match': etag };
    expect(
      (await call('updateCluster', at, { body: { environment: 'production' }, headers: stale })).status,
    ).toBe(412);
    expect(
      (await call('updateCluster', at, { body: { config_items: { a_b: '1' } }, headers: stale })).status,
    ).toBe(412);
    expect(
      (
        await call(
          'addOrUpdateConfigItem',
          { ...at, config_key: 'a_b' },
          { body: { value: '1' }, headers: stale },
        )
      ).status,
    ).toBe(412);
    expect((await call('createOrUpdateNodePool', pool, { body: wirePool(), headers: stale })).status).toBe(
      412,
    );
    expect((await call('deleteCluster', at, { headers: stale })).status).toBe(412);
    expect((await call('updateCluster', at, { body: {}, headers: { 'If-Match': 'rubbish' } })).status).toBe(
      400,
    );
    expect(
      (await call('updateCluster', at, { body: { environment: 'production' }, headers: { 'If-Match': '*' } }))
        .status,
    ).toBe(200);
  });
});

describe('config items', () => {
  it.each([
    ['addOrUpdateConfigItem', 'deleteConfigItem', at],
    ['addOrUpdateNodePoolConfigItem', 'deleteNodePoolConfigItem', pool],
  ])('%s, %s', async (put, remove, values: Record<string, string>) => {
    const key = { ...values, config_key: 'an_item' };
    const set = await call(put, key, { body: { value: 'v1', more: 1 } });
    expect([set.status, set.body]).toEqual([200, { value: 'v1' }]);
    expect((await call(put, key, { body: { value: '' } })).body).toEqual({ value: '' });
    for (const wrong of [
      {},
      { value: 1 },
      { value: null },
      { value: 'nul\u0000' },
      { value: 'x'.repeat(300_000) },
    ]) {
      const answer = await call(put, key, { body: wrong });
      expect([answer.status, fieldsOf(answer)]).toEqual([400, ['value']]);
    }
    expect((await call(put, { ...key, config_key: 'constructor' }, { body: { value: 'x' } })).status).toBe(
      400,
    );
    expect((await call(remove, key)).status).toBe(204);
    expect((await call(remove, key)).status).toBe(404);
  });

  it('shows them with the cluster', async () => {
    await call('addOrUpdateConfigItem', { ...at, config_key: 'shown' }, { body: { value: '1' } });
    await call('addOrUpdateNodePoolConfigItem', { ...pool, config_key: 'shown' }, { body: { value: '2' } });
    const cluster = body(await call('getCluster', at)) as {
      config_items: object;
      node_pools: { name: string; config_items: object }[];
    };
    expect(cluster.config_items).toMatchObject({ shown: '1' });
    expect(cluster.node_pools.find(({ name }) => name === 'pool-1')?.config_items).toMatchObject({
      shown: '2',
    });
  });
});

describe('node pools', () => {
  it('are made, replaced, changed and deleted', async () => {
    const two = { ...at, node_pool_name: 'pool-two' };
    expect((await call('createOrUpdateNodePool', two, { body: wirePool('pool-two') })).body).toEqual(
      wirePool('pool-two'),
    );
    const replaced = wirePool('pool-two', { min_size: 1, config_items: { other: 'x' } });
    expect((await call('createOrUpdateNodePool', two, { body: replaced })).body).toEqual(replaced);
    const changed = await call('updateNodePool', two, {
      body: { max_size: 5, config_items: { added: 'y', other: null } },
    });
    expect(changed.body).toEqual({ ...replaced, max_size: 5, config_items: { added: 'y' } });
    expect(items(await call('listNodePools', at)).map(({ name }) => name)).toEqual([
      'masters',
      'pool-1',
      'pool-two',
    ]);
    expect((await call('deleteNodePool', two)).status).toBe(204);
    expect((await call('deleteNodePool', two)).status).toBe(404);
    expect((await call('updateNodePool', two, { body: { max_size: 5 } })).status).toBe(404);
  });

  it('may be put without config items', async () => {
    const { config_items: _, ...bare } = wirePool('pool-bare');
    expect(
      (await call('createOrUpdateNodePool', { ...at, node_pool_name: 'pool-bare' }, { body: bare })).body,
    ).toEqual({ ...bare, config_items: {} });
  });

  it.each([
    [{ name: 'another' }, ['name']],
    [{ instance_types: ['a', 'a'] }, ['instance_types']],
    [{ instance_types: [] }, ['instance_types']],
    [{ min_size: 50 }, ['min_size']],
    [{ max_size: 1 }, ['min_size']],
    [{ max_size: 99999999999 }, ['max_size']],
    [{ min_size: '3' }, ['min_size']],
  ])('answer 400 to %j', async (change, fields) => {
    for (const [id, sent] of [
      ['updateNodePool', change],
      ['createOrUpdateNodePool', { ...wirePool(), ...change }],
    ] as const) {
      const answer = await call(id, pool, { body: sent });
      expect([id, answer.status, fieldsOf(answer)]).toEqual([id, 400, fields]);
    }
  });
});

describe('deleting a cluster', () => {
  it('takes the record of one that nothing was made for', async () => {
    await call('createCluster', {}, { body: wireCluster('kube-del') });
    const id = { cluster_id: `${ACCOUNT_ID}:eu-central-1:kube-del` };
    expect((await call('deleteCluster', id)).status).toBe(204);
    expect((await call('getCluster', id)).status).toBe(404);
    expect((await call('deleteCluster', id)).status).toBe(404);
    expect((await call('createCluster', {}, { body: wireCluster('kube-del') })).status).toBe(201);
  });
});

it('has seen every declared answer but errors of the server', () => {
  const missing = operations.flatMap(({ id, responses }) =>
    [...responses.keys()]
      // Every role may read.
      .filter((status) => status !== 500 && !(status === 403 && READS.has(id)))
      .filter((status) => !reached.get(id)?.has(status))
      .map((status) => `${id} ${status}`),
  );
  expect(missing).toEqual([]);
});
