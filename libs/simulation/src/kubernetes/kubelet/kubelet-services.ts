import { seconds, type Duration } from '#kernel';
import type { Scheduler } from '../../time/scheduler.js';
import type { SeededRandom } from '../../time/seeded-random.js';
import type { ObjectStore } from '../api/store.js';
import type { ClusterView } from '../controllers/cluster-view.js';
import type { EventRecorder } from '../controllers/event-recorder.js';
import type { Heartbeats } from '../controllers/heartbeats.js';
import type { Container, Pod } from '../controllers/objects.js';
import type { ProcessClock } from '../controllers/process-clock.js';
import type { Gate } from '../controllers/work-queue.js';
import type { LogBook } from './container-logs.js';
import type { ContainerProgram } from './container-program.js';
import type { ImageRegistry } from './image-registry.js';

export interface KubeletTimings {
  /** Boot is over until the Node object appears. */
  readonly register: Duration;
  /** Node object until Ready: container network, plug-ins. */
  readonly nodeReady: Duration;
  readonly startContainers: Duration;
  /** Containers run until the pod is ready; `sim.fairway.dev/ready-after` overrides it. */
  readonly readyAfter: Duration;
  /** SIGTERM until the containers are gone; `sim.fairway.dev/stop-after` overrides it. */
  readonly stopAfter: Duration;
  /** How often the lease object is really written; in between it is worked out (see Heartbeats). */
  readonly leaseWrite: Duration;
}

export const defaultKubeletTimings: KubeletTimings = {
  register: seconds(3),
  nodeReady: seconds(12),
  startContainers: seconds(1),
  readyAfter: seconds(3),
  stopAfter: seconds(2),
  leaseWrite: seconds(300),
};

/** Shared by all kubelets of a cluster. */
export interface KubeletServices {
  readonly store: ObjectStore;
  readonly view: ClusterView;
  readonly scheduler: Scheduler;
  readonly clock: ProcessClock;
  readonly random: SeededRandom;
  readonly events: EventRecorder;
  readonly logs: LogBook;
  readonly registry: ImageRegistry;
  readonly heartbeats: Heartbeats;
  readonly timings: KubeletTimings;
  /** Is an API server there to talk to? Pods run on without; what is to be written waits. */
  readonly api: Gate;
  programFor(pod: Pod, container: Container): ContainerProgram;
}
