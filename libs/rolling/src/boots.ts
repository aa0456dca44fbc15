import type { Duration } from '#kernel';
import type { BootReport } from './boot-throttle.js';
import type { RollDraft } from './draft.js';
import { sinceLaunch, type GroupState, type Member } from './group-state.js';
import type { GroupReport } from './report.js';

/** What one boot shows of the things that many clusters share. */
export interface BootSigns {
  /** Since its launch. */
  readonly took: Duration;
  /** What the pool's boots take, as measured; undefined before its first one. */
  readonly usual: Duration | undefined;
  /** Why containers on it wait, in the kubelet's words. */
  readonly waitingReasons: readonly string[];
}

/** A registry that refuses or is too busy (429) shows as one of these. */
const PULL_TROUBLE: readonly string[] = ['ErrImagePull', 'ImagePullBackOff'];

/** Far slower than the pool's own boots: this many times what they take. */
const SLOW = 2;
const SLOWER = 1.1;

/** Image pulls fail, or it takes far longer than usual: a registry that is slow for everybody answers no error. */
export function isStrained({ took, usual, waitingReasons }: BootSigns): boolean {
  if (usual !== undefined && took > SLOW * usual) return true;
  return waitingReasons.some((reason) => PULL_TROUBLE.includes(reason));
}

/** What is usual after one more boot. Were strained ones simply averaged in, a slow registry would soon be the usual one. */
export const usualBoot = (usual: Duration | undefined, took: Duration, strained: boolean): Duration =>
  usual === undefined ? took : strained ? usual * SLOWER : (usual + took) / 2;

/** Instances on their way in, asked for or seen, and whether one of them shows strain. */
export function bootsOf(draft: RollDraft, groups: readonly GroupReport[]): BootReport {
  const booting = groups.flatMap(({ group }) =>
    group.members.filter((member) => isBooting(draft, group, member)).map((member) => ({ group, member })),
  );
  const missing = groups.reduce((sum, { group }) => sum + missingOf(draft, group), 0);
  // A termination that was ordered and is not seen yet: the group is about to launch.
  const launching = groups.flatMap(({ group }) =>
    group.members.filter(
      (member) => draft.instance(member.id)?.terminate?.decrement === false && !member.leaving,
    ),
  );
  return {
    inFlight: booting.length + missing + launching.length,
    clean: draft.cleanBoots,
    strained: booting.some(({ group, member }) => showsStrain(draft, group, member)),
  };
}

/**
 * One that was given up, or has had all its time, is broken and pulls nothing any more: it must not brake the boots of
 * every other cluster for as long as it is there.
 */
function isBooting(draft: RollDraft, { policy }: GroupState, member: Member): boolean {
  const memory = draft.instance(member.id);
  if (memory === undefined || memory.initialisedAt !== undefined || memory.leaves === 'failed-boot') {
    return false;
  }
  const inTime = sinceLaunch(draft, member) < policy.registerTimeout + policy.initialiseTimeout;
  return inTime && !member.outdated && !member.leaving && !member.boot.initialised;
}

export const showsStrain = (draft: RollDraft, group: GroupState, member: Member): boolean =>
  isStrained({
    took: sinceLaunch(draft, member),
    usual: draft.pool(group.name)?.usualBootMs,
    waitingReasons: member.pods.flatMap(({ waitingReason }) => waitingReason ?? []),
  });

/** Asked of AWS and not there yet. */
function missingOf(draft: RollDraft, group: GroupState): number {
  const pool = draft.pool(group.name);
  if (pool === undefined) return 0;
  const live = group.members.filter((member) => !member.leaving).length;
  const wanted = Math.max(group.pool.group.desiredCapacity, pool.surgePending?.to ?? 0);
  const loose = pool.zoneLaunch === undefined ? 0 : 1;
  return loose + Math.max(0, wanted - live);
}
