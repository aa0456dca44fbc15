import { projectQuorum, projectionInWords, type EtcdChange } from './etcd-quorum.js';
import { memberWord, type EtcdPolicy, type EtcdScope, type EtcdScopeMember } from './etcd-scope.js';

/** Trouble that no replacement may begin with, and none cures. */
export function alarmReasons({ alarms, members }: Pick<EtcdScope, 'alarms' | 'members'>): readonly string[] {
  return alarms.map(({ memberId, kind }) => {
    const member = members.find(({ id }) => id === memberId);
    const name = member ? memberWord(member) : memberId;
    if (kind === 'NOSPACE') return `alarm NOSPACE on ${name}: its database is full and etcd takes no writes`;
    if (kind === 'CORRUPT') return `alarm CORRUPT on ${name}: its data differ from the other members'`;
    return `alarm ${kind} on ${name}`;
  });
}

export function alarmRemedy(alarms: EtcdScope['alarms']): string {
  const kinds = new Set(alarms.map(({ kind }) => kind));
  if (kinds.has('CORRUPT')) {
    return 'Compare the hashes of the members, remove the odd one and let it join empty, or restore a backup; then disarm the alarm.';
  }
  if (kinds.has('NOSPACE')) return 'Compact and defragment etcd or raise its quota, then disarm the alarm.';
  return 'Look at etcd, cure the cause, then disarm the alarm.';
}

/** Why an even number of voters is no size to stay at. */
export const evenReason = (voters: number): string =>
  `${voters} voters are an even number: they tolerate ${Math.ceil(voters / 2) - 1} failures, as ${voters - 1} do, and one more can fail`;

/** All that must hold before a healthy member goes: everybody well, nobody learning, nobody far behind, no alarm. */
export function gateReasons(scope: EtcdScope, policy: Pick<EtcdPolicy, 'maxLag'>): readonly string[] {
  const voters = scope.members.filter((member) => !member.learner);
  return [
    ...alarmReasons(scope),
    ...voters.filter((member) => !member.healthy).map(unhealthyWords),
    ...scope.members
      .filter((member) => member.learner)
      .map((member) => `${memberWord(member)} is a learner that has not been promoted`),
    ...voters
      .filter((member) => member.healthy && (member.lag ?? 0) > policy.maxLag)
      .map((member) => `${memberWord(member)} is ${member.lag} entries behind the log`),
    ...(voters.length > 0 && !voters.some((member) => member.leader) ? ['no member leads'] : []),
  ];
}

export const unhealthyWords = (member: EtcdScopeMember): string =>
  `member ${memberWord(member)} is unhealthy${member.reason === undefined ? '' : ` (${member.reason})`}`;

export interface ReplacementVerdict {
  readonly allowed: boolean;
  /** All at once; empty where it is allowed. */
  readonly reasons: readonly string[];
}

/**
 * Whether one member may be replaced now. While a member is unhealthy, only an unhealthy one may: everything else would
 * take a second one away.
 */
export function judgeReplacement(
  scope: EtcdScope,
  policy: Pick<EtcdPolicy, 'maxLag' | 'way'>,
  target: string,
): ReplacementVerdict {
  const member = scope.members.find(({ id }) => id === target);
  if (!member) return { allowed: false, reasons: [`there is no member ${target}`] };
  const voters = scope.members.filter(({ learner }) => !learner);
  const change: EtcdChange = policy.way === 'member' ? 'remove' : 'stop';
  const reasons = member.healthy
    ? gateReasons(scope, policy)
    : [...alarmReasons(scope), ...(voters.some(({ leader }) => leader) ? [] : ['no member leads'])];
  const keeps = projectQuorum(scope.members, target, change).keepsQuorum;
  const even = voters.length % 2 === 0 ? [evenReason(voters.length)] : [];
  const sick = voters.filter(({ healthy, id }) => !healthy && id !== target);
  const projection = !keeps || (member.healthy && sick.length > 0);
  const all = [
    ...even,
    ...reasons,
    ...(projection ? [projectionInWords(scope.members, target, change)] : []),
    ...(member.healthy && sick.length > 0
      ? [`only ${sick.map(memberWord).join(', ')} may be replaced now`]
      : []),
  ];
  return { allowed: all.length === 0, reasons: all };
}
