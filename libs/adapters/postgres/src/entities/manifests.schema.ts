import type { Instant } from '#kernel';
import { refKey, type DriftFinding, type PruneState } from '#fleet';
import type { ManifestRequest } from '#ports';
import { count, instant, json, key, optional, prose, table, word } from './columns.js';

export interface DriftRow extends DriftFinding {
  readonly clusterId: string;
  readonly refKey: string;
}

export const DriftFindingEntity = table<DriftRow>('drift_findings', {
  clusterId: key(),
  refKey: key(),
  path: key(),
  ref: json(),
  component: word(),
  segments: json(),
  change: word(),
  before: optional(prose()),
  after: optional(prose()),
  manager: optional(prose()),
  managedSince: optional(instant()),
  state: word(),
  basis: word(),
  firstSeen: instant(),
  lastSeen: instant(),
  corrections: json(),
});

export const driftRow = (clusterId: string, finding: DriftFinding): DriftRow => ({
  ...finding,
  clusterId,
  refKey: refKey(finding.ref),
});

export interface PruneStateRow extends PruneState {
  readonly clusterId: string;
}

export const PruneStateEntity = table<PruneStateRow>('prune_states', {
  clusterId: key(),
  digest: word(),
  decidedAt: instant(),
  kept: json(),
  confirmable: count(),
});

export interface ManifestRequestRow extends ManifestRequest {
  readonly settledAt?: Instant;
  readonly result?: string;
}

export const ManifestRequestEntity = table<ManifestRequestRow>('manifest_requests', {
  id: key(),
  clusterId: word(),
  kind: word(),
  refKey: optional(word()),
  path: optional(word()),
  digest: optional(word()),
  actor: word(),
  reason: prose(),
  requestedAt: instant(),
  settledAt: optional(instant()),
  result: optional(prose()),
});
