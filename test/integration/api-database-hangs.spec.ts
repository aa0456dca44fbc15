import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { wireTo, type CuttableWire } from '../support/cuttable-wire.js';
import { freshDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

let api: TestApi;
let wire: CuttableWire;
let drop: () => Promise<void>;

beforeAll(async () => {
  const database = await freshDatabase();
  drop = () => database.drop();
  const url = new URL(database.url);
  wire = await wireTo(url.hostname, Number(url.port));
  url.host = `127.0.0.1:${wire.port}`;
  api = await startTestApi({ FAIRWAY_DATABASE_URL: url.toString(), FAIRWAY_READ_TIME_LIMIT: '300ms' });
});
afterAll(async () => {
  await wire.down();
  await api.close();
  await drop();
});

it('a database that hangs is told to those who read, and nothing is left over when it is back', async () => {
  wire.hang();
  const [fleet, registry] = await Promise.all([
    api.send('GET', '/api/v1/clusters'),
    api.send('GET', '/kubernetes-clusters'),
  ]);
  expect([fleet.status, fleet.headers.get('retry-after')]).toEqual([503, '5']);
  expect(fleet.body).toMatchObject({
    type: expect.stringContaining('overdue'),
    detail: expect.stringContaining('no answer within 0.3 s'),
    hint: expect.stringContaining('/readyz'),
  });
  expect(registry.status).toBe(503);
  expect(registry.body).toMatchObject({ code: 503, message: expect.stringContaining('overloaded or away') });
  expect((await api.send('GET', '/healthz', { token: null })).status).toBe(200);
  await wire.down();
  await wire.up();
  await eventually(async () => (await api.send('GET', '/api/v1/clusters')).status === 200, 'an answer');
  expect(api.logged.filter((line) => line.includes('Cannot set headers'))).toEqual([]);
});
