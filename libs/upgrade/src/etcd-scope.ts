import type { Duration, Instant } from '#kernel';

/** One member as it is seen now: the member list, and the member's own word. */
export interface EtcdScopeMember {
  /** Decimal, as the gateway writes it. */
  readonly id: string;
  /** Empty until it has started for the first time. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly learner: boolean;
  /** Answers, and knows a leader. */
  readonly healthy: boolean;
  /** Why it is not healthy, for people. */
  readonly reason?: string;
  /** Since when it has been seen unhealthy without a break. */
  readonly unhealthySince?: Instant;
  /** Since when it has been seen as a healthy voter without a break. */
  readonly wellSince?: Instant;
  readonly leader: boolean;
  /** Entries of the log that it has yet to apply, compared with the furthest member; absent where it does not answer. */
  readonly lag?: number;
  /** Its machine, where it is known which it is. */
  readonly instanceId?: string;
}

/** One machine of the etcd stack. */
export interface EtcdMachine {
  readonly instanceId: string;
  /** Auto scaling group. */
  readonly group: string;
  readonly zone: string;
  /** Runs, and its group counts it. */
  readonly inService: boolean;
  /** On its way out. */
  readonly leaving: boolean;
  /** Launched from another template than its group has now, or somebody asked for its replacement by name. */
  readonly outdated: boolean;
  readonly protectedFromScaleIn: boolean;
  readonly launchedAt?: Instant;
  /** What a member on it would be reached at by the others. */
  readonly peerUrl: string;
}

export interface EtcdGroup {
  readonly name: string;
  readonly desired: number;
  readonly maxSize: number;
  /** Moves machines between zones by itself: launches there, terminates here. */
  readonly rebalances: boolean;
  readonly recentFailures: readonly string[];
}

/** How a group was before Fairway's work on it. */
export interface EtcdBaseline {
  readonly desired: number;
  readonly maxSize: number;
  readonly rebalances: boolean;
}

/** What Fairway did and must know again; everything else is seen. */
export interface EtcdMemory {
  /** By group, from the first machine until all are replaced. */
  readonly baseline: Readonly<Record<string, EtcdBaseline>>;
  /** Machines whose member was removed: they go, whatever their template says. */
  readonly condemned: readonly string[];
  /** Peer URLs that Fairway added as learners. */
  readonly added: readonly string[];
  /** What the cluster waits for, and since when. */
  readonly waiting?: { readonly for: string; readonly since: Instant };
}

export const EMPTY_ETCD_MEMORY: EtcdMemory = { baseline: {}, condemned: [], added: [] };

/** `member`: a new member beside the old one. `static`: the machine goes, its replacement joins by itself. */
export type EtcdWay = 'member' | 'static';

export interface EtcdPolicy {
  readonly way: EtcdWay;
  /** How far behind the log a voter may be while another one goes. */
  readonly maxLag: number;
  /** How long every voter must have been well before another one goes: connections among peers take their time. */
  readonly settle: Duration;
  /** How long a member must be unhealthy before it is replaced. */
  readonly unhealthyAfter: Duration;
  /** How long a learner, a boot or a join may take before people are told. */
  readonly patience: Duration;
}

export interface EtcdScope {
  readonly members: readonly EtcdScopeMember[];
  readonly machines: readonly EtcdMachine[];
  readonly groups: readonly EtcdGroup[];
  readonly alarms: readonly { readonly memberId: string; readonly kind: string }[];
}

export type EtcdAction =
  | { readonly kind: 'protect'; readonly group: string; readonly instanceIds: readonly string[] }
  | {
      readonly kind: 'set-size';
      readonly group: string;
      readonly desired: number;
      readonly expected: number;
      readonly maxSize?: number;
    }
  | { readonly kind: 'suspend-rebalance' | 'resume-rebalance'; readonly group: string }
  | { readonly kind: 'restore-max'; readonly group: string; readonly maxSize: number }
  | { readonly kind: 'add-learner'; readonly peerUrl: string; readonly instanceId: string }
  | { readonly kind: 'promote'; readonly memberId: string }
  | { readonly kind: 'move-leader'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove-member'; readonly memberId: string; readonly instanceId?: string }
  | { readonly kind: 'terminate'; readonly instanceId: string; readonly decrement: boolean };

export type EtcdDecision =
  | { readonly kind: 'done'; readonly summary: string }
  | { readonly kind: 'act'; readonly action: EtcdAction; readonly why: string }
  | { readonly kind: 'wait'; readonly for: string }
  /** Nothing may be done: every reason at once, in words. */
  | { readonly kind: 'refused'; readonly reasons: readonly string[]; readonly remedy: string };

/** A member as people know it: its name, or its id as etcd's own tools write it. */
export const memberWord = ({ id, name }: Pick<EtcdScopeMember, 'id' | 'name'>): string =>
  name === '' ? BigInt(id).toString(16) : name;
