import type { Instant } from '#kernel';
import type { ClusterOverride } from '#fleet';
import type { EffectiveConfigRecord, InputsLock, RefreshRequest } from '#ports';
import { count, instant, json, key, optional, prose, table, word } from './columns.js';

export const InputsLockEntity = table<InputsLock & { readonly digest: string }>('input_locks', {
  clusterId: key(),
  version: { ...count(), primary: true },
  digest: word(),
  inputs: json(),
  reason: prose(),
  createdAt: instant(),
});

export interface RefreshRequestRow extends RefreshRequest {
  readonly settledAt?: Instant;
  readonly result?: string;
}

export const RefreshRequestEntity = table<RefreshRequestRow>('inputs_requests', {
  id: key(),
  clusterId: word(),
  actor: word(),
  reason: prose(),
  requestedAt: instant(),
  settledAt: optional(instant()),
  result: optional(prose()),
});

export interface OverrideRow extends ClusterOverride {
  readonly endedAt?: Instant;
  readonly endedBy?: string;
}

export const OverrideEntity = table<OverrideRow>('config_overrides', {
  id: key(),
  clusterId: word(),
  key: word(),
  value: word(),
  reason: prose(),
  createdBy: word(),
  createdAt: instant(),
  expiresAt: instant(),
  endedAt: optional(instant()),
  endedBy: optional(word()),
});

export const EffectiveConfigEntity = table<EffectiveConfigRecord>('effective_configs', {
  clusterId: key(),
  digest: word(),
  commit: word(),
  items: json(),
  renderedAt: instant(),
});
