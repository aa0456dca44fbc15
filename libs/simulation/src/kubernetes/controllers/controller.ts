import { milliseconds, type Duration } from '#kernel';
import type { Scheduler } from '../../time/scheduler.js';
import type { SeededRandom } from '../../time/seeded-random.js';
import type { ObjectStore } from '../api/store.js';
import type { ClusterView } from './cluster-view.js';
import type { EventRecorder } from './event-recorder.js';
import type { ProcessClock } from './process-clock.js';
import { type Gate, WorkQueue } from './work-queue.js';

/** What every inhabitant of the control plane gets to work with. */
export interface ControllerContext {
  readonly store: ObjectStore;
  readonly view: ClusterView;
  readonly scheduler: Scheduler;
  readonly clock: ProcessClock;
  readonly random: SeededRandom;
  readonly events: EventRecorder;
  readonly gate: Gate;
}

/** A controller is alive from `start` to `close`. */
export interface Controller {
  readonly name: string;
  start(): void;
  close(): void;
}

/** Reaction times of informer plus work queue; a real one is below a second on a healthy control plane. */
export function queueFor(
  context: ControllerContext,
  name: string,
  reconcile: (key: string) => void,
  base: Duration = milliseconds(100),
): WorkQueue {
  const random = context.random.fork(name);
  return new WorkQueue(
    context.scheduler,
    context.clock,
    context.gate,
    () => random.jitter(base, 0.5),
    reconcile,
  );
}

/** Writes `status` where it differs; returns false where the object is gone. */
export function writeStatus(
  store: ObjectStore,
  resource: string,
  namespace: string | undefined,
  name: string,
  status: Readonly<Record<string, unknown>>,
  manager = 'kube-controller-manager',
): boolean {
  const change = (draft: Record<string, unknown>): void => {
    draft['status'] = status;
  };
  return (
    store.modify(resource, namespace, name, (draft) => change(draft), { subresource: 'status', manager }) !==
    undefined
  );
}
