import { seconds, type Duration } from '#kernel';
import type { Cancel } from '../../time/scheduler.js';
import { timestamp } from '../controllers/conditions.js';
import type { Pod, PodSpec } from '../controllers/objects.js';
import { annotatedDuration, ANNOTATIONS, type ContainerProcess } from './container-program.js';
import type { KubeletServices } from './kubelet-services.js';
import { phaseOf, podStatus, restartsAfter, type LocalContainer } from './pod-status.js';

/** What a pod needs from the kubelet that runs it. */
export interface PodHost {
  readonly services: KubeletServices;
  readonly hostIp: string;
  nextPodIp(): string;
  hasImage(image: string): boolean;
  keepImage(image: string): void;
  /** May the containers start, as far as volumes go? The host calls `poke` when that may have changed. */
  volumesReady(pod: Pod): boolean;
  /** Writes the pod's status to the API, later if that is away. */
  publish(worker: PodWorker): void;
  /** The pod is stopped for good; the API object may go. */
  stopped(worker: PodWorker): void;
}

const CRASH_BACK_OFF: Duration = seconds(10);
const MAX_BACK_OFF: Duration = seconds(300);
/** Exit code of a container that ends on SIGTERM, and of one that had to be killed. */
const TERMINATED = 143;
const KILLED = 137;

/** The life of one pod on its node: volumes, images, containers, readiness, and a graceful end. */
export class PodWorker {
  readonly containers: LocalContainer[];
  private readonly startedAt: number;
  private readonly scratch = new Map<string, string>();
  private readonly timers = new Set<Cancel>();
  private phase: 'waiting' | 'starting' | 'running' | 'stopping' | 'ended' = 'waiting';
  private warm = false;
  private podIp: string | undefined;
  private stopAt = Number.POSITIVE_INFINITY;
  private killAt = Number.POSITIVE_INFINITY;
  private cancelStop: Cancel | undefined;

  constructor(
    public pod: Pod,
    private readonly host: PodHost,
  ) {
    this.startedAt = host.services.scheduler.now();
    this.containers = (pod.spec as PodSpec).containers.map((spec) => ({
      spec,
      state: { waiting: { reason: 'ContainerCreating' } },
      last: undefined,
      restarts: 0,
      id: '',
    }));
  }

  get uid(): string {
    return this.pod.metadata.uid as string;
  }

  get ready(): boolean {
    const annotated = this.pod.metadata.annotations?.[ANNOTATIONS.unready] === 'true';
    return (
      this.warm &&
      this.phase !== 'ended' &&
      !annotated &&
      this.containers.every(({ state }) => state.running !== undefined)
    );
  }

  status(pod: Pod): ReturnType<typeof podStatus> {
    const { hostIp } = this.host;
    const local = {
      containers: this.containers,
      startedAt: this.startedAt,
      ready: this.ready,
      podIp: this.podIp,
      hostIp,
    };
    return podStatus(pod, local, this.host.services.scheduler.now());
  }

  start(): void {
    this.host.publish(this);
    this.poke();
  }

  /** A static pod that has been running before the API knew of it. */
  adopt(): void {
    this.phase = 'running';
    this.podIp = this.host.hostIp;
    this.warm = true;
    for (const container of this.containers) this.launch(container);
    this.host.publish(this);
  }

  /** Looks again at what the start waits for. */
  poke(): void {
    if (this.phase !== 'waiting' || !this.host.volumesReady(this.pod)) return;
    this.phase = 'starting';
    this.pullNext([...new Set(this.containers.map(({ spec }) => spec.image))], 0);
  }

  /** The API object changed: a deletion, or an annotation that matters. */
  update(pod: Pod): void {
    const wasReady = this.ready;
    this.pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) return this.terminate();
    if (wasReady !== this.ready) this.host.publish(this);
  }

  /** Node gone or pod removed: nothing of it runs any more, nobody is told. */
  abandon(): void {
    this.phase = 'ended';
    for (const cancel of this.timers) cancel();
    this.timers.clear();
    this.cancelStop?.();
    this.host.services.logs.drop(this.uid);
  }

  private after(delay: Duration, fn: () => void): void {
    const cancel = this.host.services.scheduler.after(delay, () => {
      this.timers.delete(cancel);
      if (this.phase !== 'ended') fn();
    });
    this.timers.add(cancel);
  }

  private pullNext(images: readonly string[], failures: number): void {
    const [image, ...rest] = images;
    if (this.phase !== 'starting') return;
    if (image === undefined) return this.after(this.host.services.timings.startContainers, () => this.run());
    if (this.host.hasImage(image)) return this.pullNext(rest, 0);
    const { events, registry } = this.host.services;
    events.normal(this.pod, 'Pulling', `Pulling image "${image}"`, 'kubelet');
    registry.pull(image, (result) => {
      if (this.phase !== 'starting') return;
      if (result.ok) {
        this.host.keepImage(image);
        events.normal(this.pod, 'Pulled', `Successfully pulled image "${image}"`, 'kubelet');
        return this.pullNext(rest, 0);
      }
      this.pullFailed(images, image, result.message, failures + 1);
    });
  }

  private pullFailed(images: readonly string[], image: string, message: string, failures: number): void {
    this.host.services.events.warning(
      this.pod,
      'Failed',
      `Failed to pull image "${image}": ${message}`,
      'kubelet',
    );
    const wait = (reason: string, text: string): void => {
      for (const container of this.containers) {
        if (container.spec.image === image) container.state = { waiting: { reason, message: text } };
      }
      this.host.publish(this);
    };
    wait('ErrImagePull', message);
    this.after(seconds(2), () => wait('ImagePullBackOff', `Back-off pulling image "${image}"`));
    this.after(Math.min(MAX_BACK_OFF, CRASH_BACK_OFF * 2 ** (failures - 1)), () =>
      this.pullNext(images, failures),
    );
  }

  private run(): void {
    if (this.phase !== 'starting') return;
    this.phase = 'running';
    this.podIp = this.pod.spec?.hostNetwork ? this.host.hostIp : this.host.nextPodIp();
    for (const container of this.containers) this.launch(container);
    this.warmUp();
  }

  private warmUp(): void {
    const { timings } = this.host.services;
    const annotated = this.pod.metadata.annotations?.[ANNOTATIONS.readyAfter];
    const delay =
      annotatedDuration(this.pod, ANNOTATIONS.readyAfter) ??
      (annotated === 'never' ? undefined : timings.readyAfter);
    this.warm = delay === 0;
    this.host.publish(this);
    if (this.warm || delay === undefined) return;
    this.after(delay, () => {
      this.warm = true;
      this.host.publish(this);
    });
  }

  private launch(container: LocalContainer): void {
    const { services } = this.host;
    const now = services.scheduler.now();
    container.id = services.random.hex(64);
    container.state = { running: { startedAt: timestamp(now) } };
    const log = services.logs.open(this.uid, container.spec.name);
    log.reopen();
    const { id } = container;
    const alive = (): boolean => container.id === id && container.state.running !== undefined;
    const process: ContainerProcess = {
      pod: this.pod,
      container: container.spec,
      scratch: this.scratch,
      now: () => services.scheduler.now(),
      after: (delay, fn) => this.after(delay, () => void (alive() && fn())),
      log: (line) => void (alive() && log.append(services.scheduler.now(), line)),
      exit: (code) => void (alive() && this.exited(container, code)),
    };
    services.programFor(this.pod, container.spec).run(process);
  }

  private exited(container: LocalContainer, code: number): void {
    this.end(container, code, code === 0 ? 'Completed' : 'Error');
    if (this.phase === 'running' && restartsAfter(this.pod, code)) this.restartLater(container);
    this.host.publish(this);
  }

  private end(container: LocalContainer, exitCode: number, reason: string): void {
    const startedAt = container.state.running?.startedAt;
    if (startedAt === undefined) return;
    const finishedAt = timestamp(this.host.services.scheduler.now());
    container.state = { terminated: { exitCode, reason, startedAt, finishedAt } };
    if (!restartsAfter(this.pod, exitCode))
      this.host.services.logs.open(this.uid, container.spec.name).close();
  }

  private restartLater(container: LocalContainer): void {
    container.last = container.state;
    const message = `back-off restarting failed container=${container.spec.name} pod=${this.pod.metadata.name}`;
    container.state = { waiting: { reason: 'CrashLoopBackOff', message } };
    this.host.services.events.warning(this.pod, 'BackOff', message, 'kubelet');
    this.after(Math.min(MAX_BACK_OFF, CRASH_BACK_OFF * 2 ** container.restarts), () => {
      if (this.phase !== 'running') return;
      container.restarts++;
      this.launch(container);
      this.host.publish(this);
    });
  }

  /** SIGTERM now, SIGKILL when the grace period is over. A shorter grace later on cuts it short. */
  private terminate(): void {
    const { scheduler, clock, events, timings } = this.host.services;
    const now = clock.now();
    if (this.phase !== 'stopping') {
      const finished = ['Succeeded', 'Failed'].includes(phaseOf(this.pod, this.containers));
      const running = this.containers.some(({ state }) => state.running) && !finished;
      if (running) events.normal(this.pod, 'Killing', 'Stopping containers', 'kubelet');
      this.stopAt =
        now + (running ? (annotatedDuration(this.pod, ANNOTATIONS.stopAfter) ?? timings.stopAfter) : 0);
    }
    this.phase = 'stopping';
    this.killAt = Math.min(this.killAt, now + seconds(this.pod.metadata.deletionGracePeriodSeconds ?? 0));
    const killed = this.killAt < this.stopAt;
    this.cancelStop?.();
    this.cancelStop = scheduler.after(Math.min(this.stopAt, this.killAt) - now, () => this.stopNow(killed));
  }

  private stopNow(killed: boolean): void {
    for (const container of this.containers) this.end(container, killed ? KILLED : TERMINATED, 'Error');
    this.abandon();
    this.host.stopped(this);
  }
}
