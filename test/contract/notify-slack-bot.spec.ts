import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seconds } from '#kernel';
import type { StoredEvent } from '#fleet';
import type { DeliveryResult, NotifierPort } from '#ports';
import { createNotifier, type NotifyRoute } from '#adapters/notify';

interface Posted {
  readonly path: string;
  readonly token: string;
  readonly body: Record<string, unknown>;
  readonly ts: string;
}

/** As much of Slack as a bot with chat:write sees: messages with a ts, edits of what is there, and its kind of errors. */
class FakeSlack {
  readonly posted: Posted[] = [];
  readonly messages = new Map<string, Record<string, unknown>>();
  /** Refuses what is posted there, e.g. because the bot was not invited. */
  closed: string | undefined;
  fault:
    | { readonly status: number; readonly error?: string; readonly headers?: Record<string, string> }
    | undefined;
  private server!: Server;
  url = '';

  async start(): Promise<void> {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
        const answer = (status: number, said: object, headers = {}): void =>
          void response
            .writeHead(status, { 'content-type': 'application/json', ...headers })
            .end(JSON.stringify(said));
        if (this.fault) {
          const { status, error, headers } = this.fault;
          return answer(status, { ok: false, error }, headers);
        }
        if (body['channel'] === this.closed) return answer(200, { ok: false, error: 'not_in_channel' });
        const isUpdate = request.url?.endsWith('/chat.update') === true;
        const ts = isUpdate
          ? String(body['ts'])
          : `1700000000.${String(this.posted.length).padStart(6, '0')}`;
        if (isUpdate && !this.messages.has(ts)) return answer(200, { ok: false, error: 'message_not_found' });
        this.messages.set(ts, body);
        this.posted.push({ path: request.url ?? '', token: request.headers.authorization ?? '', body, ts });
        // Slack answers with the whole message: longer than a log line.
        return answer(200, { ok: true, channel: body['channel'], message: { text: 'x'.repeat(3_000) }, ts });
      });
    });
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/api`;
  }
  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const COMMIT = 'a'.repeat(40);
let slack: FakeSlack;
let notifier: NotifierPort;
let nextId = 1;

const route = (): NotifyRoute => ({
  name: 'slack-bot',
  kind: 'slack-bot',
  url: slack.url,
  token: 'xoxb-geheim',
  channels: { stable: 'C0STABLE', '*': 'C0ALL' },
});
const event = (type: string, more: Partial<StoredEvent> = {}): StoredEvent => ({
  id: (nextId += 1),
  type,
  at: 0,
  severity: 'info',
  subject: 'channel/beta',
  channel: 'beta',
  message: `${type} happened`,
  data: { commit: COMMIT, subject: 'new image' },
  ...more,
});
const deliver = (what: StoredEvent, attempt = 1): Promise<DeliveryResult> =>
  notifier.deliver({ id: `${what.id}.slack-bot`, route: 'slack-bot', event: what, attempt, dueAt: 0 });

beforeEach(async () => {
  slack = new FakeSlack();
  await slack.start();
  notifier = createNotifier([route()], { allowPrivate: true });
});
afterEach(() => slack.stop());

describe('Slack by bot token', () => {
  it('keeps one parent per channel and revision, edits it in place and tells the rest in its thread', async () => {
    for (const type of ['revision.seen', 'wave.started', 'revision.converged'])
      expect(await deliver(event(type))).toEqual({ kind: 'delivered', status: 200 });
    const parents = slack.posted.filter(
      (one) => one.path === '/api/chat.postMessage' && one.body['thread_ts'] === undefined,
    );
    expect(parents).toHaveLength(1);
    const [parent] = parents;
    expect(parent).toMatchObject({ token: 'Bearer xoxb-geheim', body: { channel: 'C0ALL' } });
    const replies = slack.posted.filter((one) => one.body['thread_ts'] !== undefined);
    expect(replies.map((one) => one.body['thread_ts'])).toEqual([parent?.ts, parent?.ts, parent?.ts]);
    expect(replies.every((one) => one.body['reply_broadcast'] === undefined)).toBe(true);
    expect(slack.posted.filter((one) => one.path === '/api/chat.update').map((one) => one.ts)).toEqual([
      parent?.ts,
      parent?.ts,
    ]);
    expect(slack.messages.get(parent?.ts ?? '')?.['text']).toBe(
      'beta · aaaaaaaaaa · new image: revision.converged happened',
    );
    await deliver(event('revision.seen', { channel: 'stable' }));
    await deliver(event('revision.seen', { data: { commit: 'b'.repeat(40) } }));
    const all = slack.posted.filter(
      (one) => one.path === '/api/chat.postMessage' && one.body['thread_ts'] === undefined,
    );
    expect(all.map((one) => one.body['channel'])).toEqual(['C0ALL', 'C0STABLE', 'C0ALL']);
  });

  it('tells the whole channel of failures and of what waits for a person', async () => {
    await deliver(event('revision.failed', { severity: 'error' }));
    await deliver(event('approval.awaited'));
    await deliver(event('conformance.passed'));
    const replies = slack.posted.filter((one) => one.body['thread_ts'] !== undefined);
    expect(replies.map((one) => one.body['reply_broadcast'])).toEqual([true, true, undefined]);
  });

  it('tells much at once in one message per Slack channel, with every parent up to date', async () => {
    await deliver(event('revision.seen'));
    const parent = slack.posted.find((one) => one.body['thread_ts'] === undefined)?.ts;
    slack.posted.length = 0;
    const events = [
      ...Array.from({ length: 40 }, (_, index) => event('conformance.passed', { message: `run ${index}` })),
      event('problem.raised', { severity: 'error', message: '<!channel> is on fire', data: {} }),
      event('revision.seen', { channel: 'stable', message: 'stable: seen' }),
    ];
    const deliveries = events.map((one) => ({
      id: `${one.id}.slack-bot`,
      route: 'slack-bot',
      event: one,
      attempt: 1,
      dueAt: 60_000,
    }));
    expect(await notifier.deliverDigest(deliveries)).toEqual({ kind: 'delivered', status: 200 });
    expect(slack.posted.map((one) => `${one.path.slice(5)} ${String(one.body['channel'])}`)).toEqual([
      'chat.update C0ALL',
      'chat.postMessage C0STABLE',
      'chat.postMessage C0ALL',
      'chat.postMessage C0STABLE',
    ]);
    expect(slack.messages.get(parent ?? '')?.['text']).toContain('run 39');
    expect(JSON.stringify(slack.posted[2]?.body)).toContain('41 events');
    expect(JSON.stringify(slack.posted)).not.toContain('<!channel>');
    // What went with the digest is not told again in the thread.
    slack.posted.length = 0;
    await deliver(events[3] as StoredEvent);
    expect(slack.posted).toEqual([]);
  });

  it('repeats no digest where it was taken, because another Slack channel refused it', async () => {
    const problem = (channel: string): StoredEvent =>
      event('problem.raised', { channel, message: `trouble in ${channel}`, data: {} });
    const late = problem('beta');
    const events = [problem('beta'), problem('stable')];
    const digest = (of: readonly StoredEvent[]): Promise<DeliveryResult> =>
      notifier.deliverDigest(
        of.map((one) => ({
          id: `${one.id}.slack-bot`,
          route: 'slack-bot',
          event: one,
          attempt: 1,
          dueAt: 0,
        })),
      );
    const places = (): readonly string[] => slack.posted.map((one) => String(one.body['channel']));
    slack.closed = 'C0STABLE';
    expect((await digest(events)).kind).toBe('retry');
    expect((await digest(events)).kind).toBe('retry');
    expect(places()).toEqual(['C0ALL']);
    slack.closed = undefined;
    expect(await digest(events)).toEqual({ kind: 'delivered', status: 200 });
    expect(places()).toEqual(['C0ALL', 'C0STABLE']);
    // An older event that another subject's retry held back is news all the same.
    expect(await digest([late, ...events])).toEqual({ kind: 'delivered', status: 200 });
    expect(places()).toEqual(['C0ALL', 'C0STABLE', 'C0ALL']);
    expect(JSON.stringify(slack.posted.at(-1)?.body)).toContain('1 event ');
  });

  it('says nothing twice when a delivery is repeated', async () => {
    const once = event('wave.started');
    await deliver(once);
    const before = slack.posted.length;
    expect(await deliver(once, 2)).toEqual({ kind: 'delivered', status: 200 });
    expect(slack.posted).toHaveLength(before);
  });

  it('posts a new parent when somebody deleted the old one', async () => {
    await deliver(event('revision.seen'));
    slack.messages.clear();
    await deliver(event('wave.started'));
    const parents = slack.posted.filter(
      (one) => one.path === '/api/chat.postMessage' && one.body['thread_ts'] === undefined,
    );
    expect(parents).toHaveLength(2);
  });

  it('escapes what strangers wrote', async () => {
    await deliver(
      event('revision.seen', {
        message: '<!channel> & <script>',
        data: { commit: COMMIT, subject: '<!here> *x*' },
      }),
    );
    const text = JSON.stringify(slack.posted.map((one) => one.body));
    expect(text).toContain('&lt;!channel&gt; &amp; &lt;script&gt;');
    expect(text).not.toContain('<!channel>');
    expect(text).not.toContain('<!here>');
    expect(text).not.toContain('<script>');
  });

  it('waits as long as Slack asks, tries again what can be cured, gives up what cannot', async () => {
    slack.fault = { status: 429, error: 'ratelimited', headers: { 'retry-after': '30' } };
    expect(await deliver(event('a'))).toEqual({
      kind: 'retry',
      reason: expect.stringContaining('429'),
      after: seconds(30),
    });
    slack.fault = { status: 200, error: 'not_in_channel' };
    expect(await deliver(event('a'))).toEqual({
      kind: 'retry',
      reason: 'Slack: not_in_channel',
      after: seconds(5),
    });
    slack.fault = { status: 200, error: 'invalid_blocks' };
    expect(await deliver(event('a'))).toEqual({ kind: 'dead', reason: 'Slack: invalid_blocks' });
    slack.fault = { status: 500 };
    const failed = await deliver(event('a'));
    expect(failed.kind).toBe('retry');
    expect(JSON.stringify(failed)).not.toContain('geheim');
  });
});
