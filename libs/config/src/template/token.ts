import { decodeRune } from './bytes.js';
import { quoteString } from './quote.js';

export type TokenType =
  | 'error'
  | 'bool'
  | 'char'
  | 'charConstant'
  | 'complex'
  | 'assign'
  | 'declare'
  | 'eof'
  | 'field'
  | 'identifier'
  | 'leftDelim'
  | 'leftParen'
  | 'number'
  | 'pipe'
  | 'rawString'
  | 'rightDelim'
  | 'rightParen'
  | 'space'
  | 'string'
  | 'text'
  | 'variable'
  | Keyword;

type Keyword =
  | 'block'
  | 'break'
  | 'continue'
  | 'dot'
  | 'define'
  | 'else'
  | 'end'
  | 'if'
  | 'nil'
  | 'range'
  | 'template'
  | 'with';

export const KEYWORDS: ReadonlyMap<string, Keyword> = new Map(
  (
    ['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'nil', 'range', 'template', 'with'] as const
  ).map((word) => [word, word]),
);
const KEYWORD_TYPES: ReadonlySet<TokenType> = new Set<TokenType>([...KEYWORDS.values(), 'dot']);

/** `pos` is the byte at which the token begins in the text. */
export interface Token {
  readonly type: TokenType;
  readonly pos: number;
  readonly value: string;
}

/** A token as Go names it in messages. */
export function describeToken(token: Token): string {
  if (token.type === 'eof') return 'EOF';
  if (token.type === 'error') return token.value;
  if (KEYWORD_TYPES.has(token.type)) return `<${token.value}>`;
  if (token.value.length <= 10) return quoteString(token.value);
  let end = 0;
  for (let runes = 0; runes < 10 && end < token.value.length; runes++)
    end += decodeRune(token.value, end).size;
  return `${quoteString(token.value.slice(0, end))}...`;
}
