import { describe, expect, it } from 'vitest';
import { builtInSchema, type StructSchema } from '../schema/schema.js';
import { applyJsonPatch } from './json-patch.js';
import { applyMergePatch } from './merge-patch.js';
import { applyStrategicMerge } from './strategic-merge.js';

const schemaOf = (kind: string) => builtInSchema(kind) as StructSchema;

describe('JSON patch', () => {
  it.each([
    ['add to a list', { a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
    ['append', { a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    [
      'escape',
      { a: { 'x/y~z': 1 } },
      [{ op: 'replace', path: '/a/x~1y~0z', value: 2 }],
      { a: { 'x/y~z': 2 } },
    ],
    ['remove', { a: { b: 1, c: 2 } }, [{ op: 'remove', path: '/a/b' }], { a: { c: 2 } }],
    ['move', { a: 1 }, [{ op: 'move', from: '/a', path: '/b' }], { b: 1 }],
    ['copy', { a: [1] }, [{ op: 'copy', from: '/a', path: '/b' }], { a: [1], b: [1] }],
    ['test', { a: 1 }, [{ op: 'test', path: '/a', value: 1 }], { a: 1 }],
  ])('%s', (_name, document, patch, expected) => {
    expect(applyJsonPatch(document, patch)).toEqual(expected);
  });

  it.each([
    ['a failed test', [{ op: 'test', path: '/a', value: 2 }], 422],
    ['a missing path', [{ op: 'remove', path: '/x' }], 422],
    ['a malformed operation', [{ path: '/x' }], 400],
  ])('refuses %s', (_name, patch, status) => {
    expect(() => applyJsonPatch({ a: 1 }, patch)).toThrow(expect.objectContaining({ status }));
  });
});

describe('merge patch', () => {
  it('merges, replaces lists and removes nulls', () => {
    const target = { a: { b: 1, c: 2 }, l: [1, 2] };
    expect(applyMergePatch(target, { a: { b: null, d: { e: null, f: 1 } }, l: [3] })).toEqual({
      a: { c: 2, d: { f: 1 } },
      l: [3],
    });
  });
});

describe('strategic merge patch', () => {
  const pod = {
    spec: {
      containers: [
        { name: 'a', image: '1' },
        { name: 'b', image: '1' },
      ],
    },
  };
  const patchSpec = (spec: Record<string, unknown>) =>
    applyStrategicMerge(pod, { spec }, schemaOf('Pod'))['spec'];

  it('merges keyed lists by key', () => {
    expect(patchSpec({ containers: [{ name: 'b', image: '2' }] })).toEqual({
      containers: [
        { name: 'a', image: '1' },
        { name: 'b', image: '2' },
      ],
    });
  });

  it('deletes an item, and orders by the directive', () => {
    const spec = patchSpec({
      $setElementOrder: undefined,
      '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }],
      containers: [
        { $patch: 'delete', name: 'a' },
        { name: 'c', image: '3' },
      ],
    });
    expect(spec).toMatchObject({ containers: [{ name: 'c' }, { name: 'b' }] });
  });

  it('replaces a list on demand', () => {
    expect(patchSpec({ containers: [{ $patch: 'replace' }, { name: 'z', image: '9' }] })).toEqual({
      containers: [{ name: 'z', image: '9' }],
    });
  });

  it('removes from sets and replaces atomic lists', () => {
    const node = {
      metadata: { finalizers: ['a', 'b'] },
      spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] },
    };
    const patch = {
      metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] },
      spec: { taints: [{ key: 'y', effect: 'NoSchedule' }], unschedulable: true },
    };
    expect(applyStrategicMerge(node, patch, schemaOf('Node'))).toEqual({
      metadata: { finalizers: ['b'] },
      spec: { taints: [{ key: 'y', effect: 'NoSchedule' }], unschedulable: true },
    });
  });

  it('keeps only retained keys', () => {
    const before = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } };
    const patch = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } };
    expect(applyStrategicMerge(before, patch, schemaOf('Deployment'))).toEqual({
      spec: { strategy: { type: 'Recreate' } },
    });
  });
});
