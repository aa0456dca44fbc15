import type { Instant } from '#kernel';
import type { Scheduler } from '../time/scheduler.js';
import type { SeededRandom } from '../time/seeded-random.js';
import type { Faults } from './faults.js';
import type { IsServing, MachineListener } from './machine.js';
import type { AwsTimings } from './timings.js';

/** Something that happened in the cloud by itself or as the consequence of a call. */
export interface CloudEvent {
  readonly at: Instant;
  readonly account: string;
  readonly region: string;
  readonly kind:
    | 'instance-launched'
    | 'instance-running'
    | 'instance-booted'
    | 'instance-terminating'
    | 'instance-terminated'
    | 'instance-stopped'
    | 'stack-status'
    | 'target-health';
  /** Instance id, stack name or `target group/instance id`. */
  readonly subject: string;
  readonly detail: string;
}

/** What every inhabitant of the world shares. */
export interface WorldContext {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly timings: AwsTimings;
  readonly faults: Faults;
  readonly machines: readonly MachineListener[];
  readonly isServing: IsServing;
  record(event: Omit<CloudEvent, 'at'>): void;
}
