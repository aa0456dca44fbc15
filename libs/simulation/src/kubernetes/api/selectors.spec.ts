import { describe, expect, it } from 'vitest';
import type { KubeObject } from './object.js';
import { canonicalQuantity, quantityValue } from './quantity.js';
import { labelSelectorOf, parseFieldSelector, parseLabelSelector } from './selectors.js';

describe('label selectors', () => {
  const labels = { app: 'web', tier: 'front', 'example.com/x': '', level: '7' };
  it.each([
    ['app=web', true],
    ['app==web,tier!=back', true],
    ['app!=web', false],
    ['missing!=anything', true],
    ['app in (web, api),tier notin (back)', true],
    ['app in (api)', false],
    ['missing notin (a)', true],
    ['app,!missing', true],
    ['!app', false],
    ['example.com/x=', true],
    ['level>5,level<8', true],
    ['', true],
  ])('%s is %s', (selector, expected) => {
    expect(parseLabelSelector(selector)(labels)).toBe(expected);
  });

  it('refuses nonsense with 400', () => {
    expect(() => parseLabelSelector('a in b')).toThrow(expect.objectContaining({ status: 400 }));
  });

  it('reads LabelSelector values: null selects nothing, empty everything', () => {
    expect(labelSelectorOf(undefined)(labels)).toBe(false);
    expect(labelSelectorOf({})(labels)).toBe(true);
    const expressions = [
      { key: 'app', operator: 'In', values: ['web'] },
      { key: 'gone', operator: 'DoesNotExist' },
    ];
    expect(labelSelectorOf({ matchLabels: { tier: 'front' }, matchExpressions: expressions })(labels)).toBe(
      true,
    );
  });
});

describe('field selectors', () => {
  const pod = {
    metadata: { name: 'p', namespace: 'n' },
    spec: { nodeName: 'x' },
    status: {},
  } as unknown as KubeObject;
  it.each([
    ['spec.nodeName=x,metadata.name=p', true],
    ['spec.nodeName!=x', false],
    ['status.phase=', true],
  ])('%s is %s', (selector, expected) => {
    expect(parseFieldSelector(selector, 'pods')(pod)).toBe(expected);
  });

  it('refuses fields that the server cannot select on', () => {
    expect(() => parseFieldSelector('spec.foo=1', 'pods')).toThrow('field label not supported: spec.foo');
  });
});

describe('quantities', () => {
  it.each([
    ['1000m', '1'],
    ['0.5', '500m'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['100M', '100M'],
    ['1e3', '1k'],
    ['0', '0'],
  ])('%s is stored as %s', (given, stored) => expect(canonicalQuantity(given)).toBe(stored));

  it('has values, and refuses what is none', () => {
    expect([quantityValue('250m'), quantityValue('2Ki'), quantityValue('x')]).toEqual([
      0.25,
      2048,
      undefined,
    ]);
  });
});
