import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { FailureError, hours, milliseconds, minutes, seconds } from '#kernel';
import { retryDelay } from '#fleet';
import type { Delivery } from '#ports';
import { createNotifier, type NotifierOptions, type NotifyRoute } from '#adapters/notify';

interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let receiver: Server;
let base: string;
let received: Received[];
let respond: (response: ServerResponse) => void;

const SECRETS = [
  `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
  `whsec_${Buffer.alloc(32, 2).toString('base64')}`,
];
const HOSTILE = '<!channel> & <script> @here *bold* `code` https://evil.example/?a=1';

const delivery = (route: string, more: Partial<Delivery> = {}): Delivery => ({
  id: '7.webhook',
  route,
  attempt: 1,
  dueAt: 0,
  event: {
    id: 7,
    type: 'promotion.done',
    at: Date.parse('2026-06-01T08:00:00Z'),
    severity: 'error',
    subject: 'channel/beta',
    channel: 'beta',
    message: HOSTILE,
    data: { commit: 'abc', reason: 'see <!here>' },
  },
  ...more,
});

const slack = (url = `${base}/services/T0/B0/secret`): NotifyRoute => ({
  name: 'slack',
  kind: 'slack-webhook',
  url,
});
const hook = (url = `${base}/hook`, secrets = SECRETS): NotifyRoute => ({
  name: 'webhook',
  kind: 'standard-webhook',
  url,
  secrets,
});
const send = (route: NotifyRoute, more: Partial<Delivery> = {}, options: NotifierOptions = {}) =>
  createNotifier([route], { allowPrivate: true, ...options }).deliver(delivery(route.name, more));

beforeEach(async () => {
  received = [];
  respond = (response) => void response.writeHead(200).end('ok');
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      });
      respond(response);
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
});
afterEach(async () => {
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

describe('Standard Webhooks', () => {
  it('verify with the reference library, by either secret, and keep their id over attempts', async () => {
    expect(await send(hook())).toEqual({ kind: 'delivered', status: 200 });
    await send(hook(), { attempt: 2 });
    const [first, second] = received as [Received, Received];
    for (const secret of SECRETS) {
      const verified = new Webhook(secret).verify(first.body, first.headers as Record<string, string>);
      expect(verified).toMatchObject({
        type: 'promotion.done',
        timestamp: '2026-06-01T08:00:00.000Z',
        data: {
          id: 7,
          severity: 'error',
          subject: 'channel/beta',
          channel: 'beta',
          message: HOSTILE,
          details: { commit: 'abc' },
        },
      });
    }
    expect(() =>
      new Webhook(SECRETS[0] as string).verify(`${first.body} `, first.headers as Record<string, string>),
    ).toThrow();
    expect(() =>
      new Webhook(`whsec_${Buffer.alloc(32, 3).toString('base64')}`).verify(
        first.body,
        first.headers as Record<string, string>,
      ),
    ).toThrow();
    expect(first.headers['webhook-id']).toBe('msg_7_webhook');
    expect(second.headers['webhook-id']).toBe('msg_7_webhook');
    expect(first.headers['content-type']).toBe('application/json');
  });

  it('refuse routes that cannot work, without showing secrets', () => {
    const refused = (route: NotifyRoute): string => {
      try {
        createNotifier([route, { ...hook(), name: 'other' }]);
      } catch (error) {
        return error instanceof FailureError ? error.failure.message : 'not a failure';
      }
      return 'accepted';
    };
    expect(refused(hook(undefined, []))).toContain('needs one secret');
    expect(refused(hook(undefined, ['whsec_c2hvcnQ=']))).toContain('24 to 64 bytes');
    expect(refused(hook(undefined, ['geheim!!']))).not.toContain('geheim');
    expect(refused(hook('nowhere'))).toContain('no valid URL');
    expect(refused(hook('ftp://example.org/'))).toContain('https');
    expect(refused(hook('https://u:geheim@example.org/'))).toBe(
      'the notification route "webhook" must not have user or password in its address',
    );
    expect(refused({ ...hook(), name: 'other' })).toContain('twice');
  });
});

describe('Slack', () => {
  it('gets escaped text that calls nobody and links nowhere', async () => {
    expect(await send(slack())).toEqual({ kind: 'delivered', status: 200 });
    const { body, path } = received[0] as Received;
    expect(path).toBe('/services/T0/B0/secret');
    expect(body).toContain('&lt;!channel&gt; &amp; &lt;script&gt;');
    expect(body).not.toMatch(/<!channel|<!here|<script|@here|https:\/\/evil|[^\u200b]\*bold/);
    const message = JSON.parse(body) as { text: string; blocks: { type: string }[] };
    expect(message.text).toMatch(/^:x: error: /);
    expect(message.blocks.map((block) => block.type)).toEqual(['section', 'section', 'context']);
  });

  it('gets no more than it takes', async () => {
    const long = { ...delivery('slack').event, message: '&'.repeat(10_000) };
    await send(slack(), { event: long });
    const { blocks } = JSON.parse((received[0] as Received).body) as {
      blocks: { text?: { text: string } }[];
    };
    expect(blocks[0]?.text?.text.replaceAll('&amp;', '&').length).toBeLessThan(3000);
  });

  it('is not asked again about what it calls malformed', async () => {
    respond = (response) => void response.writeHead(400).end('invalid_payload');
    expect(await send(slack())).toEqual({ kind: 'dead', reason: 'HTTP 400: invalid_payload' });
  });
});

describe('receivers', () => {
  it.each<[string, (response: ServerResponse) => void, number, object]>([
    [
      '500',
      (response) => void response.writeHead(500).end('oops\n\u0007'),
      1,
      { kind: 'retry', reason: 'HTTP 500: oops', after: seconds(5) },
    ],
    [
      '404 later',
      (response) => void response.writeHead(404).end(),
      4,
      { kind: 'retry', reason: 'HTTP 404', after: hours(2) },
    ],
    [
      '410',
      (response) => void response.writeHead(410).end('gone'),
      1,
      { kind: 'disable', reason: 'HTTP 410: gone' },
    ],
    [
      '429 with seconds',
      (response) => void response.writeHead(429, { 'retry-after': '120' }).end(),
      1,
      { kind: 'retry', reason: 'HTTP 429', after: minutes(2) },
    ],
    [
      '429 with little',
      (response) => void response.writeHead(429, { 'retry-after': '1' }).end(),
      2,
      { kind: 'retry', reason: 'HTTP 429', after: minutes(5) },
    ],
    [
      '503 with too much',
      (response) => void response.writeHead(503, { 'retry-after': '99999999' }).end(),
      1,
      { kind: 'retry', reason: 'HTTP 503', after: hours(24) },
    ],
    [
      'nonsense in Retry-After',
      (response) => void response.writeHead(503, { 'retry-after': 'soon' }).end(),
      1,
      { kind: 'retry', reason: 'HTTP 503', after: seconds(5) },
    ],
    [
      'the last attempt',
      (response) => void response.writeHead(500).end(),
      10,
      { kind: 'dead', reason: 'given up after 10 attempts: HTTP 500' },
    ],
    [
      'cut off',
      (response) => void response.destroy(),
      1,
      { kind: 'retry', reason: 'cannot be reached (ECONNRESET)', after: seconds(5) },
    ],
  ])('answer: %s', async (_name, answer, attempt, expected) => {
    respond = answer;
    expect(await send(hook(), { attempt })).toEqual(expected);
    expect(received.length).toBe(1);
  });

  it('honour a date in Retry-After by the given clock', async () => {
    const now = Date.parse('2026-06-01T08:00:00Z');
    respond = (response) =>
      void response.writeHead(429, { 'retry-after': new Date(now + minutes(7)).toUTCString() }).end();
    expect(await send(hook(), {}, { clock: { now: () => now } })).toMatchObject({
      kind: 'retry',
      after: minutes(7),
    });
  });

  it('that redirect are not followed', async () => {
    respond = (response) => void response.writeHead(307, { location: `${base}/private` }).end();
    expect(await send(hook())).toMatchObject({
      kind: 'retry',
      reason: 'HTTP 307: redirects are not followed',
    });
    expect(received.map((one) => one.path)).toEqual(['/hook']);
  });

  it('that hang are left after the time limit', async () => {
    respond = () => undefined;
    // The receiver never answers: to come back at all is to have left it.
    expect(await send(hook(), {}, { timeout: milliseconds(200) })).toEqual({
      kind: 'retry',
      reason: 'no answer within 0.2 s',
      after: seconds(5),
    });
    respond = (response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(drip));
    };
    expect(await send(hook(), {}, { timeout: milliseconds(200) })).toMatchObject({ kind: 'retry' });
    expect(
      await send(hook(), {}, { timeout: milliseconds(100), resolve: () => new Promise(() => undefined) }),
    ).toMatchObject({ kind: 'retry' });
    const named = hook('https://hangs.example/');
    expect(
      await send(named, {}, { timeout: milliseconds(100), resolve: () => new Promise(() => undefined) }),
    ).toEqual({ kind: 'retry', reason: 'no answer within 0.1 s', after: seconds(5) });
  });

  it('that talk without end are cut off, and their status counts', async () => {
    respond = (response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    };
    expect(await send(hook())).toEqual({ kind: 'delivered', status: 200 });
  });

  it('that are no HTTP servers do no harm', async () => {
    const strange = createTcpServer((socket) => {
      socket.on('error', () => undefined).resume();
      socket.end('SSH-2.0-OpenSSH\r\n');
    });
    await new Promise<void>((resolve) => strange.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(strange.address() as AddressInfo).port}/`;
    expect(await send(hook(url))).toMatchObject({ kind: 'retry' });
    expect(await send(hook(url.replace('http:', 'https:')))).toMatchObject({ kind: 'retry' });
    await new Promise((resolve) => strange.close(resolve));
  });

  it('whose route is gone get nothing', async () => {
    const result = await createNotifier([]).deliver(delivery('old'));
    expect(result).toEqual({ kind: 'dead', reason: 'the route "old" is no longer configured' });
  });
});

describe('addresses', () => {
  const guarded = (url: string, addresses: readonly string[], allowPrivate = false) =>
    send(
      hook(url),
      {},
      {
        allowPrivate,
        timeout: seconds(20),
        resolve: async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      },
    );

  it.each([
    'http://127.0.0.1:1/',
    'https://127.0.0.1:1/',
    'https://[::1]:1/',
    'https://10.1.2.3/',
    'https://192.168.0.1/',
    'https://172.20.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://[fe80::1]/',
    'https://[fd00:ec2::254]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://0.0.0.0/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://100.64.0.1/',
    'https://224.0.0.1/',
  ])('refuses %s', async (url) => {
    expect(await send(hook(url), {}, { allowPrivate: false, timeout: seconds(20) })).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('not allowed') as string,
    });
  });

  it('refuses names of which one address is private, whatever the others are', async () => {
    expect(await guarded('https://rebind.example/', ['8.8.8.8', '127.0.0.1'])).toMatchObject({
      reason: 'the address is in the range "loopback", which is not allowed',
    });
    expect(await guarded('https://mapped.example/', ['::ffff:10.0.0.1'])).toMatchObject({
      reason: 'the address is in the range "private", which is not allowed',
    });
    expect(await guarded('http://plain.example/', ['8.8.8.8'])).toMatchObject({
      reason: 'plain http is not allowed to public addresses',
    });
  });

  it('never talks to metadata services, even where private receivers are allowed', async () => {
    expect(await guarded('http://meta.example/', ['169.254.169.254'], true)).toMatchObject({
      reason: 'the address is in the range "linkLocal", which no receiver has',
    });
    expect(await guarded('http://meta.example/', ['fd00:ec2::254'], true)).toMatchObject({ kind: 'retry' });
  });

  it('looks a name up once and goes where that answer said', async () => {
    let asked = 0;
    const port = new URL(base).port;
    const resolve = async () => {
      asked += 1;
      return [{ address: asked === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 as const }];
    };
    expect(await send(hook(`http://receiver.example:${port}/hook`), {}, { resolve })).toMatchObject({
      kind: 'delivered',
    });
    expect(asked).toBe(1);
    expect(received[0]?.headers.host).toBe(`receiver.example:${port}`);
  });

  it('shows no address in what it reports', async () => {
    const result = await send(slack('http://127.0.0.1:1/services/T0/B0/verysecret'));
    expect(result).toEqual({ kind: 'retry', reason: 'cannot be reached (ECONNREFUSED)', after: seconds(5) });
  });
});

describe('retryDelay', () => {
  it('spreads over about 75 hours and ends', () => {
    const waits = Array.from({ length: 12 }, (_, index) => retryDelay(index + 1));
    expect(waits.slice(0, 6)).toEqual([seconds(5), minutes(5), minutes(30), hours(2), hours(5), hours(10)]);
    const total = waits.reduce<number>((sum, wait) => sum + (wait ?? 0), 0);
    expect(total / hours(1)).toBeGreaterThan(75);
    expect(total / hours(1)).toBeLessThan(76);
    expect(waits.slice(9)).toEqual([undefined, undefined, undefined]);
  });
});
