import { giveUp } from './plain-scalars.js';

const HEADER = /^([|>])([+-]?)(?: +#.*)?$/;

export interface BlockScalar {
  readonly value: string;
  /** Index of the first line after it. */
  readonly next: number;
}

const indentOf = (line: string): number => {
  let at = 0;
  while (line[at] === ' ') at++;
  return at;
};

/** The lines of a block scalar below a node at `parent`, without their indentation. */
function body(
  lines: readonly string[],
  from: number,
  parent: number,
): { readonly lines: string[]; readonly next: number } {
  let indent = -1;
  const found: string[] = [];
  let at = from;
  for (; at < lines.length; at++) {
    const line = lines[at] as string;
    const own = indentOf(line);
    if (own === line.length) {
      // A line of blanks: those before the first content may not be wider than it.
      if (indent >= 0 && own > indent) giveUp();
      if (indent < 0 && own > 0) giveUp();
      found.push('');
      continue;
    }
    if (indent < 0) {
      if (own <= parent) break;
      indent = own;
    }
    if (own < indent) {
      if (own > parent) giveUp();
      break;
    }
    found.push(line.slice(indent));
  }
  return { lines: found, next: at };
}

/** `|` and `>` scalars whose indentation need not be told. */
export function blockScalar(
  header: string,
  lines: readonly string[],
  from: number,
  parent: number,
): BlockScalar {
  const [, style, chomp] = HEADER.exec(header) ?? giveUp();
  const { lines: content, next } = body(lines, from, parent);
  let last = content.length;
  while (last > 0 && content[last - 1] === '') last--;
  const trailing = content.length - last;
  const kept = content.slice(0, last);
  if (kept.length === 0) return giveUp();
  const text = style === '|' ? kept.join('\n') : folded(kept);
  // The last line of the whole text ends without a break only where the text does.
  if (chomp === '+')
    return next >= lines.length ? giveUp() : { value: text + '\n'.repeat(trailing + 1), next };
  return { value: chomp === '-' ? text : `${text}\n`, next };
}

function folded(lines: readonly string[]): string {
  if (lines.some((line) => line.startsWith(' ')) || lines[0] === '') return giveUp();
  let out = '';
  let blank = 0;
  for (const line of lines) {
    if (line === '') blank++;
    else {
      out += out === '' ? line : blank > 0 ? '\n'.repeat(blank) + line : ` ${line}`;
      blank = 0;
    }
  }
  return out;
}
