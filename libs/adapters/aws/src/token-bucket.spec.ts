import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.js';

describe('TokenBucket', () => {
  it('gives a burst, then one after the other, and fills again', () => {
    let now = 0;
    const bucket = new TokenBucket(2, 3, { now: () => now });
    expect([1, 2, 3, 4, 5].map(() => bucket.reserve())).toEqual([0, 0, 0, 500, 1000]);
    now = 60_000;
    expect([1, 2, 3, 4].map(() => bucket.reserve())).toEqual([0, 0, 0, 500]);
  });

  it('a clock that goes back takes nothing away', () => {
    let now = 1000;
    const bucket = new TokenBucket(1, 1, { now: () => now });
    bucket.reserve();
    now = 0;
    expect(bucket.reserve()).toBe(1000);
  });
});
