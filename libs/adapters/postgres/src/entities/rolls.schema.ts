import type { Instant } from '#kernel';
import type { RollRequest } from '#ports';
import { instant, key, optional, prose, table, word } from './columns.js';

export interface RollRequestRow extends RollRequest {
  readonly settledAt?: Instant;
  readonly result?: string;
}

export const RollRequestEntity = table<RollRequestRow>('roll_requests', {
  id: key(),
  clusterId: word(),
  kind: word(),
  updateId: word(),
  actor: word(),
  reason: prose(),
  requestedAt: instant(),
  settledAt: optional(instant()),
  result: optional(prose()),
});
