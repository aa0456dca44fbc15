import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PackedCache } from './packed-cache.js';

const KIB = 1024;
const put = (cache: PackedCache, key: string, value: unknown): void => cache.set(key, value, undefined, true);
/** About `bytes` long, and packed no smaller: another text for each seed. */
function noise(bytes: number, seed: number): string {
  let state = (seed + 1) * 2_654_435_761;
  return Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return String.fromCharCode(33 + ((state >>> 16) % 94));
  }).join('');
}

describe('the packed cache', { timeout: 60_000 }, () => {
  it('gives back an equal value, the same object while it is fresh', () => {
    const cache = new PackedCache(1024 * KIB);
    const value = { name: 'x', list: [1, 'ü', null, { deep: true }], long: noise(20 * KIB, 1) };
    put(cache, 'a', value);
    expect(cache.get('a')).toBe(value);
    // Pushed out of what is kept unpacked, and read back from bytes.
    for (let other = 0; other < 8; other += 1) put(cache, `o${other}`, noise(12 * KIB, other));
    expect(cache.get('a')).toEqual(value);
    expect(cache.get('b')).toBeUndefined();
  });

  it('keeps once what is the same under many keys, for as long as one of them is there', () => {
    const cache = new PackedCache(1024 * KIB);
    put(cache, 'first', { text: noise(30 * KIB, 1) });
    const one = cache.packedBytes;
    for (let key = 0; key < 100; key += 1) put(cache, `k${key}`, { text: noise(30 * KIB, 1) });
    expect(cache.packedBytes - one).toBeLessThan(100 * 300);
    put(cache, 'first', 'something else');
    expect(cache.get('k42')).toEqual({ text: noise(30 * KIB, 1) });
  });

  it('forgets what was not used for longest', () => {
    const cache = new PackedCache(256 * KIB);
    put(cache, 'used', noise(10 * KIB, 1_000));
    for (let key = 0; key < 40; key += 1) {
      put(cache, `k${key}`, noise(10 * KIB, key));
      expect(cache.get('used')).toBe(noise(10 * KIB, 1_000));
    }
    expect(cache.get('k0')).toBeUndefined();
    expect(cache.get('k39')).toBe(noise(10 * KIB, 39));
  });

  it('lets no single value push out all others', () => {
    const cache = new PackedCache(256 * KIB);
    put(cache, 'small', 'x');
    put(cache, 'huge', noise(200 * KIB, 1));
    expect(cache.get('huge')).toBeUndefined();
    expect(cache.get('small')).toBe('x');
  });

  it('keeps what cannot be copied as it is, and never an older value of the key', () => {
    const cache = new PackedCache(256 * KIB);
    const parsed = { run: () => 1 };
    put(cache, 'template', 'old');
    cache.set('template', parsed, 100);
    expect(cache.get('template')).toBe(parsed);
  });

  it('never holds more than its room, nor another value than was last set', () => {
    const key = fc.integer({ min: 0, max: 12 });
    const step = fc.record({
      key,
      read: fc.boolean(),
      size: fc.integer({ min: 0, max: 6_000 }),
      seed: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 4, max: 64 }), (steps, room) => {
        const cache = new PackedCache(room * KIB);
        const set = new Map<string, unknown>();
        for (const { key: n, read, size, seed } of steps) {
          const name = `k${n}`;
          if (!read) {
            const value = { seed, text: noise(size, seed) };
            put(cache, name, value);
            set.set(name, value);
          }
          const found = cache.get(name);
          if (found !== undefined) expect(found).toEqual(set.get(name));
          expect(cache.packedBytes).toBeLessThanOrEqual(room * KIB * 0.75);
          expect(cache.packedBytes).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 100 },
    );
  });
});
