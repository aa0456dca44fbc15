import type { GateReason } from '#fleet';
import { reason } from './admission.planner.js';
import { livingClusters, nameSome, type ClusterFacts, type ClusterTrouble } from './cluster-facts.js';
import type { ChannelPolicy } from './policy.js';

/** What a gate that is judged outside (health, preflight, backup) answered. No answer is not a pass. */
export interface OutsideAnswer {
  readonly gate: 'health' | 'preflight' | 'backup';
  /** Which check of the gate. */
  readonly name: string;
  readonly state: GateReason['state'];
  readonly message: string;
}

/** Whether a cluster of the channel to be entered has a fresh, verified backup. */
export interface BackupFact {
  readonly alias: string;
  /** Its configuration asks for backups; one that asks for none waits for a report from outside. */
  readonly configured: boolean;
  readonly fresh: boolean;
  /** For people: what is missing or too old, or how old the newest is. */
  readonly message: string;
}

export interface OutsideInput {
  readonly target: ChannelPolicy;
  /** Clusters of the channel before: they run the revision. */
  readonly clusters: readonly ClusterFacts[];
  /** Clusters of the channel to be entered; read for preflight only. */
  readonly targetClusters?: readonly ClusterFacts[] | undefined;
  /** Of the living clusters of the channel to be entered; absent where nobody keeps backups in sight. */
  readonly backups?: readonly BackupFact[] | undefined;
  readonly outside: readonly OutsideAnswer[];
}

/** Name of the answer that the engine gives itself about versions: what the revision asks for, and what runs. */
export const SKEW_CHECK = 'version-skew';

/** The same, of whether the revision renders for the clusters that would get it. */
export const RENDER_CHECK = 'render';

/** The same, of whether there is room for the machines that the revision needs at the least. */
export const QUOTA_CHECK = 'quota';

/** Health, preflight and backup, as far as the policy asks for them: from the clusters' summaries and from answers. */
export function outsideGates(input: OutsideInput): readonly GateReason[] {
  const { gates } = input.target;
  return [
    ...(gates.health === undefined ? [] : healthGate(input)),
    ...(gates.preflight === undefined ? [] : preflightGate(input)),
    ...(gates.backup === undefined ? [] : backupGate(input)),
  ];
}

const given = ({ outside }: OutsideInput, gate: OutsideAnswer['gate']): readonly GateReason[] =>
  outside
    .filter((one) => one.gate === gate)
    .map((one) => reason(gate, one.state, `${one.name}: ${one.message}`));

/** The clusters that run the revision are well and in no trouble, and each check of the policy says so too. */
function healthGate(input: OutsideInput): readonly GateReason[] {
  const { target, outside } = input;
  const silent = (target.gates.health?.checks ?? [])
    .filter((check) => !outside.some((one) => one.gate === 'health' && one.name === check.name))
    .map((check) => reason('health', 'pending', `${check.name}: no answer yet`));
  return [clusterHealth(input), ...given(input, 'health'), ...silent];
}

function clusterHealth({ target, clusters }: OutsideInput): GateReason {
  const reachable = livingClusters(clusters).filter((one) => !one.unreachable && one.newcomer !== true);
  const from = target.from ?? 'the channel before';
  if (reachable.length === 0)
    return reason('health', 'pending', `no data: no cluster of ${from} can be reached`);
  const troubled = reachable.filter((one) => !one.healthy || gravest(one) !== undefined);
  const coverage = target.gates.converged?.coverage ?? 100;
  const tolerated = reachable.length - Math.ceil((reachable.length * coverage) / 100);
  if (troubled.length > tolerated)
    return reason(
      'health',
      'fail',
      `${troubled.length} of ${reachable.length} clusters of ${from} are in trouble: ${told(troubled, gravest)}`,
    );
  const left = troubled.length === 0 ? '' : `, ${nameSome(troubled)} left out by coverage`;
  return reason(
    'health',
    'pass',
    `${clustersOf(reachable.length - troubled.length, from, 'is', 'are')} well${left}`,
  );
}

/** `1 cluster of beta is`, `3 clusters of beta are` */
function clustersOf(count: number, channel: string, one = '', many = ''): string {
  const verb = count === 1 ? one : many;
  return `${count} ${count === 1 ? 'cluster' : 'clusters'} of ${channel}${verb === '' ? '' : ` ${verb}`}`;
}

const gravest = ({ troubles = [] }: ClusterFacts): ClusterTrouble | undefined =>
  troubles.find((one) => one.severity === 'critical') ?? troubles.find((one) => one.severity === 'error');

/** Trouble that would keep any update out of a cluster, whatever its content. */
const IN_THE_WAY: readonly string[] = [
  'version-skew',
  'skew-violation',
  'wrong-account',
  'removed-api',
  'api-denied',
  'pdb-never-allows',
  'several-pdbs',
  'short-of-instances',
  'quota-exceeded',
  'subnet-full',
  'roll-halted',
];

const inTheWay = ({ troubles = [] }: ClusterFacts): ClusterTrouble | undefined =>
  troubles.find((one) => IN_THE_WAY.includes(one.code));

/**
 * The clusters that would get the revision are fit to take an update, its versions may follow theirs, it renders, and their
 * accounts have room for it.
 */
function preflightGate(input: OutsideInput): readonly GateReason[] {
  const answers = given(input, 'preflight');
  const silent = [SKEW_CHECK, RENDER_CHECK, QUOTA_CHECK]
    .filter((check) => !input.outside.some((one) => one.gate === 'preflight' && one.name === check))
    .map((check) => reason('preflight', 'pending', `${check}: not looked at yet`));
  return [targetFitness(input), ...answers, ...silent];
}

function targetFitness({ target, targetClusters = [] }: OutsideInput): GateReason {
  const living = livingClusters(targetClusters);
  if (living.length === 0) return reason('preflight', 'pass', `${target.name} has no cluster`);
  const reachable = living.filter((one) => !one.unreachable);
  if (reachable.length === 0)
    return reason('preflight', 'pending', `no data: no cluster of ${target.name} can be reached`);
  const unfit = reachable.filter((one) => inTheWay(one) !== undefined);
  if (unfit.length > 0)
    return reason(
      'preflight',
      'fail',
      `${unfit.length} of ${reachable.length} clusters of ${target.name} cannot take an update: ${told(unfit, inTheWay)}`,
    );
  const offline = living.length - reachable.length;
  return reason(
    'preflight',
    'pass',
    `${clustersOf(reachable.length, target.name)} can take an update${offline === 0 ? '' : `, ${offline} out of reach`}`,
  );
}

/** Every cluster that would get the revision can be brought back: by a backup of ours, or by one that somebody reports. */
function backupGate(input: OutsideInput): readonly GateReason[] {
  const { target, backups = [] } = input;
  const answers = given(input, 'backup');
  const kept = backups.filter((one) => one.configured);
  const stale = kept.filter((one) => !one.fresh);
  const reasons = [...answers];
  if (stale.length > 0) {
    const named = stale.slice(0, 3).map((one) => `${one.alias} (${one.message})`);
    const rest = stale.length > named.length ? ` and ${stale.length - named.length} more` : '';
    const message = `${stale.length} of ${kept.length} clusters of ${target.name} have no fresh backup: ${named.join(', ')}${rest}`;
    reasons.push(reason('backup', 'pending', message));
  } else if (kept.length > 0) {
    reasons.push(
      reason('backup', 'pass', `${clustersOf(kept.length, target.name, 'has', 'have')} a fresh backup`),
    );
  }
  const without = backups.length - kept.length;
  if (answers.length === 0 && (without > 0 || kept.length === 0)) {
    const who = kept.length === 0 ? `the clusters of ${target.name}` : clustersOf(without, target.name);
    const message = `no backup of ${who} is known: none is configured (config item backup_providers), and none was reported`;
    reasons.push(reason('backup', 'pending', message));
  }
  return reasons;
}

function told(
  clusters: readonly ClusterFacts[],
  trouble: (cluster: ClusterFacts) => ClusterTrouble | undefined,
): string {
  const named = clusters.slice(0, 3).map((one) => `${one.alias} (${trouble(one)?.message ?? one.phase})`);
  const rest = clusters.length - named.length;
  return `${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
