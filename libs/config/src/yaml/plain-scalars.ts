/** Thrown where the fast reader meets YAML that it leaves to the full one. */
export class NotSimple extends Error {
  override readonly name = 'NotSimple';
}

const notSimple = new NotSimple('not simple');
export const giveUp = (): never => {
  throw notSimple;
};

/** Without blanks at its end; other white space is text to YAML. */
export function endBlanks(text: string): string {
  let end = text.length;
  while (text.charCodeAt(end - 1) === 32) end--;
  return text.slice(0, end);
}

const SPECIAL_START = /^[-+.0-9~nNtTfF]/;
const DECIMAL = /^[-+]?(0|[1-9][0-9]{0,14})$/;
const OCTAL = /^0[0-7]{1,10}$/;
const FLOAT = /^[-+]?[0-9]{1,15}\.[0-9]{1,15}$/;
/** All other numbers of the core schema. */
const STRANGE_NUMBER =
  /^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+|[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** A plain scalar's value by the core schema of YAML 1.2, with `0644` an octal number. */
export function plainValue(text: string): unknown {
  if (!SPECIAL_START.test(text)) return text;
  switch (text) {
    case '~':
    case 'null':
    case 'Null':
    case 'NULL':
      return null;
    case 'true':
    case 'True':
    case 'TRUE':
      return true;
    case 'false':
    case 'False':
    case 'FALSE':
      return false;
    default:
  }
  if (OCTAL.test(text)) return Number.parseInt(text, 8);
  if (DECIMAL.test(text)) return text === '-0' ? giveUp() : Number(text);
  if (FLOAT.test(text)) return Number(text);
  return STRANGE_NUMBER.test(text) ? giveUp() : text;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['0', '\0'],
  ['b', '\b'],
  ['f', '\f'],
  ['e', '\x1b'],
  [' ', ' '],
]);

/** What a quoted scalar says, from between its quotes; the text has no line breaks left to fold. */
export function unquoteDouble(inner: string): string {
  if (!inner.includes('\\')) return inner;
  return inner.replace(/\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.|$)/gs, (_all, code: string) => {
    if (code.length > 1) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return ESCAPES.get(code) ?? giveUp();
  });
}

export const unquoteSingle = (inner: string): string => inner.replaceAll("''", "'");

/** Index of the quote that ends a quoted scalar which begins before `from`; −1 if it does not end in the text. */
export function closingQuote(text: string, quote: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (quote === '"' && char === '\\') at++;
    else if (char === quote) {
      if (quote === "'" && text[at + 1] === "'") at++;
      else return at;
    }
  }
  return -1;
}

/** Folds the lines of a flow scalar: one break is a blank, further ones are breaks. */
export function fold(lines: readonly string[]): string {
  let out = lines[0] ?? '';
  let blank = 0;
  for (const line of lines.slice(1)) {
    if (line === '') blank++;
    else {
      out += blank > 0 ? '\n'.repeat(blank) + line : ` ${line}`;
      blank = 0;
    }
  }
  return blank > 0 ? giveUp() : out;
}
