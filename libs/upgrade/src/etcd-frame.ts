import { formatDuration, type Instant } from '#kernel';
import type {
  EtcdAction,
  EtcdBaseline,
  EtcdDecision,
  EtcdGroup,
  EtcdMachine,
  EtcdMemory,
  EtcdPolicy,
  EtcdScope,
  EtcdScopeMember,
} from './etcd-scope.js';

/** One decision in the making: what is seen, what is remembered, and the words for its answers. */
export class EtcdFrame {
  readonly voters: readonly EtcdScopeMember[];
  readonly learners: readonly EtcdScopeMember[];
  /** Machines that stay or may stay. */
  readonly machines: readonly EtcdMachine[];
  /** Voters that there should be. */
  readonly size: number;

  constructor(
    readonly scope: EtcdScope,
    readonly memory: EtcdMemory,
    readonly policy: EtcdPolicy,
    readonly now: Instant,
  ) {
    this.voters = scope.members.filter((member) => !member.learner);
    this.learners = scope.members.filter((member) => member.learner);
    this.machines = scope.machines.filter((machine) => !machine.leaving);
    this.size = scope.groups.reduce((sum, group) => sum + this.wanted(group), 0);
  }

  /** Size of the group without what Fairway added for a replacement. */
  wanted(group: EtcdGroup): number {
    return this.memory.baseline[group.name]?.desired ?? group.desired;
  }

  baselineOf(group: EtcdGroup): EtcdBaseline {
    const { desired, maxSize, rebalances } = group;
    return this.memory.baseline[group.name] ?? { desired, maxSize, rebalances };
  }

  group(name: string): EtcdGroup | undefined {
    return this.scope.groups.find((group) => group.name === name);
  }

  machineOf(member: EtcdScopeMember): EtcdMachine | undefined {
    return this.machines.find(({ instanceId }) => instanceId === member.instanceId);
  }

  hasMember({ instanceId }: EtcdMachine): boolean {
    return this.scope.members.some((member) => member.instanceId === instanceId);
  }

  act(action: EtcdAction, why: string, memory: Partial<EtcdMemory> = {}): EtcdPlan {
    const { waiting: _waiting, ...rest } = this.memory;
    return { decision: { kind: 'act', action, why }, memory: { ...rest, ...memory } };
  }

  refuse(reasons: readonly string[], remedy: string): EtcdPlan {
    return { decision: { kind: 'refused', reasons, remedy }, memory: this.memory };
  }

  /** Also: no group is larger than it should be. */
  done(summary: string): EtcdPlan {
    const { waiting: _waiting, ...rest } = this.memory;
    return { decision: { kind: 'done', summary }, memory: { ...rest, baseline: {} } };
  }

  /** Waits for as long as the policy's patience; then it is refused with the remedy, and still looked at. */
  wait(what: string, remedy: string, detail: readonly string[] = []): EtcdPlan {
    const known = this.memory.waiting;
    const waiting = known?.for === what ? known : { for: what, since: this.now };
    const memory = { ...this.memory, waiting };
    const waited = this.now - waiting.since;
    if (waited <= this.policy.patience) return { decision: { kind: 'wait', for: what }, memory };
    const reasons = [`waiting for ${what} since ${formatDuration(waited)}`, ...detail];
    return { decision: { kind: 'refused', reasons, remedy }, memory };
  }
}

export interface EtcdPlan {
  readonly decision: EtcdDecision;
  readonly memory: EtcdMemory;
}
