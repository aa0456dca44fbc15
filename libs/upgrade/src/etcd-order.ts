import type { EtcdMachine, EtcdScope, EtcdScopeMember } from './etcd-scope.js';

/**
 * Voters whose machines are outdated, in the order in which they go: the unhealthy first, the leader last, zones in
 * turn, then by id so that every look at the same scope answers the same.
 */
export function replacementOrder(scope: EtcdScope): readonly EtcdScopeMember[] {
  const machines = new Map(scope.machines.map((machine) => [machine.instanceId, machine]));
  const machineOf = (member: EtcdScopeMember): EtcdMachine | undefined =>
    machines.get(member.instanceId ?? '');
  const open = scope.members.filter((member) => !member.learner && machineOf(member)?.outdated === true);
  const uses = new Map<string, number>();
  const ordered: EtcdScopeMember[] = [];
  while (open.length > 0) {
    open.sort((a, b) => {
      const zones = (uses.get(machineOf(a)?.zone ?? '') ?? 0) - (uses.get(machineOf(b)?.zone ?? '') ?? 0);
      return rank(a) - rank(b) || zones || compareIds(a.id, b.id);
    });
    const next = open.shift() as EtcdScopeMember;
    const zone = machineOf(next)?.zone ?? '';
    uses.set(zone, (uses.get(zone) ?? 0) + 1);
    ordered.push(next);
  }
  return ordered;
}

const rank = (member: EtcdScopeMember): number => (!member.healthy ? 0 : member.leader ? 2 : 1);

/**
 * Who is to lead when the leader goes: a voter that stays, so that leadership moves once only; among those the one that
 * has voted longest. A voter of a moment ago may not reach all others yet: its election fails, and etcd is without a
 * leader until the next one.
 */
export function heirOf(scope: EtcdScope, leader: EtcdScopeMember): EtcdScopeMember | undefined {
  const goes = (member: EtcdScopeMember): number =>
    scope.machines.find(({ instanceId }) => instanceId === member.instanceId)?.outdated === true ? 1 : 0;
  const since = (member: EtcdScopeMember): number => member.wellSince ?? Number.POSITIVE_INFINITY;
  return scope.members
    .filter((member) => !member.learner && member.healthy && member.id !== leader.id)
    .sort(
      (a, b) =>
        goes(a) - goes(b) ||
        (since(a) === since(b) ? 0 : since(a) - since(b)) ||
        (a.lag ?? 0) - (b.lag ?? 0) ||
        compareIds(a.id, b.id),
    )[0];
}

const compareIds = (a: string, b: string): number => (a === b ? 0 : BigInt(a) < BigInt(b) ? -1 : 1);
