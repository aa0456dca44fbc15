import type { NodeView, Taint } from '#fleet';
import { describe, expect, it } from 'vitest';
import type { NodeMarks } from './action.js';
import { cordonPatch, excludePatch, queuePatch, readMark, restorePatch } from './marks.js';
import { testPolicy } from './test-world/stories.js';

const policy = testPolicy({ drainLabels: { 'lifecycle-status': 'decommission-pending' } });
const context = { updateId: 'u1', now: 0, policy };

const node = (over: Partial<NodeView> = {}): NodeView => ({
  name: 'n',
  uid: 'x',
  createdAt: '',
  ready: true,
  unschedulable: false,
  kubeletVersion: 'v1.36.0',
  labels: { 'lifecycle-status': 'ready' },
  annotations: {},
  taints: [],
  allocatable: { cpuMillis: 1, memoryBytes: 1, pods: 1 },
  ...over,
});

function patched(before: NodeView, patch: NodeMarks): NodeView {
  const assign = (map: NodeView['labels'], changes: NodeMarks['labels']): Record<string, string> =>
    Object.fromEntries(
      Object.entries({ ...map, ...changes }).flatMap(([key, value]) =>
        value === null ? [] : [[key, value]],
      ),
    );
  const touched = [...(patch.removeTaints ?? []), ...(patch.addTaints ?? [])];
  const stays = (taint: Taint): boolean =>
    !touched.some((each) => each.key === taint.key && each.effect === taint.effect);
  return {
    ...before,
    unschedulable: patch.unschedulable ?? before.unschedulable,
    labels: assign(before.labels, patch.labels),
    annotations: assign(before.annotations, patch.annotations),
    taints: [...before.taints.filter(stays), ...(patch.addTaints ?? [])],
  };
}

const throughDrain = (start: NodeView): NodeView => {
  const queued = patched(start, queuePatch(start, context));
  const cordoned = patched(queued, cordonPatch(queued, context));
  return patched(cordoned, excludePatch());
};

describe('marks', () => {
  it.each([
    ['a plain node', node()],
    ['no such label before', node({ labels: {} })],
    [
      'scale-down disabled by somebody',
      node({ annotations: { 'cluster-autoscaler.kubernetes.io/scale-down-disabled': 'true' } }),
    ],
    [
      'excluded by somebody',
      node({ labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': 'true' } }),
    ],
    ['cordoned by somebody', node({ unschedulable: true })],
    ['a taint of somebody', node({ taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] })],
  ])('are undone exactly: %s', (_, start) => {
    const marked = throughDrain(start);
    expect(marked.unschedulable).toBe(true);
    expect(marked.labels['lifecycle-status']).toBe('decommission-pending');
    expect(patched(marked, restorePatch(marked, context, 'nothing'))).toEqual(start);
    const queued = patched(start, queuePatch(start, context));
    expect(patched(queued, restorePatch(queued, context, 'nothing'))).toEqual(start);
  });

  it('keep what others changed meanwhile', () => {
    const marked = throughDrain(node());
    const changed = {
      ...marked,
      labels: { ...marked.labels, 'lifecycle-status': 'maintenance', extra: '1' },
    };
    const after = patched(changed, restorePatch(changed, context, 'nothing'));
    expect(after.labels).toEqual({ 'lifecycle-status': 'maintenance', extra: '1' });
  });

  it('take a cordon that came after queueing for somebody else’s', () => {
    const queued = patched(node(), queuePatch(node(), context));
    const theirs = { ...queued, unschedulable: true };
    const cordoned = patched(theirs, cordonPatch(theirs, context));
    expect(patched(cordoned, restorePatch(cordoned, context, 'nothing')).unschedulable).toBe(true);
  });

  it('go back to queued for a node that gives way', () => {
    const marked = throughDrain(node());
    const parked = patched(marked, restorePatch(marked, context, 'queued'));
    expect(parked).toMatchObject({ unschedulable: false, labels: { 'lifecycle-status': 'ready' } });
    expect(parked.taints.map((taint) => taint.key)).toEqual(['fairway.dev/queued']);
    expect(readMark(parked)?.stage).toBe('queued');
    expect(patched(parked, restorePatch(parked, context, 'nothing'))).toEqual(node());
  });
});
