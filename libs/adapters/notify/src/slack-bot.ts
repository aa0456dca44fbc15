import type { Instant } from '#kernel';
import type { StoredEvent } from '#fleet';
import type { DeliveryResult, NotificationThreads } from '#ports';
import type { SendResult } from './http-sender.js';
import type { SlackBotRoute } from './notify-route.js';
import { slackDigest } from './slack-digest.js';
import { escapeMrkdwn, slackMessage } from './slack-message.js';

/** Posts JSON to a method of Slack's Web API. */
export type SlackCall = (method: string, body: object) => Promise<SendResult>;

/** Where the message of a channel's revision is. */
interface Parent {
  readonly ts: string;
  readonly slackChannel: string;
  /** The newest event that is in the thread: a repeated delivery changes nothing. */
  readonly lastEventId: number;
  readonly title: string;
}

type Answer =
  | { readonly ok: true; readonly ts: string; readonly channel: string }
  | { readonly ok: false; readonly error: string; readonly sent: SendResult };

/** Errors that the same message would meet again. Source: Slack, "chat.postMessage: errors". */
const HOPELESS = new Set([
  'msg_too_long',
  'no_text',
  'invalid_blocks',
  'invalid_arguments',
  'invalid_blocks_format',
]);
/** The parent is gone or not ours: a new one is posted. */
const PARENT_LOST = new Set([
  'message_not_found',
  'cant_update_message',
  'edit_window_closed',
  'thread_not_found',
]);

/** Failures, and what waits for a person, go to the whole channel; everything else stays in the thread. */
const BROADCAST = /^(?:approval\.awaited|glass\.|rollback\.|revision\.(?:held|failed)$)/;
const isLoud = (event: StoredEvent): boolean =>
  event.severity === 'error' || event.severity === 'critical' || BROADCAST.test(event.type);

/**
 * One parent message per channel and revision, edited in place, with everything that happened in its thread. Events that
 * are about no revision stand alone. Source: Slack, "chat.postMessage", "chat.update".
 */
export async function deliverToSlack(
  call: SlackCall,
  route: SlackBotRoute,
  event: StoredEvent,
  threads: NotificationThreads,
  now: Instant,
): Promise<DeliveryResult | Extract<Answer, { ok: false }>> {
  const channel = slackChannelOf(route, event.channel);
  if (channel === undefined) return { kind: 'delivered', status: 204 };
  const commit = event.data['commit'];
  if (event.channel === undefined || typeof commit !== 'string') {
    return resultOf(await asked(call, 'chat.postMessage', { channel, ...slackMessage(event) }));
  }
  const key = `${event.channel}/${commit}`;
  const known = (await threads.recall(route.name, key)) as Parent | undefined;
  if (known !== undefined && known.lastEventId >= event.id) return { kind: 'delivered', status: 200 };
  const title = titleOf(event, commit, known);
  const parent = await putParent(call, channel, title, event, known);
  if (!parent.ok) return resultOf(parent);
  const reference = { ts: parent.ts, slackChannel: parent.channel, title };
  // Before the reply: whatever happens to that, the parent must not be posted twice.
  await threads.remember(route.name, key, { ...reference, lastEventId: known?.lastEventId ?? 0 }, now);
  const reply = await asked(call, 'chat.postMessage', {
    channel: parent.channel,
    thread_ts: parent.ts,
    ...(isLoud(event) && { reply_broadcast: true }),
    ...slackMessage(event),
  });
  if (reply.ok) await threads.remember(route.name, key, { ...reference, lastEventId: event.id }, now);
  return resultOf(reply);
}

/** Parents that one digest brings up to date; there are hardly ever more revisions on their way. */
const MAX_PARENTS = 20;

/**
 * Many events at once: every revision's parent gets its newest state, and each Slack channel one message with all of them.
 */
export async function digestToSlack(
  call: SlackCall,
  route: SlackBotRoute,
  events: readonly StoredEvent[],
  threads: NotificationThreads,
  now: Instant,
): Promise<DeliveryResult | Extract<Answer, { ok: false }>> {
  const newest = new Map<string, StoredEvent>();
  for (const event of events) {
    const commit = event.data['commit'];
    if (event.channel !== undefined && typeof commit === 'string')
      newest.set(`${event.channel}/${commit}`, event);
  }
  for (const [key, event] of [...newest].slice(-MAX_PARENTS)) {
    const channel = slackChannelOf(route, event.channel);
    const known = (await threads.recall(route.name, key)) as Parent | undefined;
    if (channel === undefined || (known?.lastEventId ?? 0) >= event.id) continue;
    const title = titleOf(event, String(event.data['commit']), known);
    const parent = await putParent(call, channel, title, event, known);
    if (!parent.ok) return resultOf(parent);
    const reference = { ts: parent.ts, slackChannel: parent.channel, title, lastEventId: event.id };
    await threads.remember(route.name, key, reference, now);
  }
  let last: DeliveryResult | Extract<Answer, { ok: false }> = { kind: 'delivered', status: 204 };
  for (const channel of new Set(events.map((event) => slackChannelOf(route, event.channel)))) {
    if (channel === undefined) continue;
    const mine = events.filter((event) => slackChannelOf(route, event.channel) === channel);
    last = await putDigest(call, { route: route.name, channel, threads, now }, mine);
    if (!('kind' in last) || last.kind !== 'delivered') return last;
  }
  return last;
}

/** Of a Slack channel, so that a digest that one channel took is not repeated there because another one refused it. */
const TOLD_EVENTS = 1_000;

interface DigestPlace {
  readonly route: string;
  readonly channel: string;
  readonly threads: NotificationThreads;
  readonly now: Instant;
}

/** The events themselves are remembered, not the newest of them: older ones of another subject may still come. */
async function putDigest(
  call: SlackCall,
  { route, channel, threads, now }: DigestPlace,
  events: readonly StoredEvent[],
): Promise<DeliveryResult | Extract<Answer, { ok: false }>> {
  const key = `digest/${channel}`;
  const known =
    ((await threads.recall(route, key)) as { readonly told?: readonly number[] } | undefined)?.told ?? [];
  const fresh = events.filter((event) => !known.includes(event.id));
  if (fresh.length === 0) return { kind: 'delivered', status: 200 };
  const answer = await asked(call, 'chat.postMessage', { channel, ...slackDigest(fresh) });
  if (answer.ok) {
    const told = [...known, ...fresh.map((event) => event.id)].slice(-TOLD_EVENTS);
    await threads.remember(route, key, { told }, now);
  }
  return resultOf(answer);
}

async function putParent(
  call: SlackCall,
  channel: string,
  title: string,
  event: StoredEvent,
  known: Parent | undefined,
): Promise<Answer> {
  const message = parentMessage(title, event);
  if (known !== undefined) {
    const updated = await asked(call, 'chat.update', {
      channel: known.slackChannel,
      ts: known.ts,
      ...message,
    });
    if (updated.ok || !PARENT_LOST.has(updated.error)) return updated;
  }
  return asked(call, 'chat.postMessage', { channel, ...message });
}

/** `beta · 0123456789 · new image`; the subject is known from the first event on. */
function titleOf(event: StoredEvent, commit: string, known: Parent | undefined): string {
  if (known !== undefined) return known.title;
  const subject = event.data['subject'];
  const words = typeof subject === 'string' && subject !== '' ? ` · ${escapeMrkdwn(subject, 200)}` : '';
  return `${escapeMrkdwn(event.channel ?? '', 100)} · ${escapeMrkdwn(commit.slice(0, 10))}${words}`;
}

function parentMessage(title: string, event: StoredEvent): object {
  const state = escapeMrkdwn(event.message, 1_000);
  const text = `*${title}*\n${state}`;
  return {
    text: `${title}: ${state}`,
    blocks: [{ type: 'section', text: { type: 'mrkdwn', text } }],
    unfurl_links: false,
    unfurl_media: false,
  };
}

async function asked(call: SlackCall, method: string, body: object): Promise<Answer> {
  const sent = await call(method, body);
  if (sent.kind !== 'answered') return { ok: false, error: '', sent };
  const said = parse(sent.body);
  if (sent.status === 200 && said.ok === true && said.ts !== undefined && said.channel !== undefined)
    return { ok: true, ts: said.ts, channel: said.channel };
  return { ok: false, error: said.error ?? '', sent };
}

interface Said {
  readonly ok?: boolean;
  readonly ts?: string;
  readonly channel?: string;
  readonly error?: string;
}

function parse(body: string): Said {
  try {
    // `null` is JSON as well.
    return (JSON.parse(body) as Said | null) ?? {};
  } catch {
    return {};
  }
}

function resultOf(answer: Answer): DeliveryResult | Extract<Answer, { ok: false }> {
  if (answer.ok) return { kind: 'delivered', status: 200 };
  if (HOPELESS.has(answer.error)) return { kind: 'dead', reason: `Slack: ${answer.error}` };
  return answer;
}

/** `*` stands for all channels that are not named. */
const slackChannelOf = ({ channels }: SlackBotRoute, channel: string | undefined): string | undefined =>
  (channel === undefined ? undefined : channels[channel]) ?? channels['*'];
