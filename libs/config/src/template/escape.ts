import { decodeRune, isPrint } from './bytes.js';

const HTML: Readonly<Record<string, string>> = {
  '\0': '\xef\xbf\xbd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

// eslint-disable-next-line no-control-regex
export const escapeHtml = (bytes: string): string =>
  bytes.replace(/[\0"'&<>]/g, (char) => HTML[char] as string);

const JS: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

const hex4 = (rune: number): string => rune.toString(16).toUpperCase().padStart(4, '0');

/** Go's `template.JSEscapeString`. */
export function escapeJs(bytes: string): string {
  let out = '';
  for (let i = 0; i < bytes.length;) {
    const { rune, size } = decodeRune(bytes, i);
    const raw = bytes.slice(i, i + size);
    if (rune < 0x80)
      out += Object.hasOwn(JS, raw) ? JS[raw] : rune < 0x20 ? `\\u00${hex4(rune).slice(2)}` : raw;
    else out += isPrint(rune) ? raw : `\\u${hex4(rune)}`;
    i += size;
  }
  return out;
}

/** Go's `url.QueryEscape`. */
export const escapeQuery = (bytes: string): string =>
  bytes.replace(/[^A-Za-z0-9_.~-]/g, (char) =>
    char === ' ' ? '+' : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
