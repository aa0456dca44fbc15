import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi, type Answer, type TestApi } from '../support/api.js';

const SECRET = 'a webhook secret of the test';
const PATH = '/webhooks/git/generic';
let api: TestApi;

beforeAll(async () => {
  api = await startTestApi({ FAIRWAY_GIT_WEBHOOK_SECRET: SECRET });
});
afterAll(() => api.close());

const signature = (body: string | Uint8Array, secret = SECRET): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
const post = (raw: string | Uint8Array, headers: Record<string, string>, url = api.url): Promise<Answer> =>
  fetch(url + PATH, { method: 'POST', body: raw as string, headers }).then(async (response) => ({
    status: response.status,
    headers: response.headers,
    text: await response.text(),
    body: undefined,
  }));

const PUSH = JSON.stringify({ ref: 'refs/heads/dev', after: '0123' });

it.each([
  ['X-Fairway-Signature-256', PUSH, 'application/json'],
  ['X-Hub-Signature-256', PUSH, 'application/json'],
  ['X-Hub-Signature-256', 'payload=%7B%7D', 'application/x-www-form-urlencoded'],
  ['X-Fairway-Signature-256', 'no JSON at all {', 'text/plain'],
  ['X-Fairway-Signature-256', '', 'application/json'],
])('takes a body that %s signs (%s)', async (header, body, type) => {
  const answer = await post(body, { [header]: signature(body), 'Content-Type': type });
  expect([answer.status, answer.text]).toEqual([202, '{"accepted":true}']);
});

it.each([
  ['none', {}],
  ['one of another secret', { 'X-Fairway-Signature-256': signature(PUSH, 'other') }],
  ['one of another body', { 'X-Fairway-Signature-256': signature(`${PUSH} `) }],
  ['one that is no hash', { 'X-Fairway-Signature-256': 'sha256=00' }],
  [
    'one of another algorithm',
    { 'X-Fairway-Signature-256': `sha1=${createHmac('sha1', SECRET).update(PUSH).digest('hex')}` },
  ],
  ['the older header alone', { 'X-Hub-Signature': signature(PUSH) }],
])('refuses %s', async (_, headers) => {
  const answer = await post(PUSH, headers);
  expect(answer.status).toBe(401);
  expect(JSON.parse(answer.text)).toMatchObject({
    type: expect.stringContaining('signature-invalid'),
    hint: expect.any(String),
  });
  expect(answer.text).not.toContain(SECRET);
});

it('refuses 20 MB and goes on answering meanwhile', async () => {
  const big = new Uint8Array(20 * 1024 * 1024).fill(120);
  const sent = Promise.all(
    Array.from({ length: 3 }, () => post(big, { 'X-Fairway-Signature-256': 'sha256=00' })),
  );
  const progress = { over: false };
  void sent.finally(() => (progress.over = true)).catch(() => undefined);
  let answers = 0;
  for (; !progress.over; answers += 1) expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
  for (const answer of await sent) {
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.text)).toMatchObject({
      status: 413,
      type: expect.stringContaining('body-too-large'),
    });
  }
  // Counted, not timed: one that is busy with the bodies gives the first answer after the last of them.
  expect(answers).toBeGreaterThan(1);
});

it('refuses a body that says it is small and is not', async () => {
  const chunks = async function* () {
    for (let sent = 0; sent < 64; sent += 1) yield Buffer.alloc(64 * 1024, 120);
  };
  const response = await fetch(api.url + PATH, {
    method: 'POST',
    body: chunks() as unknown as string,
    duplex: 'half',
  } as RequestInit);
  expect(response.status).toBe(413);
});

it('says so when no secret is configured, and has no other hosts’ webhooks', async () => {
  const bare = await startTestApi();
  try {
    expect((await post(PUSH, { 'X-Fairway-Signature-256': signature(PUSH) }, bare.url)).status).toBe(404);
  } finally {
    await bare.close();
  }
  expect((await fetch(`${api.url}/webhooks/git/nobody`, { method: 'POST' })).status).toBe(404);
});

it('logs neither secret nor signature', () => {
  const log = api.logged.join('');
  expect(log).not.toContain(SECRET);
  expect(log).not.toContain(signature(PUSH).slice(7));
});
