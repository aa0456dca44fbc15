import { describe, expect, it } from 'vitest';
import { bytes, cpuMillis, parseQuantity } from './quantity.js';

describe('quantities', () => {
  it.each([
    ['4', 4],
    ['250m', 0.25],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['16337812Ki', 16_337_812 * 1024],
    ['2e3', 2000],
    ['1E', 1e18],
    ['100k', 100_000],
    ['.5', 0.5],
    [2, 2],
  ])('%s', (text, value) => {
    expect(parseQuantity(text)).toBeCloseTo(value, 9);
  });

  it.each(['', 'abc', '1.5.2', '10KiB', null, {}])('%s is none', (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  it('counts as the scheduler does', () => {
    expect(cpuMillis('0.1')).toBe(100);
    expect(cpuMillis('1500u')).toBe(2);
    expect(cpuMillis(undefined)).toBe(0);
    expect(bytes('128Mi')).toBe(134_217_728);
    expect(bytes('100m')).toBe(1);
  });
});
