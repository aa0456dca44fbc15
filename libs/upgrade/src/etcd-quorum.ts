import { memberWord, type EtcdScopeMember } from './etcd-scope.js';

/** What would happen to one member. `stop`: it stays in the list and is away. `remove`: it leaves the list. */
export type EtcdChange = 'stop' | 'remove';

export interface QuorumProjection {
  readonly votersAfter: number;
  readonly unhealthyAfter: number;
  readonly healthyAfter: number;
  readonly quorumAfter: number;
  /** Healthy voters that could fail afterwards without loss of quorum; negative: quorum is lost. */
  readonly spare: number;
  readonly keepsQuorum: boolean;
}

/** Voters that must agree. */
export const quorumOf = (voters: number): number => Math.floor(voters / 2) + 1;

/** `voters_after − unhealthy_after ≥ ⌊voters_after/2⌋+1` (upgrade.md, "etcd"). Learners do not vote. */
export function projectQuorum(
  members: readonly Pick<EtcdScopeMember, 'id' | 'learner' | 'healthy'>[],
  target: string,
  change: EtcdChange,
): QuorumProjection {
  const voters = members.filter((member) => !member.learner);
  const affected = voters.find((member) => member.id === target);
  const unhealthy = voters.filter((member) => !member.healthy).length;
  const removed = affected && change === 'remove' ? 1 : 0;
  const healedByRemoval = removed === 1 && affected?.healthy === false ? 1 : 0;
  const newlyAway = affected?.healthy === true && change === 'stop' ? 1 : 0;
  const votersAfter = voters.length - removed;
  const unhealthyAfter = unhealthy - healedByRemoval + newlyAway;
  const healthyAfter = votersAfter - unhealthyAfter;
  const quorumAfter = quorumOf(votersAfter);
  const spare = healthyAfter - quorumAfter;
  return {
    votersAfter,
    unhealthyAfter,
    healthyAfter,
    quorumAfter,
    spare,
    keepsQuorum: votersAfter > 0 && spare >= 0,
  };
}

/** The projection as a sentence: what there would be, what it takes, and what follows. */
export function projectionInWords(
  members: readonly EtcdScopeMember[],
  target: string,
  change: EtcdChange,
): string {
  const projection = projectQuorum(members, target, change);
  const member = members.find(({ id }) => id === target);
  const name = member ? memberWord(member) : target;
  const deed = change === 'remove' ? `removing ${name}` : `taking ${name} away`;
  const left = `${deed} would leave ${projection.healthyAfter} healthy of ${projection.votersAfter} voters`;
  const need = `quorum is ${projection.quorumAfter}`;
  if (!projection.keepsQuorum) return `${left}, ${need}: etcd would stop taking writes`;
  const spare = projection.spare;
  return `${left}, ${need}: ${spare === 0 ? 'not one more may fail' : `${spare} more may fail`}`;
}
