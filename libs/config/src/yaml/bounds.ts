import { isMap, isScalar, Lexer, visit } from 'yaml';
import type { Document } from 'yaml';

/** Something in a YAML text that is refused, and the offset of the character where it is. */
export interface YamlFault {
  readonly code: string;
  readonly message: string;
  readonly at: number;
  readonly hint: string;
}

/** Tokens of one text. The full reader takes up to a kilobyte and a few microseconds for each. */
const MAX_TOKENS = 200_000;
const MAX_DEPTH = 100;
/** What the lexer yields before the text of a scalar. */
const SCALAR = '\x1f';
const TOO_DEEP = `values are nested more than ${MAX_DEPTH} deep`;

/**
 * What the full reader must not be given: it keeps a node for every token, and its depth is the machine's stack. Linear in
 * the text, and without memory.
 */
export function yamlExcess(text: string): YamlFault | undefined {
  let tokens = 0;
  let at = 0;
  let flow = 0;
  let inLine = 0;
  let afterMark = false;
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    if (tokens > MAX_TOKENS)
      return excess('yaml-too-large', `the text has more than ${MAX_TOKENS} YAML tokens`, at);
    if (!afterMark) {
      if (token === '[' || token === '{') flow += 1;
      else if (token === ']' || token === '}') flow -= 1;
      else if (token === '-' || token === '?') inLine += 1;
      else if (token.includes('\n')) inLine = 0;
      if (flow > MAX_DEPTH || inLine > MAX_DEPTH) return excess('yaml-too-deep', TOO_DEEP, at);
    }
    afterMark = token === SCALAR;
    if (token.length > 1 || !CONTROL.has(token)) at += token.length;
  }
  return undefined;
}

/** Marks of the lexer that are no text: document, end of flow in error, scalar. */
const CONTROL: ReadonlySet<string> = new Set(['\x02', '\x18', SCALAR]);

const excess = (code: string, message: string, at: number): YamlFault => ({
  code,
  message,
  at,
  hint: 'Split the file, or write less of it by templates.',
});

/**
 * Keys that a map has twice. The reader's own check compares every key with every other one, which takes minutes for a
 * long map.
 */
export function duplicateKeys(document: Document.Parsed): readonly YamlFault[] {
  const found: YamlFault[] = [];
  visit(document, {
    Map: (_, map) => {
      if (!isMap(map)) return;
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) found.push(duplicate(key.range?.[0] ?? 0));
        seen.add(key.value);
      }
    },
  });
  return found;
}

const duplicate = (at: number): YamlFault => ({
  code: 'DUPLICATE_KEY',
  message: 'Map keys must be unique',
  at,
  hint: 'Remove one of the two entries.',
});
