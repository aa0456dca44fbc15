import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { milliseconds } from '#kernel';
import { createHealthProber } from './health-prober.adapter.js';

const servers: Server[] = [];
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const check = { name: 'errors', promql: 'sum(rate(errors[5m]))', max: 2 };
const answering = (status: number, body: string) =>
  serve((_request, response) => void response.writeHead(status).end(body));
const vector = (...values: readonly string[]): string =>
  JSON.stringify({
    status: 'success',
    data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [1, value] })) },
  });

describe('PromQL checks', () => {
  it.each<[string, number, string, object]>([
    ['well', 200, vector('1.5'), { state: 'pass', message: '1.5 (at most 2 is well)' }],
    [
      'the worst counts',
      200,
      vector('0', '7', '1'),
      { state: 'fail', message: '7 (at most 2 is well, worst of 3)' },
    ],
    ['no data', 200, vector(), { state: 'pending', message: 'no data' }],
    ['no number', 200, vector('NaN'), { state: 'pending', message: 'a value is no number' }],
    ['infinite', 200, vector('+Inf'), { state: 'fail' }],
    [
      'a scalar',
      200,
      '{"status":"success","data":{"resultType":"scalar","result":[1,"0"]}}',
      { state: 'pass' },
    ],
    ['an error', 400, '{"status":"error","error":"bad query"}', { state: 'error' }],
    ['a matrix', 200, '{"status":"success","data":{"resultType":"matrix","result":[]}}', { state: 'error' }],
    ['no JSON', 200, '<html>', { state: 'error' }],
    ['null', 200, 'null', { state: 'error' }],
  ])('%s', async (_name, status, body, expected) => {
    const prober = createHealthProber({ prometheusUrl: await answering(status, body) });
    expect(await prober.ask(check)).toMatchObject(expected);
  });

  it('ask with the query as it is, and say who is missing', async () => {
    let asked = '';
    const url = await serve((request, response) => {
      asked = decodeURIComponent(request.url?.replaceAll('+', ' ') ?? '');
      response.end(vector('0'));
    });
    await createHealthProber({ prometheusUrl: `${url}/prom/` }).ask(check);
    expect(asked).toBe(`/prom/api/v1/query?query=${check.promql}`);
    expect(await createHealthProber().ask(check)).toMatchObject({ state: 'error' });
  });
});

describe('HTTP checks', () => {
  it.each([
    [200, 'pass'],
    [204, 'pass'],
    [302, 'error'],
    [404, 'fail'],
    [503, 'fail'],
  ])('%i is %s', async (status, state) => {
    const url = await serve(
      (_request, response) => void response.writeHead(status, { location: 'http://169.254.169.254/' }).end(),
    );
    expect((await createHealthProber({ allowPrivate: true }).ask({ name: 'x', url })).state).toBe(state);
  });

  it('go to no private address unless they may, and never to a metadata service', async () => {
    let called = 0;
    const url = await serve((_request, response) => {
      called += 1;
      response.end();
    });
    const refused = await createHealthProber().ask({ name: 'x', url });
    expect(refused).toMatchObject({ state: 'error', message: expect.stringContaining('loopback') });
    expect(called).toBe(0);
    const metadata = { name: 'x', url: 'http://169.254.169.254/latest/meta-data' };
    expect(await createHealthProber({ allowPrivate: true }).ask(metadata)).toMatchObject({ state: 'error' });
    // A name whose second answer leads inside is asked for once only, and judged by that answer.
    const rebinding = createHealthProber({ resolve: async () => [{ address: '10.0.0.1', family: 4 }] });
    expect(await rebinding.ask({ name: 'x', url: 'https://rebind.example.org' })).toMatchObject({
      state: 'error',
    });
  });

  it('are left after the time limit', async () => {
    const url = await serve(() => undefined);
    const prober = createHealthProber({ allowPrivate: true, timeout: milliseconds(50) });
    expect(await prober.ask({ name: 'x', url })).toMatchObject({ state: 'error' });
  });
});
