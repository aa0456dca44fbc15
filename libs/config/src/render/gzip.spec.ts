import { gunzipSync } from 'node:zlib';
import { sha256Hex } from '#kernel';
import { describe, expect, it } from 'vitest';
import { gzip } from './gzip.js';

const TEXT = Array.from(
  { length: 2_000 },
  (_, index) => `- path: /etc/file-${(index * 7_919) % 1_009}\n`,
).join('');

describe('gzip of user data', () => {
  it('is what went in', () => {
    for (const text of ['', 'ä€𝄞', TEXT]) expect(gunzipSync(gzip(text)).toString('utf8')).toBe(text);
  });

  // Other bytes replace the nodes of every pool with large user data: a new version of the library that makes them is a
  // roll of the fleet, to be announced and not to be slipped in.
  it('has the bytes that it always had', () => {
    expect(sha256Hex(gzip(TEXT))).toBe('432fd0e317e0a45ace4f72237ec45940c6a25219134f943bb1fb1e61f49080c5');
  });
});
