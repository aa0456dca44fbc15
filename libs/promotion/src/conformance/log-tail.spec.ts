import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { followLog, KEPT_LOG, type LogTail } from './log-tail.js';
import { maskSecrets } from './mask-log.js';

const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, index) => `line ${from + index} of the tests\n`).join('');

describe('followLog', () => {
  it('keeps what is printed, once, in whatever bites it is looked at', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 30 }), (bites) => {
        let [printed, tail]: [number, LogTail | undefined] = [0, undefined];
        for (const bite of bites) {
          printed += bite;
          // The last hundred lines, as a look at the end of a log gives them.
          tail = followLog(tail, lines(Math.max(0, printed - 100), printed));
        }
        expect(tail?.text).toBe(lines(0, printed));
      }),
      { numRuns: 200 },
    );
  });

  it('says where it missed something, and bounds what it keeps; offsets only grow', () => {
    const first = followLog(undefined, lines(0, 100));
    const second = followLog(first, lines(500, 600));
    expect(second.text).toBe(
      `${lines(0, 100)}[… some lines were printed too fast to be kept …]\n${lines(500, 600)}`,
    );
    let tail = second;
    for (let at = 600; at < 40_000; at += 90) {
      const next = followLog(tail, lines(at - 10, at + 90));
      expect(next.dropped + next.text.length).toBeGreaterThanOrEqual(tail.dropped + tail.text.length);
      tail = next;
    }
    expect(tail.text.length).toBeLessThanOrEqual(KEPT_LOG);
    expect(tail.text.startsWith('line ')).toBe(true);
  });

  it('waits for the end of a line, cuts endless ones and drops what orders a terminal about', () => {
    expect(followLog(undefined, 'no end yet').text).toBe('');
    expect(followLog(undefined, `${'x'.repeat(9_000)}\n`).text.length).toBe(4_002);
    expect(followLog(undefined, '\u001b[31mred\u001b[0m\u0000\r\n').text).toBe('red\n');
  });
});

describe('maskSecrets', () => {
  it.each([
    ['Authorization: Bearer abc.def.ghi', 'abc.def.ghi'],
    ['curl -H "authorization: Basic dXNlcjpwYXNz"', 'dXNlcjpwYXNz'],
    ['password=hunter2 next', 'hunter2'],
    ['{"client_secret": "s3cr3t-value", "a": 1}', 's3cr3t-value'],
    ['DB_PASSWORD: letmein', 'letmein'],
    ['postgres://me:topsecret@db/x', 'topsecret'],
    ['AKIAIOSFODNN7EXAMPLE', 'AKIAIOSFODNN7EXAMPLE'],
    ['token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', 'eyJhbGciOiJIUzI1NiJ9'],
    ['fwy_0123456789abcdef', 'fwy_0123456789abcdef'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----', 'MIIEabc'],
    ['MIIEabc\nMIIEdef\n-----END PRIVATE KEY-----\nafter', 'MIIEdef'],
    ['-----BEGIN PRIVATE KEY-----\nMIIEabc', 'MIIEabc'],
  ])('hides what is secret in %s', (text, secret) => {
    expect(maskSecrets(text)).not.toContain(secret);
    expect(maskSecrets(text)).toContain('***');
    expect(maskSecrets(maskSecrets(text))).toBe(maskSecrets(text));
  });

  it('leaves ordinary lines alone', () => {
    const line = '[sig-auth] ServiceAccounts should mount an API token into pods [Conformance]';
    expect(maskSecrets(line)).toBe(line);
  });
});
