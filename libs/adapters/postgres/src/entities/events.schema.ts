import type { Instant } from '#kernel';
import type { Problem, StoredEvent } from '#fleet';
import type { AuditEntry, TokenRecord } from '#ports';
import { big, count, instant, json, key, optional, ordinal, prose, table, word } from './columns.js';

export const EventEntity = table<StoredEvent>('events', {
  id: ordinal(true),
  type: word(),
  at: instant(),
  severity: word(),
  subject: word(),
  channel: optional(word()),
  clusterId: optional(word()),
  message: prose(),
  data: json(),
  dedupeKey: optional(word()),
});

export interface DeliveryRow {
  readonly id: string;
  readonly route: string;
  readonly eventId: number;
  readonly subject: string;
  readonly state: 'pending' | 'delivered' | 'dead';
  readonly attempt: number;
  readonly dueAt: Instant;
  readonly claimedUntil?: Instant;
  readonly settledAt?: Instant;
  readonly status?: number;
  readonly reason?: string;
}

export const DeliveryEntity = table<DeliveryRow>('outbox_deliveries', {
  id: key(),
  route: word(),
  eventId: big(),
  subject: word(),
  state: word(),
  attempt: count(),
  dueAt: instant(),
  claimedUntil: optional(instant()),
  settledAt: optional(instant()),
  status: optional(count()),
  reason: optional(prose()),
});

export interface RouteRow {
  readonly name: string;
  readonly disabledAt?: Instant;
  readonly disabledReason?: string;
}

export const RouteEntity = table<RouteRow>('notification_routes', {
  name: key(),
  disabledAt: optional(instant()),
  disabledReason: optional(prose()),
});

export interface NotifiedKeyRow {
  readonly scope: string;
  readonly dedupeKey: string;
  readonly eventId: number;
  readonly at: Instant;
}

export const NotifiedKeyEntity = table<NotifiedKeyRow>('notified_keys', {
  scope: key(),
  dedupeKey: key(),
  eventId: big(),
  at: instant(),
});

export interface FlapRow {
  readonly scope: string;
  readonly dedupeKey: string;
  readonly begunAt: Instant;
  readonly times: number;
  readonly lastEventId: number;
  readonly quietUntil?: Instant;
}

export const FlapEntity = table<FlapRow>('notification_flaps', {
  scope: key(),
  dedupeKey: key(),
  begunAt: instant(),
  times: count(),
  lastEventId: big(),
  quietUntil: optional(instant()),
});

export interface BurstRow {
  readonly route: string;
  readonly begunAt: Instant;
  readonly told: number;
}

export const BurstEntity = table<BurstRow>('notification_bursts', {
  route: key(),
  begunAt: instant(),
  told: count(),
});

export interface ProblemRow extends Omit<Problem, 'firstSeen' | 'lastSeen'> {
  readonly id: number;
  readonly subject: string;
  readonly fingerprint: string;
  readonly firstSeen: Instant;
  readonly lastSeen: Instant;
  readonly resolvedAt?: Instant;
}

export const ProblemEntity = table<ProblemRow>('problems', {
  id: ordinal(true),
  subject: word(),
  fingerprint: word(),
  type: word(),
  title: prose(),
  status: optional(count()),
  detail: optional(prose()),
  instance: optional(word()),
  hint: optional(prose()),
  severity: word(),
  firstSeen: instant(),
  lastSeen: instant(),
  resolvedAt: optional(instant()),
});

export interface TokenRow extends TokenRecord {
  readonly hash: string;
}

export const TokenEntity = table<TokenRow>('api_tokens', {
  id: key(),
  name: word(),
  role: word(),
  hash: word(),
  createdAt: instant(),
  expiresAt: optional(instant()),
  lastUsedAt: optional(instant()),
  revokedAt: optional(instant()),
});

export const AuditEntity = table<AuditEntry>('audit_log', {
  id: ordinal(true),
  at: instant(),
  actor: word(),
  action: word(),
  subject: word(),
  reason: optional(prose()),
  data: json(),
});
