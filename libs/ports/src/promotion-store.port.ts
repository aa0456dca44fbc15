import type { Instant } from '#kernel';
import type { ApprovalRecord, BrokenGlass, ChannelRequest, FleetEvent, GateAnswer, Problem } from '#fleet';
import type { Lease } from './lease.port.js';

/** The policy by which a channel is judged, as a worker last read it from the channel's own head. */
export interface StoredPolicy {
  readonly channel: string;
  readonly commit: string;
  /** A `FleetPolicy` of promotion, as JSON. Absent where the file cannot be read: then nothing may move. */
  readonly policy?: unknown;
  readonly problem?: Problem;
  readonly readAt: Instant;
}

/**
 * What people decided about promotions, and what judges outside answered. Every change of a person writes an audit row
 * and an event in the same transaction.
 */
export interface PromotionStorePort {
  /** Oldest first. */
  approvals(channel: string, treeDigest: string): Promise<readonly ApprovalRecord[]>;
  addApproval(approval: ApprovalRecord, event: FleetEvent): Promise<void>;

  /** Not expired at `now`, newest first. */
  brokenGlass(channel: string, treeDigest: string, now: Instant): Promise<readonly BrokenGlass[]>;
  addBrokenGlass(glass: BrokenGlass, event: FleetEvent): Promise<void>;

  getRequest(id: string): Promise<ChannelRequest | undefined>;
  /** Oldest first. */
  openRequests(channel: string): Promise<readonly ChannelRequest[]>;
  /** Newest first. */
  requests(channel: string, limit: number): Promise<readonly ChannelRequest[]>;
  addRequest(request: ChannelRequest, event: FleetEvent): Promise<void>;
  settleRequest(lease: Lease, request: ChannelRequest, events: readonly FleetEvent[]): Promise<void>;

  answers(channel: string): Promise<readonly GateAnswer[]>;
  saveAnswers(answers: readonly GateAnswer[]): Promise<void>;

  policies(): Promise<readonly StoredPolicy[]>;
  savePolicy(lease: Lease, policy: StoredPolicy, events: readonly FleetEvent[]): Promise<void>;
  /** Makes the open problems of a subject (`channel/<name>`, `promotion/<channel>`) these. */
  saveProblems(
    lease: Lease,
    subject: string,
    problems: readonly Problem[],
    events: readonly FleetEvent[],
  ): Promise<void>;
}
