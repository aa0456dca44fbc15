import type { Duration, Failure, FailureDetail, Result } from '#kernel';
import { err, hours, milliseconds, minutes, ok, parseDuration, seconds } from '#kernel';
import type { LadderPolicy, RollPolicy } from './policy.js';

type Items = Readonly<Record<string, string>>;
type Faults = FailureDetail[];

/**
 * The roll policy of a pool from its effective config items (names as in rolling.md; durations such as `90s`, `6h`, or
 * bare seconds). Items with other names are not ours and ignored. `overrides` are the installation's, and win.
 * Error: `roll-policy-invalid` (invalid), every faulty item in `details`.
 */
export function policyFor(
  poolConfigItems: Items,
  environment: string,
  overrides: Partial<RollPolicy> = {},
): Result<RollPolicy, Failure> {
  const faults: Faults = [];
  const read = new ItemReader(poolConfigItems, faults);
  const policy: RollPolicy = {
    ...defaults(environment),
    ...capacity(read),
    ...boot(read),
    ...drain(read),
    ...ladder(read),
    ...overrides,
  };
  if (policy.strategy === 'all-at-once' && !policy.allAtOnceGranted) {
    read.fault(
      'roll_strategy',
      'all-at-once takes every node at the same time',
      'Set all_at_once_granted: "true" as well.',
    );
  }
  if (policy.strategy === 'surge' && policy.maxSurge === 0 && policy.maxUnavailable === 0) {
    read.fault(
      'max_surge',
      'max_surge and max_unavailable are both 0: no node could ever go',
      'Allow one of them.',
    );
  }
  if (faults.length === 0) return ok(policy);
  return err({
    class: 'invalid',
    code: 'roll-policy-invalid',
    message: faults.map((fault) => fault.message).join('; '),
    hint: 'Correct the config items of the node pool.',
    details: faults,
  });
}

/** Environments in which a workload that stands in the way may be handled less patiently. */
const PATIENT_EXCEPT: readonly string[] = ['test', 'dev', 'e2e'];

function defaults(environment: string): RollPolicy {
  const careful = !PATIENT_EXCEPT.includes(environment);
  return {
    ...CAPACITY_AND_BOOT,
    ...DRAIN,
    ladder: LADDER,
    parkAfter: minutes(careful ? 30 : 10),
    blockedDeadline: hours(careful ? 6 : 1),
    podsWithoutController: careful ? 'wait' : 'delete',
  };
}

const CAPACITY_AND_BOOT = {
  maxSurge: 1,
  maxUnavailable: 0,
  parallelDrains: 1,
  clusterParallelDrains: 3,
  strategy: 'surge',
  allAtOnceGranted: false,
  minReady: seconds(30),
  canarySoak: 0,
  launchTimeout: minutes(5),
  registerTimeout: minutes(15),
  initialiseTimeout: minutes(10),
  startupTaints: [
    'node.kubernetes.io/not-ready',
    'node.cloudprovider.kubernetes.io/uninitialized',
    'node.cilium.io/agent-not-ready',
    'ebs.csi.aws.com/agent-not-ready',
    'efs.csi.aws.com/agent-not-ready',
  ],
  failedBootBudget: 2,
  pollInterval: seconds(15),
  settleInterval: seconds(2),
  lookAfterAction: milliseconds(250),
  frozenGrace: minutes(15),
  expectedBoot: minutes(4),
  expectedDrain: minutes(5),
  fairwayLabels: { 'app.kubernetes.io/name': 'fairway' },
} satisfies Partial<RollPolicy>;

const DRAIN = {
  drainLabels: {},
  deregistrationDelayCap: seconds(300),
  drainedReadGap: seconds(5),
  tellBlockedAfter: minutes(2),
  onBlockedDeadline: 'quarantine',
  drainMaxHold: hours(24),
  terminatingSlack: seconds(60),
  responderWindow: minutes(20),
  unreachableAfter: minutes(5),
  unreachableWait: minutes(10),
} satisfies Partial<RollPolicy>;

const LADDER: LadderPolicy = {
  gracePeriod: hours(6),
  forceInterval: minutes(5),
  minPodLifetime: hours(72),
  minHealthySiblingLifetime: hours(1),
  minUnhealthySiblingLifetime: hours(6),
  warning: minutes(30),
};

const LADDER_ITEMS: Readonly<Record<string, keyof LadderPolicy>> = {
  drain_grace_period: 'gracePeriod',
  drain_force_evict_interval: 'forceInterval',
  drain_min_pod_lifetime: 'minPodLifetime',
  drain_min_healthy_sibling_lifetime: 'minHealthySiblingLifetime',
  drain_min_unhealthy_sibling_lifetime: 'minUnhealthySiblingLifetime',
};

function ladder(read: ItemReader): Partial<RollPolicy> {
  const set = Object.entries(LADDER_ITEMS).flatMap(([key, field]) => {
    const value = read.has(key) ? read.duration(key) : undefined;
    return value === undefined ? [] : [[field, value] as const];
  });
  return set.length === 0 ? {} : { ladder: { ...LADDER, ...Object.fromEntries(set) } };
}

const capacity = (read: ItemReader): Partial<RollPolicy> => ({
  ...read.optional('max_surge', 'maxSurge', (key) =>
    read.text(key) === 'auto' ? 'auto' : read.count(key, 0),
  ),
  ...read.optional('max_unavailable', 'maxUnavailable', (key) => read.count(key, 0)),
  ...read.optional('parallel_drains', 'parallelDrains', (key) => read.count(key, 1)),
  ...read.optional('cluster_parallel_drains', 'clusterParallelDrains', (key) => read.count(key, 1)),
  ...read.optional('roll_strategy', 'strategy', (key) =>
    read.oneOf(key, ['surge', 'one-at-a-time', 'all-at-once']),
  ),
  ...read.optional(
    'all_at_once_granted',
    'allAtOnceGranted',
    (key) => read.oneOf(key, ['true', 'false']) === 'true',
  ),
});

const boot = (read: ItemReader): Partial<RollPolicy> => ({
  ...read.optional('min_ready_seconds', 'minReady', (key) => read.duration(key)),
  ...read.optional('canary_soak', 'canarySoak', (key) => read.duration(key)),
  ...read.optional('node_launch_timeout', 'launchTimeout', (key) => read.duration(key)),
  ...read.optional('node_register_timeout', 'registerTimeout', (key) => read.duration(key)),
  ...read.optional('node_initialise_timeout', 'initialiseTimeout', (key) => read.duration(key)),
  ...read.optional('startup_taints', 'startupTaints', (key) => read.list(key)),
  ...read.optional('failed_boot_budget', 'failedBootBudget', (key) => read.count(key, 1)),
});

const drain = (read: ItemReader): Partial<RollPolicy> => ({
  ...read.optional('drain_profile', 'drainLabels', (key) => read.labels(key)),
  ...read.optional('drain_blocked_deadline', 'blockedDeadline', (key) => read.duration(key)),
  ...read.optional('drain_on_deadline', 'onBlockedDeadline', (key) =>
    read.oneOf(key, ['quarantine', 'ladder', 'fail']),
  ),
  ...read.optional('drain_park_after', 'parkAfter', (key) => read.duration(key)),
  ...read.optional('drain_max_hold', 'drainMaxHold', (key) => read.duration(key)),
  ...read.optional('drain_responder_window', 'responderWindow', (key) => read.duration(key)),
  ...read.optional('drain_pods_without_controller', 'podsWithoutController', (key) =>
    read.oneOf(key, ['fail', 'wait', 'delete']),
  ),
  ...read.optional('node_unreachable_after', 'unreachableAfter', (key) => read.duration(key)),
  ...read.optional('node_unreachable_wait', 'unreachableWait', (key) => read.duration(key)),
  ...read.optional('roll_pause_grace', 'frozenGrace', (key) => read.duration(key)),
  ...read.optional('drain_poll_interval', 'pollInterval', (key) => read.duration(key)),
});

/** Reads single items and collects every fault, so that a team sees all of them at once. */
class ItemReader {
  constructor(
    private readonly items: Items,
    private readonly faults: Faults,
  ) {}

  optional<K extends keyof RollPolicy>(
    key: string,
    field: K,
    parse: (key: string) => RollPolicy[K] | undefined,
  ): Partial<Pick<RollPolicy, K>> {
    if (!this.has(key)) return {};
    const value = parse(key);
    return value === undefined ? {} : ({ [field]: value } as Partial<Pick<RollPolicy, K>>);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.items, key);
  }

  text(key: string): string {
    return (this.items[key] ?? '').trim();
  }

  count(key: string, least: number): number | undefined {
    const value = Number(this.text(key));
    if (/^\d+$/.test(this.text(key)) && value >= least) return value;
    return this.fault(
      key,
      `"${this.text(key)}" is not a whole number of at least ${least}`,
      `For example "${Math.max(1, least)}".`,
    );
  }

  duration(key: string): Duration | undefined {
    const text = this.text(key);
    const value = /^\d+(\.\d+)?$/.test(text) ? seconds(Number(text)) : parseDuration(text);
    return value ?? this.fault(key, `"${text}" is no duration`, 'For example "90s", "10m" or "6h".');
  }

  oneOf<const T extends readonly string[]>(key: string, allowed: T): T[number] | undefined {
    const found: T[number] | undefined = allowed.find((value) => value === this.text(key));
    return found ?? this.fault(key, `"${this.text(key)}" is unknown`, `One of: ${allowed.join(', ')}.`);
  }

  list(key: string): readonly string[] {
    return this.text(key)
      .split(/[\s,]+/)
      .filter((part) => part !== '');
  }

  /** `lifecycle-status=decommission-pending,other=value` */
  labels(key: string): Readonly<Record<string, string>> | undefined {
    const pairs = this.list(key).map((part) => /^([^=]+)=(.*)$/.exec(part));
    if (pairs.some((pair) => pair === null)) {
      return this.fault(
        key,
        `"${this.text(key)}" is no list of label=value`,
        'For example "lifecycle-status=decommission-pending".',
      );
    }
    return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']));
  }

  fault(key: string, message: string, hint: string): undefined {
    this.faults.push({
      message: `config item ${key}: ${message}`,
      hint,
      place: { field: `config_items.${key}` },
    });
    return undefined;
  }
}
