import { describe, expect, it } from 'vitest';
import { doctorText } from './doctor.js';
import type { DoctorAnswer, UpgradePlanAnswer } from './inspection-answers.js';
import { upgradeText } from './upgrade.js';

const finding = {
  code: 'node-not-ready',
  check: 'nodes',
  severity: 'error',
  subject: 'node ip-10-0-32-4.eu-central-1.compute.internal',
  message: 'ip-10-0-32-4.eu-central-1.compute.internal is not Ready for 12m (i-0123456789abcdef0)',
  reason: 'Its pods were given up after the pod-eviction timeout; what cannot move is down.',
  remedy: 'Look at the machine (EC2 status, kubelet). Where it does not come back, terminate the instance.',
  since: '2026-11-21T11:41:00.000Z',
};
const report: DoctorAnswer = {
  at: '2026-11-21T11:53:05.000Z',
  verdict: 'errors',
  server_version: 'v1.36.2',
  checks: [
    { check: 'nodes', state: 'findings', summary: '1 finding' },
    {
      check: 'disruption-budgets',
      state: 'ok',
      summary: '3 budgets, each allows a disruption sooner or later',
    },
    {
      check: 'etcd',
      state: 'unknown',
      summary: 'the config item etcd_endpoints does not say where it answers',
    },
    { check: 'masters', state: 'not-applicable', summary: 'somebody else runs it' },
  ],
  findings: [finding],
};
const plan: UpgradePlanAnswer = {
  at: report.at,
  api_servers: ['v1.35.2', 'v1.36.0'],
  target: '1.36.0',
  target_from: 'asked',
  components: [
    { component: 'kube-apiserver', current: ['v1.35.2 × 2', 'v1.36.0 × 1'], target: '1.36.0' },
    { component: 'etcd', current: ['v3.5.16 × 3'], target: 'stays', by_hand: 'its own stack' },
  ],
  steps: [
    {
      kind: 'control-plane',
      from: ['v1.35.2'],
      to: 'v1.36.0',
      point_of_no_return: true,
      proof: ['the newest kubelet (1.35) is not newer than the oldest API server (1.35)'],
    },
  ],
  worker_rolls: 0,
  point_of_no_return: 0,
  no_return_already: true,
  violations: [{ rule: 'kubelet-too-old', message: 'kubelet of w1 runs 1.31', remedy: 'Replace the node.' }],
  removed_apis: [
    {
      api_version: 'a.io/v1beta1',
      what: 'things',
      removed_in: '1.36',
      source: 'requests',
      replacement: 'a.io/v1',
    },
  ],
  by_hand: [
    'Bring kubectl and other clients to at most one minor from the API servers, and look at your manifests.',
  ],
  blockers: [finding],
  unknown: ['etcd: the config item etcd_endpoints does not say where it answers'],
};

describe('the text of doctor and upgrade plan', () => {
  it('fits on 80 columns', () => {
    const lines = `${doctorText('kube-1', report)}\n${upgradeText('kube-1', plan)}`.split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it('says what was seen, why it matters and what to do; and never ok where nothing could be read', () => {
    const text = doctorText('kube-1', report);
    expect(text).toMatch(/^kube-1: needs attention \(2026-11-21 11:53 UTC, Kubernetes v1.36.2\)$/m);
    expect(text).toMatch(/^ {2}unknown {3}etcd /m);
    expect(text).toMatch(/^ {2}none {6}masters /m);
    expect(text).toMatch(/^error node-not-ready: node ip-10-0-32-4/m);
    expect(text).toMatch(/^ {2}why {2}Its pods were given up/m);
    expect(text).toMatch(/^ {2}do {3}Look at the machine/m);
    expect(text).toContain('(since 2026-11-21 11:41 UTC)');
  });

  it('lists components, steps with their proof, rules, removed APIs, hands and blockers', () => {
    const text = upgradeText('kube-1', plan);
    for (const part of [
      'kube-1 runs v1.35.2 and v1.36.0; target 1.36.0, as you asked',
      'by hand',
      '  1. control plane v1.35.2 → v1.36.0',
      '     · the newest kubelet (1.35)',
      'there is no way back but a backup',
      '  - kubelet-too-old: kubelet of w1 runs 1.31. Replace the node.',
      'things as a.io/v1beta1: gone in 1.36, use a.io/v1 (counted by the API',
      'It is blocked by',
      'Not known, and so not planned for:',
    ])
      expect(text).toContain(part);
  });
});
