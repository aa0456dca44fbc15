import type { Duration, Instant } from '#kernel';
import { conditionOf, timestamp, withCondition } from './conditions.js';
import { limitsOf } from './deployment-rollout.js';
import type { Condition } from './objects.js';
import type { Deployment, DeploymentStatus, ReplicaSet } from './workloads.js';

const sum = (sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number | undefined): number =>
  sets.reduce((total, set) => total + (of(set) ?? 0), 0);

/** Zero counts are left out, as the API leaves them out. */
const count = (name: string, value: number): Readonly<Record<string, number>> =>
  value > 0 ? { [name]: value } : {};

export interface Moment {
  readonly now: Instant;
  /** How long nothing has moved. */
  readonly stalledFor: Duration;
}

/** Counts and conditions in the words of kube-controller-manager. */
export function statusOf(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  fresh: ReplicaSet | undefined,
  moment: Moment,
): DeploymentStatus {
  const replicas = sum(sets, (set) => set.status?.replicas);
  const available = sum(sets, (set) => set.status?.availableReplicas);
  const wanted = sum(sets, (set) => set.spec?.replicas);
  const counts = {
    ...count('replicas', replicas),
    ...count('updatedReplicas', fresh?.status?.replicas ?? 0),
    ...count(
      'readyReplicas',
      sum(sets, (set) => set.status?.readyReplicas),
    ),
    ...count('availableReplicas', available),
    ...count('unavailableReplicas', wanted - available),
  };
  const base: DeploymentStatus = { observedGeneration: deployment.metadata.generation ?? 1, ...counts };
  return { ...base, conditions: conditionsOf(deployment, base, fresh, moment) };
}

function conditionsOf(
  deployment: Deployment,
  status: DeploymentStatus,
  fresh: ReplicaSet | undefined,
  moment: Moment,
): readonly Condition[] {
  const { now } = moment;
  const desired = deployment.spec?.replicas ?? 1;
  const enough = (status.availableReplicas ?? 0) >= desired - limitsOf(deployment).unavailable;
  const availability = enough
    ? { status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
  const known = deployment.status?.conditions;
  const before = known?.find((condition) => condition.type === 'Available');
  const stamped = {
    lastUpdateTime: before?.status === availability.status ? before.lastUpdateTime : timestamp(now),
  };
  const first = withCondition(known, { type: 'Available', ...availability, ...dropUndefined(stamped) }, now);
  const progress = progressOf(deployment, status, fresh, moment);
  return progress ? withCondition(first, { type: 'Progressing', ...progress }, now) : first;
}

/** A rollout is complete when all replicas are of the new template and available, and no others are left. */
function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const desired = deployment.spec?.replicas ?? 1;
  return (
    (status.updatedReplicas ?? 0) === desired &&
    (status.replicas ?? 0) === desired &&
    (status.availableReplicas ?? 0) === desired &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

type Progress = Pick<Condition, 'status' | 'reason' | 'message' | 'lastUpdateTime'>;

function progressOf(
  deployment: Deployment,
  status: DeploymentStatus,
  fresh: ReplicaSet | undefined,
  { now, stalledFor }: Moment,
): Progress | undefined {
  const known = conditionOf(deployment, 'Progressing');
  const set = fresh?.metadata.name ?? deployment.metadata.name;
  const at = timestamp(now);
  if (isComplete(deployment, status)) {
    if (known?.reason === 'NewReplicaSetAvailable' && known.message?.includes(`"${set}"`)) return known;
    return progress('True', 'NewReplicaSetAvailable', `ReplicaSet "${set}" has successfully progressed.`, at);
  }
  // Losing a pod after the rollout is no rollout: the verdict stands until the template changes.
  if (known?.reason === 'NewReplicaSetAvailable' && known.message?.includes(`"${set}"`)) return known;
  if (!known) return progress('True', 'NewReplicaSetCreated', `Created new replica set "${set}"`, at);
  if (moved(deployment.status, status) || !known.message?.includes(`"${set}"`)) {
    return progress('True', 'ReplicaSetUpdated', `ReplicaSet "${set}" is progressing.`, at);
  }
  if (known.status === 'True' && stalledFor >= deadlineMs(deployment)) {
    return progress(
      'False',
      'ProgressDeadlineExceeded',
      `ReplicaSet "${set}" has timed out progressing.`,
      at,
    );
  }
  return known;
}

const progress = (status: string, reason: string, message: string, lastUpdateTime: string): Progress => ({
  status,
  reason,
  message,
  lastUpdateTime,
});

const deadlineMs = (deployment: Deployment): number =>
  (deployment.spec?.progressDeadlineSeconds ?? 600) * 1000;

function moved(before: DeploymentStatus | undefined, after: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus | undefined): number =>
    (status?.replicas ?? 0) - (status?.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before?.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before?.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before?.availableReplicas ?? 0)
  );
}

/** Milliseconds until a rollout without progress must be called failed; undefined where none is under way. */
export function progressDeadline(
  deployment: Deployment,
  status: DeploymentStatus,
  stalledFor: Duration,
): Duration | undefined {
  const known = status.conditions?.find((condition) => condition.type === 'Progressing');
  if (!known || known.status !== 'True' || known.reason === 'NewReplicaSetAvailable') return undefined;
  return Math.max(1000, deadlineMs(deployment) - stalledFor);
}

const dropUndefined = <T extends Record<string, string | undefined>>(
  value: T,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Record<
    string,
    string
  >;
