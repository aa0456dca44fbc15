import { hours, minutes, type Duration } from '#kernel';
import type { Scheduler } from '../../time/scheduler.js';
import type { SeededRandom } from '../../time/seeded-random.js';
import { ApiError, type ObjectStore } from '../api/store.js';
import { timestamp } from './conditions.js';
import type { Thing } from './objects.js';

interface Known {
  readonly name: string;
  readonly namespace: string;
  readonly firstTimestamp: string;
  count: number;
  written: number;
}

const KEEP: Duration = hours(1);
/** Repeats within this time are counted in memory only. */
const REWRITE_AFTER: Duration = minutes(1);

/** Writes core/v1 Events: repeats are counted on one object, and an hour later they are gone, as on a real server. */
export class EventRecorder {
  private readonly known = new Map<string, Known>();
  private sweeping = false;
  private closed = false;

  constructor(
    private readonly store: ObjectStore,
    private readonly scheduler: Scheduler,
    private readonly random: SeededRandom,
    private readonly options: { readonly normal: boolean } = { normal: true },
  ) {}

  normal(about: Thing, reason: string, message: string, component: string): void {
    if (this.options.normal) this.record(about, 'Normal', reason, message, component);
  }

  warning(about: Thing, reason: string, message: string, component: string): void {
    this.record(about, 'Warning', reason, message, component);
  }

  close(): void {
    this.closed = true;
  }

  private record(about: Thing, type: string, reason: string, message: string, component: string): void {
    const now = this.scheduler.now();
    const key = `${about.metadata.uid}|${reason}|${message}`;
    const known = this.known.get(key);
    if (known) return this.repeat(known, now);
    const namespace = about.metadata.namespace ?? 'default';
    const name = `${about.metadata.name}.${this.random.hex(16)}`;
    const entry: Known = { name, namespace, firstTimestamp: timestamp(now), count: 1, written: now };
    this.known.set(key, entry);
    this.write(() =>
      this.store.create('events', eventObject(about, entry, { type, reason, message, component })),
    );
    this.planSweep();
  }

  private repeat(known: Known, now: number): void {
    known.count++;
    if (now - known.written < REWRITE_AFTER) return;
    known.written = now;
    this.write(() =>
      this.store.modify('events', known.namespace, known.name, (draft) => {
        draft['count'] = known.count;
        draft['lastTimestamp'] = timestamp(now);
      }),
    );
  }

  private planSweep(): void {
    if (this.sweeping) return;
    this.sweeping = true;
    this.scheduler.after(KEEP, () => {
      this.sweeping = false;
      if (!this.closed) this.sweep();
    });
  }

  private sweep(): void {
    const limit = this.scheduler.now() - KEEP;
    for (const [key, entry] of this.known) {
      if (entry.written > limit) continue;
      this.known.delete(key);
      this.write(() => this.store.remove('events', entry.namespace, entry.name));
    }
    if (this.known.size > 0) this.planSweep();
  }

  /** An event about something in a namespace that ends, or an event already gone, is nobody's trouble. */
  private write(fn: () => void): void {
    try {
      fn();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }
}

function eventObject(
  about: Thing,
  entry: Known,
  what: {
    readonly type: string;
    readonly reason: string;
    readonly message: string;
    readonly component: string;
  },
): Readonly<Record<string, unknown>> & { metadata: { name: string; namespace: string } } {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: entry.name, namespace: entry.namespace },
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      name: about.metadata.name,
      ...(about.metadata.namespace && { namespace: about.metadata.namespace }),
      uid: about.metadata.uid,
    },
    type: what.type,
    reason: what.reason,
    message: what.message,
    source: { component: what.component },
    reportingComponent: what.component,
    reportingInstance: what.component,
    count: entry.count,
    firstTimestamp: entry.firstTimestamp,
    lastTimestamp: entry.firstTimestamp,
  };
}
