import { hours, minutes } from '#kernel';
import type { Amount, ChannelPolicy, ConformanceSuite, FleetPolicy } from './policy.js';

const count = (value: number): Amount => ({ kind: 'count', value });
const percent = (value: number): Amount => ({ kind: 'percent', value });

export const DEFAULT_WAVE_PAUSE = minutes(1);

/** Suites that every fleet has. `fairway.yaml` may change or add to them by name. */
export const DEFAULT_SUITES: Readonly<Record<string, ConformanceSuite>> = {
  quick: {
    name: 'quick',
    focus:
      'Pods should be submitted and removed|Services should serve a basic endpoint from pods|ConfigMap should be consumable from pods in volume',
    skip: '\\[Disruptive\\]|\\[Serial\\]',
    parallel: false,
    extraArgs: [],
    timeout: minutes(30),
    expectedMin: 1,
  },
  live: {
    name: 'live',
    focus: '\\[Conformance\\]',
    skip: '\\[Disruptive\\]|\\[Serial\\]',
    parallel: true,
    extraArgs: [],
    timeout: hours(3),
    expectedMin: 250,
  },
  certified: {
    name: 'certified',
    focus: '\\[Conformance\\]',
    parallel: false,
    extraArgs: [],
    timeout: hours(4),
    expectedMin: 300,
  },
  statefulset: {
    name: 'statefulset',
    focus: 'StatefulSet .*Basic|StatefulSet .*\\[Slow\\]',
    skip: '\\[Disruptive\\]',
    parallel: false,
    extraArgs: [],
    timeout: hours(2),
    expectedMin: 5,
  },
};

const channel = (name: string, rest: Partial<ChannelPolicy>): ChannelPolicy => ({
  name,
  branch: name,
  promotion: 'automatic',
  waves: [percent(100)],
  wavePause: DEFAULT_WAVE_PAUSE,
  gates: {},
  ...rest,
});

/** What applies where neither the repository nor the server's configuration says anything: dev → alpha → beta → stable. */
export const DEFAULT_POLICY: FleetPolicy = {
  suites: DEFAULT_SUITES,
  channels: [
    channel('dev', {}),
    channel('alpha', {
      from: 'dev',
      waves: [count(1), percent(100)],
      gates: {
        converged: { coverage: 100 },
        conformance: { suites: ['quick', 'statefulset'], clusters: 'all' },
        soak: hours(2),
      },
    }),
    channel('beta', {
      from: 'alpha',
      waves: [count(1), percent(10), percent(50), percent(100)],
      maxUnavailable: percent(5),
      failureBudget: 2,
      gates: {
        converged: { coverage: 100 },
        conformance: { suites: ['live'], clusters: 'all' },
        soak: hours(24),
        windows: [{ days: [1, 2, 3, 4], start: 8 * 60, end: 16 * 60, tz: 'Europe/Berlin' }],
      },
    }),
    channel('stable', {
      from: 'beta',
      promotion: 'manual',
      waves: [count(1), percent(100)],
      maxUnavailable: percent(10),
      failureBudget: 1,
      gates: {
        converged: { coverage: 95, maxOffline: 2 },
        soak: hours(72),
        approvals: { required: 1, roles: ['approver'], authorMayApprove: true },
        backup: { maxAge: hours(24) },
      },
    }),
  ],
};
