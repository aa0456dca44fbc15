import type { Severity, StoredEvent } from '#fleet';

/** Slack refuses longer ones. Source: Slack, "Block Kit: text object", "section block". */
const MAX_TEXT = 2_800;
const MAX_FIELD = 300;

/** Said in words as well: colour or shape alone tells nothing to some. */
const SEVERITY: Readonly<Record<Severity, string>> = {
  info: ':information_source: info',
  warning: ':warning: warning',
  error: ':x: error',
  critical: ':rotating_light: CRITICAL',
};

/** The zero-width space keeps a word from being read as what it looks like. */
const ZERO_WIDTH_SPACE = '\u200b';

/**
 * Text of strangers (commit messages, names, errors) as Slack's mrkdwn: it can call nobody, link nowhere and form nothing.
 * Source: Slack, "Formatting text for app surfaces", "Escaping text".
 */
export function escapeMrkdwn(text: string, limit = MAX_TEXT): string {
  const shown = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return shown
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/@(?=\w)/g, `@${ZERO_WIDTH_SPACE}`)
    .replace(/[*_~`](?=\S)/g, (mark) => `${ZERO_WIDTH_SPACE}${mark}${ZERO_WIDTH_SPACE}`)
    .replace(/:\/\//g, `:${ZERO_WIDTH_SPACE}//`);
}

interface SlackMessage {
  /** What notifications on a screen show. */
  readonly text: string;
  readonly blocks: readonly object[];
  readonly unfurl_links: false;
  readonly unfurl_media: false;
}

/** One event as an incoming webhook takes it. */
export function slackMessage(event: StoredEvent): SlackMessage {
  const severity = SEVERITY[event.severity];
  const message = escapeMrkdwn(event.message);
  return {
    text: `${severity}: ${message}`,
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: `*${severity}*\n${message}` } },
      ...details(event),
      { type: 'context', elements: [{ type: 'mrkdwn', text: contextOf(event) }] },
    ],
    unfurl_links: false,
    unfurl_media: false,
  };
}

/** What would cure it, where the event knows. */
function details(event: StoredEvent): readonly object[] {
  const known = (['reason', 'hint'] as const).flatMap((key) => {
    const value = event.data[key];
    return typeof value === 'string' && value !== '' && value !== event.message
      ? [{ type: 'mrkdwn', text: `*${key}:* ${escapeMrkdwn(value, MAX_FIELD)}` }]
      : [];
  });
  return known.length === 0 ? [] : [{ type: 'section', fields: known }];
}

function contextOf(event: StoredEvent): string {
  const at = Math.floor(event.at / 1000);
  const parts = [
    escapeMrkdwn(event.type, MAX_FIELD),
    ...(event.channel === undefined ? [] : [`channel ${escapeMrkdwn(event.channel, MAX_FIELD)}`]),
    ...(event.clusterId === undefined ? [] : [`cluster ${escapeMrkdwn(event.clusterId, MAX_FIELD)}`]),
    `<!date^${at}^{date_short_pretty} {time_secs}|${new Date(event.at).toISOString()}>`,
  ];
  return parts.join(' · ');
}
