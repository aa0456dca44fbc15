import type { Instant } from '#kernel';
import type { ApprovalRecord, BrokenGlass, ChannelRequest, GateAnswer } from '#fleet';
import type { StoredPolicy } from '#ports';
import { instant, json, key, optional, prose, table, word } from './columns.js';

export const ApprovalEntity = table<ApprovalRecord>('approvals', {
  id: key(),
  channel: word(),
  revisionId: word(),
  treeDigest: word(),
  evidenceDigest: optional(word()),
  decision: word(),
  by: word(),
  roles: json(),
  reason: optional(prose()),
  at: instant(),
});

export const BrokenGlassEntity = table<BrokenGlass>('broken_glass', {
  id: key(),
  channel: word(),
  revisionId: word(),
  treeDigest: word(),
  by: word(),
  reason: prose(),
  createdAt: instant(),
  expiresAt: instant(),
});

export const ChannelRequestEntity = table<ChannelRequest>('channel_requests', {
  id: key(),
  kind: word(),
  channel: word(),
  revisionId: word(),
  clusterId: optional(word()),
  by: word(),
  reason: prose(),
  state: word(),
  message: optional(prose()),
  createdAt: instant(),
  settledAt: optional(instant()),
});

export const GateAnswerEntity = table<GateAnswer>('gate_answers', {
  channel: key(),
  gate: key(),
  name: key(),
  treeDigest: optional(word()),
  state: word(),
  message: prose(),
  by: word(),
  at: instant(),
  expiresAt: optional(instant()),
});

export const ChannelPolicyEntity = table<StoredPolicy>('channel_policies', {
  channel: key(),
  commit: word(),
  policy: optional(json()),
  problem: optional(json()),
  readAt: instant(),
});

export interface ThreadRow {
  readonly route: string;
  readonly key: string;
  readonly reference: Readonly<Record<string, unknown>>;
  readonly updatedAt: Instant;
}

export const ThreadEntity = table<ThreadRow>('notification_threads', {
  route: key(),
  key: key(),
  reference: json(),
  updatedAt: instant(),
});
