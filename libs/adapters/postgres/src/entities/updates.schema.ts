import type { Instant } from '#kernel';
import type { ConformanceLog, ConformanceRun, Hold, ObjectRef, Promotion, Update } from '#fleet';
import type { Intent } from '#ports';
import { big, count, instant, json, key, optional, ordinal, prose, table, word } from './columns.js';

export const UpdateEntity = table<Update>('updates', {
  id: key(),
  clusterId: word(),
  kind: word(),
  revisionId: optional(word()),
  commit: optional(word()),
  desiredDigest: optional(word()),
  state: word(),
  startedAt: instant(),
  finishedAt: optional(instant()),
  plan: optional(json()),
});

export interface IntentRow extends Intent {
  readonly generation: number;
  readonly ordinal?: number;
}

export const IntentEntity = table<IntentRow>('intents', {
  id: key(),
  updateId: word(),
  clusterId: word(),
  step: word(),
  target: word(),
  verb: word(),
  generation: count(),
  data: json(),
  recordedAt: instant(),
  settledAt: optional(instant()),
  result: optional(prose()),
  ordinal: ordinal(),
});

export interface InventoryRow {
  readonly clusterId: string;
  readonly refKey: string;
  readonly ref: ObjectRef;
  readonly uid?: string;
  readonly component: string;
  readonly confirmed?: string;
}

export const InventoryEntity = table<InventoryRow>('inventory', {
  clusterId: key(),
  refKey: key(),
  ref: json(),
  uid: optional(word()),
  component: word(),
  confirmed: optional(word()),
});

export const ConformanceRunEntity = table<ConformanceRun>('conformance_runs', {
  id: key(),
  channel: word(),
  clusterId: word(),
  suite: word(),
  revisionId: word(),
  commit: word(),
  treeDigest: word(),
  desiredDigest: word(),
  attempt: count(),
  state: word(),
  serverVersion: optional(word()),
  verdict: optional(word()),
  reason: optional(word()),
  executed: optional(count()),
  failedTests: json(),
  message: optional(prose()),
  createdAt: instant(),
  startedAt: optional(instant()),
  finishedAt: optional(instant()),
});

export const ConformanceLogEntity = table<ConformanceLog>('conformance_logs', {
  runId: key(),
  text: prose(),
  dropped: big(),
  updatedAt: instant(),
});

export const PromotionEntity = table<Promotion>('promotions', {
  id: key(),
  revisionId: word(),
  fromChannel: word(),
  toChannel: word(),
  expectedCommit: optional(word()),
  state: word(),
  reason: optional(prose()),
  evidence: json(),
  kind: optional(word()),
  resultCommit: optional(word()),
  requestedBy: optional(word()),
  createdAt: instant(),
  settledAt: optional(instant()),
});

export interface HoldRow extends Omit<Hold, 'scope'> {
  readonly scopeKind: Hold['scope']['kind'];
  readonly channel?: string;
  readonly clusterId?: string;
  readonly pool?: string;
  readonly releasedAt?: Instant;
  readonly releasedBy?: string;
}

export const HoldEntity = table<HoldRow>('holds', {
  id: key(),
  scopeKind: word(),
  channel: optional(word()),
  clusterId: optional(word()),
  pool: optional(word()),
  reason: prose(),
  owner: word(),
  blocks: optional(word()),
  createdAt: instant(),
  expiresAt: optional(instant()),
  releasedAt: optional(instant()),
  releasedBy: optional(word()),
});
