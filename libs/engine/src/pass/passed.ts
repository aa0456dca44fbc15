import type { ClusterStatus, NodeProgress } from '#fleet';
import type { Instant } from '#kernel';
import type { ReconcileResult } from '../reconcile-cluster.js';

const grid = (nodes: readonly NodeProgress[] = []): string =>
  nodes.map(({ instanceId, state }) => `${instanceId} ${state}`).join();

/** What the worker is told of a pass that ended with this status. */
export function passed(
  before: ClusterStatus | undefined,
  status: ClusterStatus,
  { events, nextDueAt }: { readonly events: number; readonly nextDueAt: Instant | undefined },
): ReconcileResult {
  const watch = status.phase === 'updating' || status.phase === 'blocked';
  const moved = events > 0 || grid(before?.nodes) !== grid(status.nodes);
  return { kind: 'passed', phase: status.phase, nextDueAt, watch, moved };
}
