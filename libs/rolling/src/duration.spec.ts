import { describe, expect, it } from 'vitest';
import { automaticSurge, rollDuration } from './duration.js';

describe('rollDuration', () => {
  it.each([
    [{ s: 1, p: 1 }, 360],
    [{ s: 2, p: 1 }, 215],
    [{ s: 3, p: 3 }, 120],
  ])('is the orientation figure of rolling.md for 30 nodes, boot 5, drain 7: %o', (limits, minutes) => {
    expect(rollDuration({ n: 30, u: 0, b: 5, e: 7, ...limits })).toBe(minutes);
  });

  it('is one boot and one drain for a single node', () => {
    expect(rollDuration({ n: 1, s: 1, u: 0, p: 1, b: 5, e: 7 })).toBe(12);
  });

  it('needs no boot before the first drain where a node may be unavailable', () => {
    expect(rollDuration({ n: 1, s: 0, u: 1, p: 1, b: 5, e: 7 })).toBe(12);
    expect(rollDuration({ n: 3, s: 0, u: 1, p: 1, b: 5, e: 7 })).toBe(36);
  });

  it('never ends with neither surge nor unavailability', () => {
    expect(rollDuration({ n: 3, s: 0, u: 0, p: 1, b: 5, e: 7 })).toBe(Number.POSITIVE_INFINITY);
  });

  it('is nothing for no nodes', () => {
    expect(rollDuration({ n: 0, s: 1, u: 0, p: 1, b: 5, e: 7 })).toBe(0);
  });

  it.each([1, 3, 5, 7, 12])('hides boot time %d completely at p = 1 with the automatic surge', (b) => {
    const e = 7;
    const s = automaticSurge(100, b, e);
    expect(rollDuration({ n: 30, s, u: 0, p: 1, b, e })).toBe(b + 30 * e);
  });
});
