import type { Duration } from '#kernel';
import { formatDuration } from '#kernel';
import type { InstanceView, NodeGroupView, NodeView, PodView, Taint } from '#fleet';
import type { RollDraft } from './draft.js';
import { QUEUED_TAINT, REPLACING_TAINT } from './marks.js';
import type { NewNodeState } from './memory.js';
import { tolerates } from './node-fit.js';
import type { RollPolicy } from './policy.js';
import type { PoolScope } from './scope.js';

/** How far a new node is on its way, and the first thing that is missing. */
export interface BootStage {
  readonly state: NewNodeState;
  readonly initialised: boolean;
  readonly waitsFor?: string;
  /** When the wait ends by itself, where that is known. */
  readonly due?: Duration;
  /** Only AWS can tell when it ends: no watch wakes anybody. */
  readonly unwatched?: boolean;
}

export interface BootQuestion {
  readonly draft: RollDraft;
  readonly pool: PoolScope;
  readonly policy: RollPolicy;
  readonly instance: InstanceView;
  readonly node: NodeView | undefined;
  readonly pods: readonly PodView[];
  readonly daemons: PoolDaemons;
}

/** The DaemonSets of a pool's Ready nodes, found once for all its nodes. */
export interface PoolDaemons {
  /** Uids of DaemonSets by Ready node. */
  readonly byNode: ReadonlyMap<string, ReadonlySet<string | undefined>>;
  /** On how many Ready nodes each runs, with one of its pods, as they come. */
  readonly sets: ReadonlyMap<string | undefined, { readonly pod: PodView; readonly nodes: number }>;
}

export function poolDaemons(
  nodes: readonly NodeView[],
  byNode: ReadonlyMap<string, readonly PodView[]>,
): PoolDaemons {
  const ready = nodes.filter((node) => node.ready);
  const own = new Map<string, ReadonlySet<string | undefined>>();
  const sets = new Map<string | undefined, { pod: PodView; nodes: number }>();
  for (const { name } of ready) {
    const uids = new Set<string | undefined>();
    for (const pod of byNode.get(name) ?? []) {
      const uid = pod.owner?.uid;
      if (pod.owner?.kind !== 'DaemonSet' || uids.has(uid)) continue;
      uids.add(uid);
      sets.set(uid, { pod: sets.get(uid)?.pod ?? pod, nodes: (sets.get(uid)?.nodes ?? 0) + 1 });
    }
    own.set(name, uids);
  }
  return { byNode: own, sets };
}

/**
 * "Ready, do next" is the conjunction of everything here (rolling.md, *Initialised*): an instance is InService long
 * before its node is Ready, and a node is Ready before its DaemonSets and load balancers are.
 */
export function bootStage(question: BootQuestion): BootStage {
  const { instance, node } = question;
  if (node === undefined) {
    const state = instance.lifecycleState.startsWith('Pending') ? 'requested' : 'launched';
    return { state, initialised: false, waitsFor: 'its Node to register' };
  }
  if (!node.ready) return { state: 'registered', initialised: false, waitsFor: 'its Node to be Ready' };
  const stable = stability(question, node);
  if (stable > 0) {
    const waitsFor = `its Node to stay Ready for ${formatDuration(question.policy.minReady)}`;
    return { state: 'ready', initialised: false, waitsFor, due: stable };
  }
  const missing = startupTaint(question.policy, node) ?? kubelet(question.pool, node);
  const atAws = autoScaling(instance) ?? loadBalancers(question.pool, instance);
  const waitsFor = missing ?? atAws ?? daemonSets(question, node);
  if (waitsFor === undefined) return { state: 'in-service', initialised: true };
  return { state: 'ready', initialised: false, waitsFor, unwatched: atAws !== undefined };
}

/** Time until the node has been Ready long enough; by its own stamp or since we saw that stamp, whichever is longer. */
function stability({ draft, policy, instance }: BootQuestion, node: NodeView): Duration {
  const stamp = Date.parse(node.readySince ?? '');
  const byStamp = Number.isNaN(stamp) ? 0 : draft.now - stamp;
  const seen = draft.instance(instance.instanceId)?.readySeen;
  const bySight = seen !== undefined && seen.value === (node.readySince ?? '') ? draft.now - seen.at : 0;
  return Math.max(0, policy.minReady - Math.max(byStamp, bySight));
}

function startupTaint(policy: RollPolicy, node: NodeView): string | undefined {
  const ours = [QUEUED_TAINT.key, REPLACING_TAINT.key];
  const left = node.taints.find(
    (taint) => policy.startupTaints.includes(taint.key) && !ours.includes(taint.key),
  );
  return left && `its startup taint ${left.key} to be removed`;
}

function kubelet({ kubeletVersion }: PoolScope, node: NodeView): string | undefined {
  if (kubeletVersion === undefined) return undefined;
  const wanted = kubeletVersion.replace(/^v/, '');
  const has = node.kubeletVersion.replace(/^v/, '');
  const fits =
    has === wanted ||
    has.startsWith(`${wanted}.`) ||
    has.startsWith(`${wanted}-`) ||
    has.startsWith(`${wanted}+`);
  return fits ? undefined : `kubelet ${kubeletVersion} (it runs ${node.kubeletVersion})`;
}

function autoScaling(instance: InstanceView): string | undefined {
  if (instance.lifecycleState !== 'InService')
    return `the auto scaling group to put it InService (${instance.lifecycleState})`;
  return instance.healthStatus === 'Healthy' ? undefined : 'the auto scaling group to find it Healthy';
}

function loadBalancers({ group }: PoolScope, instance: InstanceView): string | undefined {
  const sick = group.targetGroupArns.find(
    (arn) => instance.targetHealth[arn] !== 'healthy' && !isUnused(group, arn, instance),
  );
  return (
    sick &&
    `target group ${shortArn(sick)} to find it healthy (${instance.targetHealth[sick] ?? 'not registered'})`
  );
}

/** No load balancer uses the target group: AWS calls every target `unused`, and nobody waits for its health. */
const isUnused = (group: NodeGroupView, arn: string, instance: InstanceView): boolean =>
  instance.targetHealth[arn] === 'unused' &&
  group.instances.every((other) => ['unused', undefined].includes(other.targetHealth[arn]));

export const shortArn = (arn: string): string => arn.split(':targetgroup/')[1]?.split('/')[0] ?? arn;

/** Its own DaemonSet pods are Ready, and none is missing that all its finished siblings have and that would fit it. */
function daemonSets(question: BootQuestion, node: NodeView): string | undefined {
  const own = question.pods.filter(
    (pod) => pod.owner?.kind === 'DaemonSet' && pod.deletionTimestamp === undefined,
  );
  const unready = own.find((pod) => !pod.ready);
  if (unready) return `DaemonSet pod ${unready.namespace}/${unready.owner?.name ?? unready.name} to be Ready`;
  const has = new Set(own.map((pod) => pod.owner?.uid));
  const missing = commonDaemonPods(question, node).find((pod) => !has.has(pod.owner?.uid) && fits(pod, node));
  return missing && `DaemonSet ${missing.namespace}/${missing.owner?.name ?? ''} to start its pod`;
}

/** One pod of every DaemonSet that runs on all other Ready nodes of the pool. */
function commonDaemonPods({ daemons }: BootQuestion, node: NodeView): readonly PodView[] {
  const own = daemons.byNode.get(node.name);
  const siblings = daemons.byNode.size - (own ? 1 : 0);
  if (siblings === 0) return [];
  return [...daemons.sets].flatMap(([uid, { pod, nodes }]) =>
    nodes - (own?.has(uid) ? 1 : 0) === siblings ? [pod] : [],
  );
}

function fits(pod: PodView, node: NodeView): boolean {
  const selected = Object.entries(pod.nodeSelector).every(([key, value]) => node.labels[key] === value);
  const hard = (taint: Taint): boolean => taint.effect !== 'PreferNoSchedule';
  return selected && node.taints.filter(hard).every((taint) => tolerates(pod.tolerations, taint));
}
