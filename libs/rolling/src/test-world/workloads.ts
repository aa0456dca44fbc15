import type { RollWorld } from './world.js';
import { START as START_OF_TIME, type SimPod, type WorkloadSpec } from './world-types.js';

/** A volume is free this long after its pod has left. */
const DETACH = 5_000;
const START = 5_000;
const GRACE = 10_000;

const specOf = (world: RollWorld, pod: SimPod): WorkloadSpec | undefined =>
  world.workloads.find((workload) => workload.name === pod.workload);

/** ReplicaSets replace a pod at once, StatefulSets the same name when the old pod is gone. */
export function fill(world: RollWorld, workload: WorkloadSpec): void {
  const own = (): readonly SimPod[] => world.pods.filter((pod) => pod.workload === workload.name);
  if (workload.kind === 'StatefulSet') {
    for (let ordinal = 0; ordinal < workload.replicas; ordinal += 1) {
      const name = `${workload.name}-${ordinal}`;
      if (!own().some((pod) => pod.name === name)) create(world, workload, name);
    }
    return;
  }
  while (own().filter((pod) => pod.deletedAt === undefined).length < workload.replicas) {
    create(world, workload, `${workload.name}-${world.next()}`);
  }
}

function create(world: RollWorld, workload: WorkloadSpec, name: string): void {
  const lost = world.lost.get(workload.name) ?? 0;
  const born = world.now === START_OF_TIME ? 'first' : lost > 0 ? 'lost' : 'moved';
  if (born === 'lost') world.lost.set(workload.name, lost - 1);
  const uid = workload.kind === 'StatefulSet' ? `uid-${name}-${world.next()}` : `uid-${name}`;
  world.pods.push({
    workload: workload.name,
    uid,
    name,
    createdAt: world.now,
    born,
    daemon: false,
    ready: false,
  });
}

/** Volumes are bound where their first pod ran, and stay in that zone. */
export function schedule(world: RollWorld, pod: SimPod): void {
  const volume = volumeOf(world, pod);
  const zone = volume === undefined ? undefined : world.zones.get(volume);
  const open = world
    .allInstances()
    .filter(
      ({ node, group, zone: where }) =>
        node?.ready &&
        !node.unschedulable &&
        !world.group(group).master &&
        (zone === undefined || where === zone) &&
        !node.taints.some(({ effect }) => effect !== 'PreferNoSchedule'),
    );
  const load = (node: string | undefined): number => world.pods.filter((other) => other.node === node).length;
  const [best] = [...open].sort(
    (a, b) =>
      Number((a.node?.taints.length ?? 0) > 0) - Number((b.node?.taints.length ?? 0) > 0) ||
      load(a.node?.name) - load(b.node?.name) ||
      (a.id < b.id ? -1 : 1),
  );
  if (!best?.node) return;
  pod.node = best.node.name;
  if (volume !== undefined) world.zones.set(volume, best.zone);
  startUp(world, pod, volume);
}

/** Containers start when the volume has come over. */
function startUp(world: RollWorld, pod: SimPod, volume: string | undefined): void {
  if (volume !== undefined) {
    const at = world.volumes.get(volume);
    if (at !== undefined && at !== pod.node) return world.after(1_000, () => startUp(world, pod, volume));
    if (pod.node !== undefined) world.volumes.set(volume, pod.node);
  }
  world.after(specOf(world, pod)?.startMs ?? START, () => {
    const node = world.nodes().find(({ name }) => name === pod.node);
    pod.ready = pod.deletedAt === undefined && node?.silent === false;
  });
}

const volumeOf = (world: RollWorld, pod: SimPod): string | undefined =>
  specOf(world, pod)?.volumes === true ? `data-${pod.name}` : undefined;

export function deletePod(world: RollWorld, pod: SimPod): void {
  if (pod.deletedAt !== undefined) return;
  pod.deletedAt = world.now;
  pod.ready = false;
  end(world, pod, specOf(world, pod)?.graceMs ?? GRACE);
}

/** Only a kubelet that answers ends a pod. */
function end(world: RollWorld, pod: SimPod, after: number): void {
  world.after(after, () => {
    const node = world.nodes().find(({ name }) => name === pod.node);
    if (node?.silent) end(world, pod, 5_000);
    else release(world, pod);
  });
}

/** The pod is gone; its volume follows. */
export function release(world: RollWorld, pod: SimPod): void {
  const index = world.pods.indexOf(pod);
  if (index < 0) return;
  if (!pod.daemon && pod.deletedAt === undefined) world.lose(pod);
  world.pods.splice(index, 1);
  const volume = volumeOf(world, pod);
  if (volume === undefined || world.volumes.get(volume) !== pod.node) return;
  const from = pod.node;
  world.after(world.spec.detachMs ?? DETACH, () => {
    if (world.volumes.get(volume) === from) world.volumes.delete(volume);
  });
}

export const attachments = (world: RollWorld): readonly { readonly node: string }[] =>
  [...world.volumes.values()].map((node) => ({ node }));
