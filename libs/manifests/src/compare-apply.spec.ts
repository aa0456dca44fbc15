import type { KubernetesObject } from '#fleet';
import { describe, expect, it } from 'vitest';
import { compareApply } from './compare-apply.js';

const live: KubernetesObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    namespace: 'apps',
    uid: 'u',
    resourceVersion: '5',
    generation: 3,
    creationTimestamp: '2026-01-01T00:00:00Z',
    managedFields: [{ manager: 'fairway' }],
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
  },
  spec: {
    replicas: 3,
    template: {
      spec: {
        containers: [
          { name: 'a', image: 'a:1' },
          { name: 'b', image: 'b:1', env: [{ name: 'X', value: '1' }] },
        ],
      },
    },
  },
  status: { replicas: 3 },
};

/** The parts of the object that the cases edit. */
interface Editable {
  metadata: {
    resourceVersion: string;
    generation: number;
    managedFields: unknown[];
    annotations?: Record<string, string>;
    labels?: Record<string, string>;
  };
  spec: {
    replicas: number;
    template: { spec: { containers: { name: string; image: string; env?: unknown[] }[] } };
  };
  status: unknown;
}
type Edit = (object: Editable) => void;

const changed = (edit: Edit): KubernetesObject => {
  const copy = structuredClone(live);
  edit(copy as unknown as Editable);
  return copy;
};

describe('compareApply', () => {
  it('sees nothing in what the server writes by itself', () => {
    const dryRun = changed((o) => {
      o.metadata.resourceVersion = '6';
      o.metadata.generation = 4;
      o.metadata.managedFields = [];
      delete o.metadata.annotations;
      o.status = { replicas: 1 };
    });
    expect(compareApply(live, dryRun, [])).toEqual({ action: 'none', fields: [], diff: [] });
  });

  it('names the container, not its position', () => {
    const dryRun = changed((o) => {
      o.spec.template.spec.containers.unshift({ name: 'c', image: 'c:1' });
      const [, , last] = o.spec.template.spec.containers;
      if (last) last.image = 'b:2';
    });
    const result = compareApply(live, dryRun, []);
    expect(result.action).toBe('change');
    expect(result.diff).toContainEqual(
      expect.objectContaining({
        path: 'spec.template.spec.containers[b].image',
        change: 'change',
        before: '"b:1"',
        after: '"b:2"',
      }),
    );
    expect(result.fields).toContain('spec.template.spec.containers[c]');
    expect(result.fields).toHaveLength(2);
  });

  it('tells additions and removals', () => {
    const dryRun = changed((o) => {
      delete o.spec.template.spec.containers[1]?.env;
      o.metadata.labels = { 'app.kubernetes.io/name': 'web' };
    });
    expect(compareApply(live, dryRun, []).diff.map((line) => `${line.change} ${line.path}`)).toEqual([
      'add metadata.labels',
      'remove spec.template.spec.containers[b].env',
    ]);
  });

  it('sees another order of the same elements', () => {
    const dryRun = changed((o) => o.spec.template.spec.containers.reverse());
    expect(compareApply(live, dryRun, []).action).toBe('change');
  });

  const container = (o: Editable, index: number) =>
    o.spec.template.spec.containers[index] ?? { name: '', image: '' };

  it.each<[string, Edit]>([
    ['/spec/replicas', (o) => (o.spec.replicas = 9)],
    ['/spec/template/spec/containers/*/image', (o) => (container(o, 0).image = 'z')],
    ['/spec/template/spec/containers/1/env', (o) => (container(o, 1).env = [])],
    ['/metadata/annotations/a~1b', (o) => (o.metadata.annotations = { 'a/b': '1' })],
    ['/metadata/labels/x', (o) => (o.metadata.labels = { x: '1' })],
  ])('leaves %s to others', (pointer, edit) => {
    const dryRun = changed(edit);
    expect(compareApply(live, dryRun, []).action).toBe('change');
    expect(compareApply(live, dryRun, [pointer]).action).toBe('none');
  });

  it('masks what a Secret holds, never that it changes', () => {
    const secret = (value: string): KubernetesObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      data: { password: value },
    });
    for (const result of [
      compareApply(secret('b2xk'), secret('bmV3'), []),
      compareApply(undefined, secret('bmV3'), []),
    ]) {
      expect(JSON.stringify(result)).not.toMatch(/b2xk|bmV3/);
      expect(result.diff.some((line) => line.path.startsWith('data'))).toBe(true);
    }
  });

  it('creates what is not there', () => expect(compareApply(undefined, live, []).action).toBe('create'));
});
