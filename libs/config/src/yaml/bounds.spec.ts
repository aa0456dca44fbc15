import { parseDocument } from 'yaml';
import { describe, expect, it } from 'vitest';
import { duplicateKeys, yamlExcess } from './bounds.js';

const keys = (count: number): string =>
  Array.from({ length: count }, (_, index) => `k${index}: v`).join('\n');

describe('what the full reader is not given', () => {
  it.each([
    ['a list of very many items', `a: [${'a,'.repeat(150_000)}]`, 'yaml-too-large'],
    ['very many documents', '---\n- a\n'.repeat(60_000), 'yaml-too-large'],
    ['lists in lists', '['.repeat(1_000), 'yaml-too-deep'],
    ['maps in maps', '{a: '.repeat(1_000), 'yaml-too-deep'],
    ['items in items', `${'- '.repeat(1_000)}a`, 'yaml-too-deep'],
    ['keys in keys', '? '.repeat(1_000), 'yaml-too-deep'],
  ])('%s', (_, text, code) => {
    const fault = yamlExcess(text);
    expect(fault?.code).toBe(code);
    expect(fault?.at).toBeLessThan(text.length);
  });

  it.each([
    ['a long scalar', `a: "${'['.repeat(10_000)}"`],
    ['a long block of text', `a: |\n${'  - [ x\n'.repeat(50_000)}`],
    ['a long map', keys(20_000)],
    ['many short lists', 'a: [x]\n'.repeat(5_000)],
  ])('%s is no excess', (_, text) => {
    expect(yamlExcess(text)).toBeUndefined();
  });
});

describe('keys that are there twice', () => {
  it('are found in every map, at the second place', () => {
    const text = 'a: {b: 1, b: 2}\nc:\n- d: 1\n  d: 2\na: 3\n"a": 4\n1: x\n"1": y\n';
    const found = duplicateKeys(parseDocument(text, { uniqueKeys: false }));
    expect(found.map(({ at }) => text.slice(at, at + 3))).toEqual(['a: ', '"a"', 'b: ', 'd: ']);
  });

  it('take time in proportion to the map', () => {
    const used = (count: number): number => {
      const document = parseDocument(keys(count), { uniqueKeys: false });
      const before = process.cpuUsage();
      expect(duplicateKeys(document)).toEqual([]);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    used(20_000);
    // Twenty times as long takes four hundred times as long where every key is compared with every other one.
    expect(used(40_000)).toBeLessThan(100 * Math.max(used(2_000), 1_000));
  });
});
