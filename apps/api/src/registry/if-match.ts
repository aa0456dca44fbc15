import type { Cluster, ClusterStatus } from '#fleet';
import type { Change } from '#ports';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import type { Request } from 'express';
import { badRequest } from '../errors/api-error.js';

/** Changes with whatever an answer shows; what a change is held to is the record's version, its first part. */
export const etagOf = (cluster: Cluster, status: ClusterStatus | undefined): string =>
  `"${cluster.recordVersion}-${status?.updatedAt ?? 0}"`;

/** The version that a client saw, where it says so. */
export function ifMatch(request: Request): { readonly expectedVersion: number } | undefined {
  const header = request.headers['if-match'];
  if (header === undefined || header === '*') return undefined;
  const version = /^(?:W\/)?"(\d{1,9})(?:-\d+)?"$/.exec(header)?.[1];
  if (version === undefined)
    throw badRequest([{ field: 'If-Match', message: 'must be an ETag of this record' }]);
  return { expectedVersion: Number(version) };
}

/** Who changes a record, and what they saw of it. */
export const changeOf = (request: AuthenticatedRequest): Change => ({
  actor: actorOf(request),
  ...ifMatch(request),
});
