import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { StoredEvent } from '#fleet';
import type { DeliveryResult } from '#ports';
import { createNotifier, type CommitStatusRoute } from '#adapters/notify';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
let host: Server;
let base: string;
let received: Received[];
let reply: { status: number; body: string };

const github = (): CommitStatusRoute => ({
  name: 's',
  kind: 'github-status',
  url: base,
  repository: 'acme/config',
  token: 'ghp_geheim',
  targetUrl: 'https://fairway.example.org',
});
const gitlab = (): CommitStatusRoute => ({
  name: 's',
  kind: 'gitlab-status',
  url: `${base}/api/v4/`,
  repository: 'acme/platform/config',
  token: 'glpat-geheim',
});
const send = (
  route: CommitStatusRoute,
  type: string,
  more: Partial<StoredEvent> = {},
): Promise<DeliveryResult> => {
  const event: StoredEvent = {
    id: 1,
    type,
    at: 0,
    severity: 'info',
    subject: 'channel/beta',
    channel: 'beta',
    message: 'm'.repeat(300),
    data: { commit: COMMIT },
    ...more,
  };
  return createNotifier([route], { allowPrivate: true }).deliver({
    id: '1.s',
    route: 's',
    event,
    attempt: 1,
    dueAt: 0,
  });
};

beforeEach(async () => {
  received = [];
  reply = { status: 201, body: '{}' };
  host = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({
        path: request.url ?? '',
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>,
      });
      response.writeHead(reply.status).end(reply.body);
    });
  });
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
});
afterEach(async () => {
  host.closeAllConnections();
  await new Promise((resolve) => host.close(resolve));
});

it('GitHub gets its payload', async () => {
  expect(await send(github(), 'revision.verified')).toEqual({ kind: 'delivered', status: 201 });
  expect(received).toMatchObject([
    {
      path: `/repos/acme/config/statuses/${COMMIT}`,
      headers: {
        authorization: 'Bearer ghp_geheim',
        accept: 'application/vnd.github+json',
        'x-github-api-version': '2022-11-28',
        'user-agent': 'Fairway',
      },
      body: {
        state: 'success',
        context: 'fairway/conformance/beta',
        target_url: 'https://fairway.example.org',
      },
    },
  ]);
  expect(String(received[0]?.body['description'])).toHaveLength(140);
});

it('GitLab gets its own, and a state that is there already is fine', async () => {
  expect(await send(gitlab(), 'conformance.failed')).toEqual({ kind: 'delivered', status: 201 });
  expect(received[0]).toMatchObject({
    path: `/api/v4/projects/acme%2Fplatform%2Fconfig/statuses/${COMMIT}`,
    headers: { 'private-token': 'glpat-geheim' },
    body: { state: 'failed', name: 'fairway/conformance/beta' },
  });
  reply = { status: 400, body: '{"message":"Cannot transition status via :run from :running"}' };
  expect(await send(gitlab(), 'revision.seen')).toEqual({ kind: 'delivered', status: 400 });
});

it('events that are about no gate of a commit say nothing', async () => {
  expect(await send(github(), 'cluster.ready')).toEqual({ kind: 'delivered', status: 204 });
  expect(await send(github(), 'revision.seen', { data: { commit: '../../user' } })).toEqual({
    kind: 'delivered',
    status: 204,
  });
  expect(received).toEqual([]);
});

it('a commit that the host does not know is given up, a denied token is tried again', async () => {
  reply = { status: 422, body: 'No commit found' };
  expect(await send(github(), 'promotion.done')).toMatchObject({ kind: 'dead' });
  reply = { status: 401, body: 'Bad credentials' };
  const denied = await send(github(), 'promotion.done');
  expect(denied).toMatchObject({ kind: 'retry' });
  expect(JSON.stringify(denied)).not.toContain('geheim');
  reply = { status: 410, body: 'repository is gone' };
  expect(await send(github(), 'promotion.done')).toMatchObject({ kind: 'retry' });
});
