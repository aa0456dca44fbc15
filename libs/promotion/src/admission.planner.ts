import type { Duration, Instant } from '#kernel';
import { seconds } from '#kernel';
import type { ChannelRevision, GateReason, Hold } from '#fleet';
import type { ClusterFacts } from './cluster-facts.js';
import {
  channelHolds,
  heldBy,
  isBroken,
  isConverged,
  isInFlight,
  livingClusters,
  nameSome,
} from './cluster-facts.js';
import type { ChannelPolicy } from './policy.js';
import { amountOf } from './policy.js';
import { planWaves } from './waves.planner.js';
import { openingAt } from './windows.js';

export interface AdmissionInput {
  readonly policy: ChannelPolicy;
  readonly revisionId: string;
  readonly entry: Pick<ChannelRevision, 'wave' | 'expedited'>;
  readonly clusters: readonly ClusterFacts[];
  readonly holds: readonly Hold[];
  readonly paused?: string | undefined;
  readonly now: Instant;
}

export interface AdmissionPlan {
  readonly admit: readonly string[];
  /** Waves started, and waves in all. */
  readonly wave: number;
  readonly waves: number;
  /** What keeps more clusters from starting. */
  readonly reasons: readonly GateReason[];
  /** Set when the revision broke as many clusters as it may. */
  readonly pause?: { readonly reason: string };
  readonly recheckIn?: Duration;
}

/** Which clusters may start now. Clusters in flight are never called back: they finish. */
export function planAdmission(input: AdmissionInput): AdmissionPlan {
  const clusters = livingClusters(input.clusters);
  const waves = planWaves(input.policy, clusters);
  const stop = whatStops(input, clusters);
  const progress = { wave: Math.min(input.entry.wave, waves.length), waves: waves.length };
  if (stop !== undefined) return { admit: [], ...progress, ...stop };

  const byId = new Map(clusters.map((cluster) => [cluster.id, cluster]));
  const members = waves.map((wave) => wave.clusterIds.flatMap((id) => byId.get(id) ?? []));
  const started = startedWaves(input, members, progress.wave);
  const open = members.slice(0, started.count).flat();
  const { admit, limit } = admitFrom(open, clusters, input);
  const reasons = [...started.reasons, ...(limit === undefined ? [] : [limit])];
  return {
    admit,
    wave: started.count,
    waves: waves.length,
    reasons,
    ...(started.recheckIn !== undefined && { recheckIn: started.recheckIn }),
  };
}

/** Things that stop the whole channel: a pause, a hold, closed windows, a spent budget. */
function whatStops(
  input: AdmissionInput,
  clusters: readonly ClusterFacts[],
): Pick<AdmissionPlan, 'reasons' | 'pause' | 'recheckIn'> | undefined {
  const { policy, now, revisionId } = input;
  if (input.paused !== undefined)
    return { reasons: [reason('paused', 'fail', `the channel is paused: ${input.paused}`)] };
  const broken = clusters.filter((cluster) => isBroken(cluster, revisionId));
  if (policy.failureBudget !== undefined && broken.length >= Math.max(1, policy.failureBudget)) {
    const message = `${broken.length} clusters failed (budget ${policy.failureBudget}): ${nameSome(broken)}`;
    return {
      reasons: [reason('failure-budget', 'fail', message)],
      pause: { reason: `failure-budget: ${message}` },
    };
  }
  const hold = channelHolds(input.holds, policy.name, now)[0];
  if (hold !== undefined) {
    return { reasons: [reason('held', 'fail', `held by ${hold.owner}: ${hold.reason}`, hold.expiresAt)] };
  }
  // What takes trouble away does not wait for office hours.
  if (input.entry.expedited === true) return undefined;
  const opening = openingAt(policy.gates.windows, policy.gates.freeze, now);
  if (!opening.open)
    return {
      reasons: [reason('windows', 'pending', `no cluster starts ${opening.reason}`, opening.nextOpen)],
    };
  return undefined;
}

interface StartedWaves {
  readonly count: number;
  readonly reasons: readonly GateReason[];
  readonly recheckIn?: Duration;
}

/** The next wave starts when every member of the ones before, that can take part, has been well for the pause. */
function startedWaves(
  input: AdmissionInput,
  waves: readonly (readonly ClusterFacts[])[],
  wavesSoFar: number,
): StartedWaves {
  if (waves.length === 0) return { count: 0, reasons: [] };
  let count = Math.max(1, wavesSoFar);
  while (count < waves.length) {
    const members = waves
      .slice(0, count)
      .flat()
      .filter((cluster) => takesPart(cluster, input));
    const missing = members.filter((cluster) => !isConverged(cluster));
    if (missing.length > 0) {
      const message = `wave ${count} of ${waves.length} waits for ${nameSome(missing)}`;
      return { count, reasons: [reason('wave', 'pending', message)] };
    }
    // All out of reach: nothing was shown, so nothing more starts.
    if (members.length === 0) {
      return {
        count,
        reasons: [reason('wave', 'pending', `wave ${count} has no cluster that can take part`)],
      };
    }
    const until = Math.max(...members.map((cluster) => cluster.since)) + input.policy.wavePause;
    if (until > input.now) {
      const message = `wave ${count + 1} of ${waves.length} starts after the pause`;
      return { count, reasons: [reason('wave', 'pending', message, until)], recheckIn: until - input.now };
    }
    count += 1;
  }
  return { count, reasons: [] };
}

/** Offline and held clusters are set apart: they neither prove a wave nor stop the ones after it. */
const takesPart = (cluster: ClusterFacts, input: AdmissionInput): boolean =>
  !cluster.unreachable && heldBy(input.holds, input.policy.name, cluster.id, input.now) === undefined;

function admitFrom(
  open: readonly ClusterFacts[],
  clusters: readonly ClusterFacts[],
  input: AdmissionInput,
): { readonly admit: readonly string[]; readonly limit?: GateReason } {
  const admit: string[] = [];
  const waiting = open.filter((one) => one.admittedRevisionId !== input.revisionId && takesPart(one, input));
  let room = roomFor(clusters, input);
  let left = 0;
  for (const cluster of waiting) {
    // Its content is there already: being admitted costs it nothing.
    if (isConverged(cluster)) {
      admit.push(cluster.id);
      continue;
    }
    // Away already (unhealthy, or still busy with an older revision): starting it takes nothing more away.
    const budgetRoom = room.budget > 0;
    const counted = isAway(cluster);
    if (budgetRoom && (counted || room.unavailable > 0)) {
      admit.push(cluster.id);
      room = { budget: room.budget - 1, unavailable: room.unavailable - (counted ? 0 : 1) };
    } else left += 1;
  }
  if (left === 0) return { admit };
  return {
    admit,
    limit: reason('limit', 'pending', `${left} clusters wait for their turn (maxUnavailable, failureBudget)`),
  };
}

/** In service and not well just now, or being worked on. A cluster that never ran anything takes nothing away. */
const isAway = (cluster: ClusterFacts): boolean =>
  !cluster.unreachable &&
  (cluster.currentVersion === undefined ||
    !cluster.healthy ||
    cluster.phase === 'updating' ||
    cluster.phase === 'waiting' ||
    cluster.phase === 'blocked');

function roomFor(
  clusters: readonly ClusterFacts[],
  { policy, revisionId }: AdmissionInput,
): { readonly budget: number; readonly unavailable: number } {
  const inFlight = clusters.filter((cluster) => isInFlight(cluster, revisionId));
  const broken = clusters.filter((cluster) => isBroken(cluster, revisionId));
  const away = clusters.filter(
    (cluster) =>
      cluster.currentVersion !== undefined &&
      (isAway(cluster) || isInFlight(cluster, revisionId) || isBroken(cluster, revisionId)),
  );
  const budget =
    policy.failureBudget === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(1, policy.failureBudget) - inFlight.length - broken.length;
  const unavailable =
    policy.maxUnavailable === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(1, amountOf(policy.maxUnavailable, clusters.length)) - away.length;
  return { budget, unavailable };
}

export const reason = (
  gate: string,
  state: GateReason['state'],
  message: string,
  nextChangeAt?: Instant,
): GateReason => ({ gate, state, message, ...(nextChangeAt !== undefined && { nextChangeAt }) });

export const DEFAULT_RECHECK = seconds(60);
