import { maskSecrets } from './mask-log.js';

/** Characters of a run's log that are kept; what stood before is dropped. */
export const KEPT_LOG = 128 * 1024;
/** Longer lines are cut: nobody reads them. */
const MAX_LINE = 4_000;
/** So much of what is known is looked for in what was read. */
const OVERLAP = 400;

export interface LogTail {
  readonly text: string;
  /** Characters before the text that are gone. */
  readonly dropped: number;
}

const NOTHING: LogTail = { text: '', dropped: 0 };
const GAP = '[… some lines were printed too fast to be kept …]\n';

/**
 * What is kept of a log after one more look at its end. Looks overlap or, where the tests printed too much in between,
 * leave a gap that is said. Offsets (`dropped` plus the place in the text) only grow, so that readers can follow.
 */
export function followLog(known: LogTail | undefined, read: string): LogTail {
  const before = known ?? NOTHING;
  // An unfinished line comes again with the next look.
  const whole = read.slice(0, read.lastIndexOf('\n') + 1);
  const seen = printable(maskSecrets(whole));
  if (seen === '') return before;
  const fresh = freshPart(before.text, seen);
  const text = before.text + fresh;
  if (text.length <= KEPT_LOG) return { ...before, text };
  const cut = text.indexOf('\n', text.length - KEPT_LOG) + 1;
  return { text: text.slice(cut), dropped: before.dropped + cut };
}

function freshPart(known: string, seen: string): string {
  if (known === '') return seen;
  const end = known.slice(-OVERLAP);
  const at = seen.lastIndexOf(end);
  if (at >= 0) return seen.slice(at + end.length);
  // Less was read than is compared: all of it is known, or none.
  return seen.length < OVERLAP && known.endsWith(seen) ? '' : GAP + seen;
}

const printable = (text: string): string =>
  text
    .split('\n')
    .map((line) => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line))
    .join('\n')
    // Colours and other orders to a terminal, and what no database keeps.
    // eslint-disable-next-line no-control-regex
    .replace(/\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f\u007f]/g, '');
