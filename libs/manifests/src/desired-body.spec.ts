import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '#fleet';
import { desiredBody, fieldsToDrop, needsAdoption, pointerWays } from './desired-body.js';

const desired: KubernetesObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: { replicas: 2, template: { spec: { containers: [{ name: 'main', image: 'a:1' }] } } },
};
const live = (replicas: number, image: string, ...managedFields: readonly unknown[]): KubernetesObject => ({
  ...desired,
  metadata: { ...desired.metadata, managedFields },
  spec: { replicas, template: { spec: { containers: [{ name: 'main', image }] } } },
});
const replicas = { 'f:spec': { 'f:replicas': {} } };
const image = {
  'f:spec': {
    'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"main"}': { '.': {}, 'f:image': {} } } } },
  },
};
const entry = (manager: string, operation: string, fieldsV1: unknown, subresource?: string) => ({
  manager,
  operation,
  fieldsV1,
  ...(subresource !== undefined && { subresource }),
});
const spec = (object: KubernetesObject) =>
  object['spec'] as { replicas?: number; template: { spec: { containers: { image?: string }[] } } };

describe('desiredBody', () => {
  it.each([
    ['the scale subresource', entry('kube-controller-manager', 'Update', replicas, 'scale')],
    ['an autoscaler', entry('horizontal-pod-autoscaler', 'Update', replicas)],
    ['another manager that applies', entry('argo-rollouts', 'Apply', replicas)],
  ])('leaves what %s owns to it', (_who, owner) => {
    const { object, left } = desiredBody(desired, live(5, 'a:1', owner), []);
    expect(spec(object).replicas).toBeUndefined();
    expect(left).toMatchObject([{ path: 'spec.replicas' }]);
    expect(spec(desired).replicas).toBe(2);
  });

  it.each([
    ['an edit by hand', entry('kubectl-edit', 'Update', replicas)],
    ['kubectl scale', entry('kubectl', 'Update', replicas, 'scale')],
    ['kubectl apply --server-side', entry('kubectl', 'Apply', replicas)],
  ])('takes back what %s wrote', (_who, owner) => {
    expect(desiredBody(desired, live(5, 'a:1', owner), [])).toEqual({ object: desired, left: [] });
  });

  it('finds elements of lists by their keys', () => {
    const { object } = desiredBody(desired, live(2, 'b:1', entry('flagger', 'Apply', image)), []);
    expect(spec(object).template.spec.containers).toEqual([{ name: 'main' }]);
  });

  it('keeps the live value of what is to be left alone, because leaving out what only we own would remove it', () => {
    const ways = [['spec', 'replicas']];
    const ours = desiredBody(desired, live(5, 'a:1', entry('fairway', 'Apply', replicas)), ways);
    expect(spec(ours.object).replicas).toBe(5);
    const theirs = desiredBody(desired, live(5, 'a:1', entry('somebody', 'Update', replicas)), ways);
    expect(spec(theirs.object).replicas).toBeUndefined();
  });

  it('pointers with a star mean every element', () => {
    expect(pointerWays(desired, '/spec/template/spec/containers/*/image')).toEqual([
      ['spec', 'template', 'spec', 'containers', 0, 'image'],
    ]);
  });

  it('fields of kubectl apply that Git does not name are shown as removed', () => {
    const old = live(
      2,
      'a:1',
      entry('kubectl-client-side-apply', 'Update', { 'f:spec': { 'f:paused': {} } }),
    );
    const withPaused = { ...old, spec: { ...(old['spec'] as object), paused: true } };
    expect(needsAdoption(withPaused)).toBe(true);
    expect(fieldsToDrop(desired, withPaused)).toMatchObject([{ path: 'spec.paused', change: 'remove' }]);
  });
});
