import { gzip as deflateAndWrap } from 'pako';

/**
 * gzip whose output depends on its input alone: user data is part of a launch template, and other bytes from the zlib of
 * another Node would replace every node of every cluster. pako is written in JavaScript and pinned to a version; its
 * header holds no time. Source: RFC 1952.
 */
export const gzip = (text: string): Buffer =>
  Buffer.from(deflateAndWrap(Buffer.from(text, 'utf8'), { level: 9 }));
