import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { Swagger } from '../support/swagger.js';
import { ACCOUNT_ID, wireAccount, wireCluster } from '../support/wire-records.js';

const swagger = new Swagger();
const KUBE = `${ACCOUNT_ID}:eu-central-1:kube-1`;
let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
  await api.send('POST', '/infrastructure-accounts', { body: wireAccount() });
  await api.send('POST', '/kubernetes-clusters', { body: wireCluster('kube-1') });
});
afterAll(() => api.close());

describe('HTTP', () => {
  it.each([
    ['PUT', '/kubernetes-clusters', 'GET, POST'],
    ['DELETE', '/infrastructure-accounts', 'GET, POST'],
    ['POST', `/kubernetes-clusters/${KUBE}`, 'PATCH, GET, DELETE'],
    ['GET', `/kubernetes-clusters/${KUBE}/config-items/a_key`, 'PUT, DELETE'],
    ['DELETE', `/infrastructure-accounts/${ACCOUNT_ID}`, 'PATCH, GET'],
  ])('%s %s is not allowed', async (method, path, allow) => {
    const answer = await api.send(method, path, method === 'GET' || method === 'DELETE' ? {} : { body: {} });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
    expect(swagger.definition('Error')(answer.body)).toBe(true);
  });

  it('answers other paths below, and broken escapes, as errors of the contract', async () => {
    for (const [path, status] of [
      ['/kubernetes-clusters/a-b/nothing', 404],
      ['/kubernetes-clusters/%E0%A4%A', 400],
    ] as const) {
      const answer = await api.send('GET', path);
      expect([path, answer.status]).toEqual([path, status]);
      expect(swagger.definition('Error')(answer.body)).toBe(true);
    }
  });

  it('takes bodies of any declared type, compressed ones within the limit only', async () => {
    const put = `/kubernetes-clusters/${KUBE}/config-items/typed`;
    for (const type of ['application/json; charset=utf-8', 'text/plain', 'application/vnd.zalando+json']) {
      expect(
        (await api.send('PUT', put, { body: { value: type }, headers: { 'Content-Type': type } })).body,
      ).toEqual({ value: type });
    }
    const { gzipSync } = await import('node:zlib');
    const bomb = gzipSync(JSON.stringify({ value: 'x'.repeat(20 * 2 ** 20) }));
    expect((await api.send('PUT', put, { raw: bomb, headers: { 'Content-Encoding': 'gzip' } })).status).toBe(
      413,
    );
  });

  it('serves the contract', async () => {
    const served = await api.send('GET', '/api/docs/cluster-registry.yaml', { token: null });
    expect([served.status, served.text]).toEqual([200, swagger.text]);
  });

  it('answers 400 to a filter that is given twice', async () => {
    const answer = await api.send('GET', '/kubernetes-clusters?alias=a&alias=b');
    expect([answer.status, (answer.body as { fields: string }).fields]).toEqual([400, 'alias']);
  });

  it('says 304 only while nothing of the answer changed', async () => {
    const etag = (await api.send('GET', `/kubernetes-clusters/${KUBE}`)).headers.get('etag') as string;
    const conditional = { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' };
    const again = await api.send('GET', `/kubernetes-clusters/${KUBE}`, { headers: conditional });
    expect(again.status).toBe(304);
    await api.send('PUT', `/kubernetes-clusters/${KUBE}/config-items/etag_test`, { body: { value: etag } });
    expect((await api.send('GET', `/kubernetes-clusters/${KUBE}`, { headers: conditional })).status).toBe(
      200,
    );
  });
});

describe('what would surprise later is refused at once', () => {
  const patch = (path: string, body: object) =>
    api.send('PATCH', `/kubernetes-clusters/${KUBE}${path}`, { body });
  const told = (answer: { readonly body: unknown }) =>
    (answer.body as { readonly message: string; readonly fields: string }) ?? {};

  it('a field of a PATCH that is a letter away from one that exists; others are passed over', async () => {
    const typo = await patch('', { channnel: 'beta' });
    expect([typo.status, told(typo).fields]).toEqual([400, 'channnel']);
    expect(told(typo).message).toContain('did you mean channel?');
    expect((await patch('/node-pools/pool-1', { maxsize: 9 })).status).toBe(400);
    expect((await patch('', { created_at: 'now', x_team: 'us', kind: 'Cluster' })).status).toBe(200);
    // Of a client that knows the field of an older registry too.
    const both = { instance_type: 'm5.large', instance_types: ['m5.large'] };
    expect((await patch('/node-pools/pool-1', both)).status).toBe(200);
  });

  it('node pools in the PATCH of a cluster, unless they are what is there', async () => {
    const present = (await api.send('GET', `/kubernetes-clusters/${KUBE}`)).body as { node_pools: object[] };
    expect((await patch('', present)).status).toBe(200);
    const other = await patch('', {
      node_pools: present.node_pools.map((pool) => ({ ...pool, max_size: 21 })),
    });
    expect([other.status, told(other).fields]).toEqual([400, 'node_pools']);
    expect(told(other).message).toContain(`/kubernetes-clusters/${KUBE}/node-pools/`);
  });

  it('a node pool larger than a Kubernetes cluster can be', async () => {
    const huge = await patch('/node-pools/pool-1', { max_size: 1_000_000 });
    expect([huge.status, told(huge).fields]).toEqual([400, 'max_size']);
    expect(told(huge).message).toContain('5000');
    expect((await patch('/node-pools/pool-1', { max_size: 5_000 })).status).toBe(200);
  });
});

it('two records of one API server are let be, and told, however the address is written', async () => {
  const told = async (): Promise<readonly string[]> => {
    const { body } = await api.send('GET', '/api/v1/events?limit=1000');
    const { items } = body as { items: readonly { type: string; message: string }[] };
    return items.filter(({ type }) => type === 'cluster.server-shared').map(({ message }) => message);
  };
  const twin = wireCluster('kube-2', { api_server_url: 'https://KUBE-1.foo.example.org:443' });
  expect((await api.send('POST', '/kubernetes-clusters', { body: twin })).status).toBe(201);
  expect(await told()).toEqual([expect.stringContaining(`is that of cluster kube-1 (${KUBE}) too`)]);
  const at = `/kubernetes-clusters/${twin.id}`;
  const change = (body: object) => api.send('PATCH', at, { body });
  await change({ owner: 'somebody' });
  await change({ api_server_url: 'https://kube-2.foo.example.org' });
  expect(await told()).toHaveLength(1);
  expect((await change({ api_server_url: 'https://kube-1.foo.example.org/' })).status).toBe(200);
  expect(await told()).toHaveLength(2);
});
