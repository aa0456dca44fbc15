import type { Cluster, ClusterStatus } from '#fleet';
import type { Change } from '#ports';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import type { Request } from 'express';
import { FailureError } from '#kernel';
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

/** How often a change is merged anew into what somebody else wrote meanwhile. */
const MERGE_ATTEMPTS = 20;

/**
 * Reads, merges and writes again while others are faster, unless the client named the version that it saw. Of many
 * changes of one record at once those in this process go one after the other.
 */
export async function mergedAnew<T>(id: string, seen: Seen, merge: () => Promise<T>): Promise<T> {
  const before = queues.get(id) ?? Promise.resolve();
  const turn = before.then(() => repeated(seen, merge));
  const settled = turn.then(
    () => undefined,
    () => undefined,
  );
  queues.set(id, settled);
  void settled.then(() => queues.get(id) === settled && queues.delete(id));
  return turn;
}

type Seen = ReturnType<typeof ifMatch>;

/** The last change of each record that is under way. */
const queues = new Map<string, Promise<undefined>>();

async function repeated<T>(seen: Seen, merge: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await merge();
    } catch (thrown) {
      const overtaken = thrown instanceof FailureError && thrown.failure.code === 'version-mismatch';
      if (seen !== undefined || !overtaken || attempt === MERGE_ATTEMPTS) throw thrown;
    }
  }
}
