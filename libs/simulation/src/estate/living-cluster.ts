import type { Scheduler } from '../time/scheduler.js';
import type { SeededRandom } from '../time/seeded-random.js';
import { ObjectStore } from '../kubernetes/api/store.js';
import {
  AttachDetachController,
  type AttachTimings,
} from '../kubernetes/controllers/attach-detach.controller.js';
import { ClusterView } from '../kubernetes/controllers/cluster-view.js';
import type { Controller, ControllerContext } from '../kubernetes/controllers/controller.js';
import { DaemonSetController } from '../kubernetes/controllers/daemon-set.controller.js';
import { DeploymentController } from '../kubernetes/controllers/deployment.controller.js';
import { DisruptionController } from '../kubernetes/controllers/disruption.controller.js';
import { EndpointsController } from '../kubernetes/controllers/endpoints.controller.js';
import { EventRecorder } from '../kubernetes/controllers/event-recorder.js';
import { EvictionHandler } from '../kubernetes/controllers/eviction.js';
import { Heartbeats } from '../kubernetes/controllers/heartbeats.js';
import { JobController } from '../kubernetes/controllers/job.controller.js';
import { LeaderLeases } from '../kubernetes/controllers/lease.controller.js';
import { NodeLifecycleController } from '../kubernetes/controllers/node-lifecycle.controller.js';
import { ProcessClock } from '../kubernetes/controllers/process-clock.js';
import { PodGcController } from '../kubernetes/controllers/pod-gc.controller.js';
import { PodScheduler } from '../kubernetes/controllers/pod-scheduler.js';
import { PostgresOperator } from '../kubernetes/controllers/postgres-operator.js';
import { ReplicaSetController } from '../kubernetes/controllers/replica-set.controller.js';
import { StatefulSetController } from '../kubernetes/controllers/stateful-set.controller.js';
import { Gate } from '../kubernetes/controllers/work-queue.js';
import { conformanceProgram } from '../kubernetes/kubelet/conformance/conformance-program.js';
import { LogBook } from '../kubernetes/kubelet/container-logs.js';
import { sleeper, type ContainerProgram } from '../kubernetes/kubelet/container-program.js';
import { ImageRegistry } from '../kubernetes/kubelet/image-registry.js';
import {
  defaultKubeletTimings,
  type KubeletServices,
  type KubeletTimings,
} from '../kubernetes/kubelet/kubelet-services.js';
import { readLogs } from '../kubernetes/kubelet/log-reader.js';
import { DEFAULT_VERSION } from '../kubernetes/kubelet/machine-node.js';
import { NodeFleet } from '../kubernetes/kubelet/node-fleet.js';
import { SimulatedCluster } from '../wire-kubernetes/simulated-cluster.js';
import { defaultClusterTimings, type ClusterTimings } from './timings.js';

export interface LivingClusterOptions {
  readonly id: string;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly timings?: Partial<ClusterTimings>;
  readonly kubelet?: Partial<KubeletTimings>;
  readonly volumes?: AttachTimings;
  /** Shared by several clusters where they pull from one registry. */
  readonly registry?: ImageRegistry;
  /** Behaviour of further images, asked before the built-in ones. */
  readonly programs?: readonly ContainerProgram[];
  /** False leaves events of type Normal out: faster in long virtual stories. Default true. */
  readonly normalEvents?: boolean;
  /** A cluster without masters of its own: the API is there from the start and nobody has to bring it up. */
  readonly hosted?: boolean;
}

/** One Kubernetes cluster: its API's storage, everybody who lives in it, and the kubelets of its machines. */
export class LivingCluster {
  readonly id: string;
  readonly store: ObjectStore;
  /** The cluster as the wire serves it: call log, faults, version. */
  readonly wire: SimulatedCluster;
  readonly view: ClusterView;
  readonly fleet: NodeFleet;
  readonly logs = new LogBook();
  readonly registry: ImageRegistry;
  readonly evictions: EvictionHandler;
  readonly heartbeats = new Heartbeats();
  readonly context: ControllerContext;
  private readonly clock: ProcessClock;
  readonly postgres: PostgresOperator;
  private readonly controllers: Controller[];
  private readonly api: Gate;
  private readonly leaders: Gate;
  private readonly listeners = new Set<(available: boolean) => void>();

  constructor(private readonly options: LivingClusterOptions) {
    const { scheduler, random } = options;
    const storage = random.fork('store');
    this.id = options.id;
    this.store = new ObjectStore({ scheduler, random: () => storage.next() });
    this.clock = new ProcessClock(scheduler);
    this.view = new ClusterView(this.store, this.clock);
    this.wire = new SimulatedCluster({ id: options.id, store: this.store, version: `v${DEFAULT_VERSION}` });
    this.wire.unavailable = options.hosted !== true;
    this.api = new Gate(options.hosted === true);
    this.leaders = new Gate(options.hosted === true);
    this.registry = options.registry ?? new ImageRegistry({ scheduler });
    const events = new EventRecorder(this.store, scheduler, random.fork('events'), {
      normal: options.normalEvents ?? true,
    });
    const { store, view, clock, leaders: gate } = this;
    this.context = { store, view, scheduler, clock, random, events, gate };
    this.fleet = new NodeFleet(this.kubeletServices(), (serving) => this.onApiServers(serving));
    this.evictions = new EvictionHandler({ store, view, scheduler });
    this.store.handlers.evict = (request) => this.evictions.evict(request);
    this.store.handlers.logs = (pod, request) => readLogs(this.logs, pod, request);
    this.postgres = new PostgresOperator(this.context);
    this.controllers = this.createControllers();
    for (const controller of this.controllers) controller.start();
  }

  /** Does at least one master's API server answer? The wire answers 503 while none does. */
  get apiAvailable(): boolean {
    return this.api.open;
  }

  /** How many API servers answer (`/readyz` of the load balancer's members). */
  get apiServers(): number {
    return this.options.hosted ? 1 : this.fleet.serving.length;
  }

  /** Called when the API comes or goes. */
  onAvailability(listener: (available: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Lets somebody else move in, such as an autoscaler. */
  add(controller: Controller): void {
    this.controllers.push(controller);
    controller.start();
  }

  close(): void {
    for (const controller of this.controllers) controller.close();
    this.fleet.close();
    this.context.events.close();
    this.view.close();
  }

  private kubeletServices(): KubeletServices {
    const { scheduler, random } = this.options;
    const { store, view, clock, logs, registry, heartbeats, api } = this;
    const programs = [...(this.options.programs ?? []), conformanceProgram(view), sleeper];
    return {
      store,
      view,
      scheduler,
      clock,
      random: random.fork('kubelets'),
      events: this.context.events,
      logs,
      registry,
      heartbeats,
      timings: { ...defaultKubeletTimings, ...this.options.kubelet },
      api,
      programFor: (pod, container) => programs.find((program) => program.matches(pod, container)) ?? sleeper,
    };
  }

  private createControllers(): Controller[] {
    const { context } = this;
    const timings = { ...defaultClusterTimings, ...this.options.timings };
    const leader = (): string | undefined => (this.options.hosted ? 'hosted' : this.fleet.serving[0]);
    return [
      new DeploymentController(context),
      new ReplicaSetController(context),
      new StatefulSetController(context),
      new DaemonSetController(context),
      new JobController(context),
      new DisruptionController(context, timings.budgetLag),
      new PodScheduler(context, timings.schedulerLatency),
      new NodeLifecycleController(context, this.heartbeats, { grace: timings.nodeGrace }),
      new PodGcController(context, timings.orphanQuarantine),
      new AttachDetachController(context, this.options.volumes),
      new EndpointsController(context),
      new LeaderLeases(context, leader, timings.leaderRenewal),
      this.postgres,
    ];
  }

  private onApiServers(serving: readonly string[]): void {
    const available = serving.length > 0 || this.options.hosted === true;
    const oldest = [...this.fleet.apiVersions].sort(compareVersions)[0];
    if (oldest) this.wire.gitVersion = oldest;
    if (available === this.api.open) return;
    this.wire.unavailable = !available;
    this.api.set(available);
    this.leaders.set(available);
    for (const listener of this.listeners) listener(available);
  }
}

/** Orders `v1.31.4` before `v1.32.0`. */
const compareVersions = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });
