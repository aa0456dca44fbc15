import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { wireAccount, wireCluster } from '../support/wire-records.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.send('POST', '/infrastructure-accounts', { body: wireAccount() });
});
afterAll(() => api.close());

interface Seen {
  readonly id: number;
  readonly type: string;
  readonly cluster?: string;
}

/** Reads the stream as a browser's EventSource does. */
async function listen(path = '/api/v1/events', headers: Record<string, string> = {}) {
  const stop = new AbortController();
  const response = await fetch(api.url + path, {
    headers: { Authorization: `Bearer ${api.token}`, Accept: 'text/event-stream', ...headers },
    signal: stop.signal,
  });
  const seen: Seen[] = [];
  const raw: string[] = [];
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      raw.push(decoder.decode(chunk, { stream: true }));
      const blocks = raw.join('').split('\n\n').slice(0, -1);
      seen.length = 0;
      for (const block of blocks) {
        const id = /^id: (\d+)$/m.exec(block)?.[1];
        const type = /^event: (.+)$/m.exec(block)?.[1];
        const data = /^data: (.+)$/m.exec(block)?.[1];
        if (id !== undefined && data !== undefined)
          seen.push({ ...(JSON.parse(data) as Seen), id: Number(id), type: type ?? '' });
      }
    }
  })().catch(() => undefined);
  return {
    response,
    seen,
    raw,
    stop: async () => {
      stop.abort();
      await reading;
    },
  };
}

const register = (localId: string) =>
  api.send('POST', '/kubernetes-clusters', { body: wireCluster(localId) });

it('sends what happens, as it happens, and from where a client stopped', async () => {
  const first = await listen();
  expect(first.response.headers.get('content-type')).toContain('text/event-stream');
  await eventually(() => first.raw.join('').includes(': connected'));
  await register('kube-1');
  await eventually(() => first.seen.some(({ type }) => type === 'cluster.created'), 'the event');
  await first.stop();
  const last = first.seen.at(-1)?.id as number;

  await register('kube-2');
  await register('kube-3');
  const second = await listen('/api/v1/events', { 'Last-Event-ID': String(last) });
  await eventually(() => second.seen.length >= 2, 'the replay');
  expect(second.seen.map(({ cluster }) => cluster?.split(':').at(-1))).toEqual(['kube-2', 'kube-3']);
  expect(second.seen.every(({ id }) => id > last)).toBe(true);
  await register('kube-4');
  await eventually(() => second.seen.length === 3, 'what follows the replay');
  await second.stop();
});

it('sends by notification, not by the next look two seconds after the last one', async () => {
  const stream = await listen('/api/v1/events');
  await eventually(() => stream.raw.join('').includes(': connected'));
  const waits: number[] = [];
  for (const localId of ['told-1', 'told-2', 'told-3', 'told-4']) {
    const { id } = wireCluster(localId);
    await register(localId);
    const asked = Date.now();
    await eventually(() => stream.seen.some(({ cluster }) => cluster === id), `the event of ${localId}`);
    waits.push(Date.now() - asked);
  }
  await stream.stop();
  // The quickest: a look alone would make all but the first wait for two seconds, a machine that stalls one of them.
  expect(Math.min(...waits.slice(1)), `${waits.join(', ')} ms`).toBeLessThan(1_500);
});

it('sends only what was asked for', async () => {
  const id = wireCluster('kube-5').id;
  const stream = await listen(`/api/v1/events?cluster=${encodeURIComponent(id)}`);
  await eventually(() => stream.raw.length > 0);
  await register('kube-6');
  await register('kube-5');
  await eventually(() => stream.seen.length > 0, 'the event');
  expect(stream.seen.map(({ cluster }) => cluster)).toEqual([id]);
  await stream.stop();
});

it('gives pages to those who do not stream, and 401 and 400 where due', async () => {
  const page = (await api.send('GET', '/api/v1/events?limit=2')).body as { items: Seen[] };
  expect(page.items).toHaveLength(2);
  const next = (await api.send('GET', `/api/v1/events?limit=2&after=${page.items[1]?.id}`)).body as {
    items: Seen[];
  };
  expect(next.items[0]?.id).toBeGreaterThan(page.items[1]?.id as number);
  const all = (await api.send('GET', '/api/v1/events?limit=1000')).body as { items: Seen[] };
  const newest = (await api.send('GET', '/api/v1/events?limit=2&newest=true')).body as { items: Seen[] };
  expect(newest.items).toEqual(all.items.slice(-2));
  expect(
    (await api.send('GET', '/api/v1/events', { token: null, headers: { Accept: 'text/event-stream' } }))
      .status,
  ).toBe(401);
  expect((await api.send('GET', '/api/v1/events?limit=0')).status).toBe(400);
});

it('lets the server close while somebody listens', async () => {
  const other = await startTestApi();
  const response = await fetch(`${other.url}/api/v1/events`, {
    headers: { Authorization: `Bearer ${other.token}`, Accept: 'text/event-stream' },
  });
  const ended = response.text().then(
    () => true,
    () => true,
  );
  await other.close();
  expect(await ended).toBe(true);
});

it('says that there is no such channel, instead of nothing', async () => {
  const answer = await api.send('GET', '/api/v1/events?channel=nosuch');
  expect([answer.status, answer.text]).toEqual([404, expect.stringContaining('dev, alpha, beta, stable')]);
  expect((await api.send('GET', '/api/v1/events?channel=stable')).status).toBe(200);
});

it('ends the stream of a token that is revoked', async () => {
  const made = (await api.send('POST', '/api/v1/tokens', { body: { name: 'listener', role: 'viewer' } }))
    .body;
  const { id, token } = made as { id: string; token: string };
  const response = await fetch(`${api.url}/api/v1/events`, {
    headers: { Authorization: `Bearer ${token}`, Accept: 'text/event-stream' },
  });
  let ended = false;
  void response.text().then(() => (ended = true));
  expect((await api.send('DELETE', `/api/v1/tokens/${id}`)).status).toBe(204);
  await eventually(() => ended, 'the end of the stream');
});
