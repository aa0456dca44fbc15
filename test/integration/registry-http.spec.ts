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
