/** A value as the children of an XML element. Lists are wrapped in `listItem` elements; undefined disappears. */
export function xmlChildren(value: unknown, listItem: string): string {
  if (Array.isArray(value)) return value.map((item) => element(listItem, item, listItem)).join('');
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof RawXml) return value.text;
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, member]) => (member === undefined ? '' : element(name, member, listItem)))
      .join('');
  }
  return value === undefined || value === null ? '' : escapeXml(String(value as string | number | boolean));
}

export const element = (name: string, value: unknown, listItem: string): string =>
  `<${name}>${xmlChildren(value, listItem)}</${name}>`;

/** Text that is XML already. */
export class RawXml {
  constructor(readonly text: string) {}
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Control characters that XML 1.0 cannot carry are dropped; line ends survive as references. */
export const escapeXml = (text: string): string =>
  text
    // eslint-disable-next-line no-control-regex
    .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/g, '')
    .replace(/[&<>"']/g, (char) => ENTITIES[char] as string)
    .replace(/\r/g, '&#13;');

export const XML_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n';
