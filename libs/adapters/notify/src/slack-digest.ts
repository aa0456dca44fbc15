import type { Severity, StoredEvent } from '#fleet';
import { escapeMrkdwn } from './slack-message.js';

const LINES = 15;
const MAX_LINE = 150;
/** Slack refuses sections of more than 3,000 characters. */
const MAX_TEXT = 2_800;
const ORDER: readonly Severity[] = ['critical', 'error', 'warning', 'info'];

/** Many events as one message: how many of which kind, and the gravest of them. Text of strangers is escaped. */
export function slackDigest(events: readonly StoredEvent[]): object {
  const title = `${events.length} ${events.length === 1 ? 'event' : 'events'} since ${new Date(Math.min(...events.map((one) => one.at))).toISOString()}`;
  const counts = ORDER.flatMap((severity) => {
    const count = events.filter((one) => one.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}`];
  }).join(', ');
  // The gravest first, then the newest, as many as fit.
  const order = [...events].sort(
    (a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity) || b.id - a.id,
  );
  const lines: string[] = [];
  let left = MAX_TEXT;
  for (const one of order.slice(0, LINES)) {
    const line = `• ${one.severity}: ${escapeMrkdwn(one.message.slice(0, MAX_LINE * 2).replace(/\s+/g, ' '), MAX_LINE)}`;
    left -= line.length + 1;
    if (left < 0) break;
    lines.push(line);
  }
  const rest = events.length - lines.length;
  const more = rest > 0 ? `\n… and ${rest} more: \`fairway events --after ${(events[0]?.id ?? 1) - 1}\`` : '';
  return {
    text: `${title}: ${counts}`,
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: `*${title}*: ${counts}` } },
      { type: 'section', text: { type: 'mrkdwn', text: `${lines.join('\n')}${more}` } },
    ],
    unfurl_links: false,
    unfurl_media: false,
  };
}
