import { timestamp, withCondition } from '../controllers/conditions.js';
import type {
  Condition,
  Container,
  ContainerState,
  ContainerStatus,
  Pod,
  PodStatus,
} from '../controllers/objects.js';
import { requestsOf } from '../controllers/node-fit.js';

/** One container as the kubelet sees it. */
export interface LocalContainer {
  readonly spec: Container;
  state: ContainerState;
  last: ContainerState | undefined;
  restarts: number;
  id: string;
}

export interface LocalPod {
  readonly containers: readonly LocalContainer[];
  readonly startedAt: number;
  readonly ready: boolean;
  readonly podIp: string | undefined;
  readonly hostIp: string;
}

const willRestart = (policy: string | undefined, code: number): boolean =>
  policy === 'Never' ? false : policy === 'OnFailure' ? code !== 0 : true;

export const restartsAfter = (pod: Pod, code: number): boolean => willRestart(pod.spec?.restartPolicy, code);

/** Finished when no container runs or will run again. */
export function phaseOf(pod: Pod, containers: readonly LocalContainer[]): string {
  const codes = containers.map(({ state }) => state.terminated?.exitCode);
  const done = codes.every((code) => code !== undefined && !restartsAfter(pod, code));
  if (done) return codes.every((code) => code === 0) ? 'Succeeded' : 'Failed';
  const started = containers.every(
    ({ state, restarts, last }) => state.running || state.terminated || restarts > 0 || last,
  );
  return started ? 'Running' : 'Pending';
}

/** The status that the kubelet writes: what it knows, and conditions of others as they are. */
export function podStatus(pod: Pod, local: LocalPod, now: number): PodStatus {
  const phase = phaseOf(pod, local.containers);
  const ready = local.ready && phase === 'Running';
  const why =
    phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : 'ContainersNotReady';
  const unready = local.containers
    .filter(({ state }) => !state.running || !ready)
    .map(({ spec }) => spec.name);
  const message = `containers with unready status: [${unready.join(' ')}]`;
  const readiness: Pick<Condition, 'status' | 'reason' | 'message'> = ready
    ? { status: 'True' }
    : { status: 'False', reason: why, ...(why === 'ContainersNotReady' && { message }) };
  let conditions: readonly Condition[] = pod.status?.conditions ?? [];
  for (const condition of [
    { type: 'Initialized', status: 'True' },
    { type: 'Ready', ...readiness },
    { type: 'ContainersReady', ...readiness },
    { type: 'PodScheduled', status: 'True' },
  ]) {
    conditions = withCondition(conditions, condition, now);
  }
  return {
    ...pod.status,
    phase,
    conditions,
    hostIP: local.hostIp,
    ...(local.podIp && { podIP: local.podIp, podIPs: [{ ip: local.podIp }] }),
    startTime: timestamp(local.startedAt),
    containerStatuses: local.containers.map((container) => containerStatus(container, ready)),
    qosClass: qosOf(pod),
  };
}

function containerStatus(container: LocalContainer, podReady: boolean): ContainerStatus {
  const running = container.state.running !== undefined;
  return {
    name: container.spec.name,
    image: container.spec.image,
    imageID: running || container.state.terminated ? `${container.spec.image}@sha256:simulated` : '',
    ready: running && podReady,
    started: running,
    restartCount: container.restarts,
    state: container.state,
    lastState: container.last ?? {},
    ...(container.id && { containerID: `containerd://${container.id}` }),
  };
}

function qosOf(pod: Pod): string {
  const wanted = requestsOf(pod);
  const containers = pod.spec?.containers ?? [];
  const limited = containers.every(
    ({ resources }) => resources?.limits?.['cpu'] && resources.limits['memory'],
  );
  const equal = containers.every(({ resources }) =>
    ['cpu', 'memory'].every(
      (name) => (resources?.requests?.[name] ?? resources?.limits?.[name]) === resources?.limits?.[name],
    ),
  );
  if (limited && equal) return 'Guaranteed';
  const limits = containers.some(({ resources }) => Object.keys(resources?.limits ?? {}).length > 0);
  return wanted.cpu + wanted.memory > 0 || limits ? 'Burstable' : 'BestEffort';
}
