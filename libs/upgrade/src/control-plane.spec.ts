import { seconds } from '#kernel';
import { describe, expect, it } from 'vitest';
import { controlPlaneGate } from './control-plane-gate.js';
import { orderMasters } from './masters.js';
import type { ControlPlaneQuestion, MasterView } from './types.js';

const NOW = 1_000_000_000;
const lease = (name: string, holder = 'm1_x', ageSeconds = 2) => ({
  name,
  holder,
  renewedAt: NOW - seconds(ageSeconds),
});
const whole: ControlPlaneQuestion = {
  now: NOW,
  expected: 3,
  nodes: ['m1', 'm2', 'm3'].map((name) => ({ name, ready: true })),
  targets: ['i-1', 'i-2', 'i-3'].map((instanceId) => ({ instanceId, state: 'healthy' })),
  leases: [lease('kube-controller-manager'), lease('kube-scheduler')],
  readyz: [{ name: 'lb', ok: true }],
};

describe('controlPlaneGate', () => {
  it('is open when everything is whole', () =>
    expect(controlPlaneGate(whole)).toEqual({ open: true, reasons: [] }));

  it.each<[string, Partial<ControlPlaneQuestion>, string]>([
    ['a master is missing', { nodes: whole.nodes.slice(1) }, '2 of 3 masters'],
    [
      'a master is not Ready',
      { nodes: whole.nodes.map((n) => ({ ...n, ready: n.name !== 'm2' })) },
      'm2 is not Ready',
    ],
    [
      'a critical pod is not Ready',
      { nodes: whole.nodes.map((n) => ({ ...n, unreadyPods: n.name === 'm3' ? ['etcd-m3'] : [] })) },
      'etcd-m3',
    ],
    [
      'an API server is not ready',
      { readyz: [{ name: 'm1', ok: false, detail: 'etcd failed' }] },
      'etcd failed',
    ],
    ['nobody answered', { readyz: [] }, '/readyz'],
    [
      'a target is sick',
      { targets: [...whole.targets.slice(1), { instanceId: 'i-1', state: 'unhealthy' }] },
      'i-1 is unhealthy',
    ],
    ['a target is missing', { targets: whole.targets.slice(1) }, '2 of 3 healthy'],
    ['no leader', { leases: [lease('kube-scheduler')] }, 'kube-controller-manager has no leader'],
    [
      'a stale lease',
      { leases: [lease('kube-controller-manager', 'm1_x', 16), lease('kube-scheduler')] },
      '16s ago',
    ],
    ['a dead leader', { nodes: whole.nodes.map((n) => ({ ...n, ready: n.name !== 'm1' })) }, 'led from m1'],
    ['etcd', { etcd: ['member a is a learner'] }, 'etcd: member a'],
  ])('is closed when %s', (_, change, text) => {
    const verdict = controlPlaneGate({ ...whole, ...change });
    expect(verdict.open).toBe(false);
    expect(verdict.reasons.join('; ')).toContain(text);
  });

  it('does not count a target that is on its way out', () => {
    const targets = [...whole.targets, { instanceId: 'i-0', state: 'draining' }];
    expect(controlPlaneGate({ ...whole, targets }).open).toBe(true);
  });
});

describe('orderMasters', () => {
  const master = (instanceId: string, zone: string, more: Partial<MasterView> = {}): MasterView => ({
    instanceId,
    zone,
    ready: true,
    outdated: true,
    ...more,
  });
  it('takes broken ones first, the leader last, zones in turn, and leaves current ones', () => {
    const order = orderMasters([
      master('i-1', 'a', { leader: true }),
      master('i-2', 'a'),
      master('i-3', 'a'),
      master('i-4', 'b'),
      master('i-5', 'c', { ready: false }),
      master('i-6', 'c', { outdated: false }),
    ]);
    expect(order.map((each) => each.instanceId)).toEqual(['i-5', 'i-2', 'i-4', 'i-3', 'i-1']);
  });
});
