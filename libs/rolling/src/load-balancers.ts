import type { Duration } from '#kernel';
import { milliseconds } from '#kernel';
import type { RollDraft } from './draft.js';
import type { GroupState, Member } from './group-state.js';
import { shortArn } from './boot.js';

/** States in which a target gets no new connections. Absent: not registered. */
const OUT: readonly (string | undefined)[] = ['draining', 'unused', undefined];

/** Takes the instance out of every target group it is in. True while a group still sends it traffic. */
export function deregisterTargets(draft: RollDraft, group: GroupState, member: Member): boolean {
  const inside = group.pool.group.targetGroupArns.filter(
    (arn) => !OUT.includes(member.instance.targetHealth[arn]),
  );
  const before = draft.instance(member.id)?.deregistered ?? [];
  if (inside.length > 0) {
    draft.changeInstance(member.id, { deregistered: [...new Set([...before, ...inside])] });
  }
  for (const arn of inside) {
    draft.act({
      kind: 'deregister-target',
      pool: group.pool.pool,
      key: `${member.id}@${shortArn(arn)}`,
      reason: 'let open connections end before the drain',
      targetGroupArn: arn,
      instance: member.id,
    });
  }
  return inside.length > 0;
}

/** Gives an instance back to the groups that we took it from. */
export function registerTargets(draft: RollDraft, group: GroupState, member: Member): void {
  for (const arn of draft.instance(member.id)?.deregistered ?? []) {
    if (!OUT.includes(member.instance.targetHealth[arn])) continue;
    draft.act({
      kind: 'register-target',
      pool: group.pool.pool,
      key: `${member.id}@${shortArn(arn)}`,
      reason: 'the node is given back',
      targetGroupArn: arn,
      instance: member.id,
    });
  }
  draft.changeInstance(member.id, { deregistered: undefined });
}

/** What is left of the deregistration delay; nothing where no target group was or is involved. */
export function lbWait(group: GroupState, member: Member, waited: Duration): Duration {
  const { targetGroupArns } = group.pool.group;
  const draining = targetGroupArns.some((arn) => member.instance.targetHealth[arn] === 'draining');
  if (!draining) return milliseconds(0);
  return Math.max(0, Math.min(group.pool.deregistrationDelay, group.policy.deregistrationDelayCap) - waited);
}
