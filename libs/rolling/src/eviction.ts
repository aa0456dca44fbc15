import type { Duration, Instant } from '#kernel';
import { seconds } from '#kernel';
import type { EvictAction, EvictionReply } from './action.js';
import type { EvictionMemory, RollMemory } from './memory.js';

export const pdbKey = (pdb: string): string => `pdb:${pdb}`;
export const podKey = (uid: string): string => `pod:${uid}`;

/** An accepted eviction is not asked for again while reads may still be older than it. */
const STALE_READS = seconds(10);

interface Backoff {
  readonly first: Duration;
  readonly factor: number;
  readonly cap: Duration;
}

/** The table of rolling.md, "Drain". */
const BACKOFF: Readonly<Record<Exclude<EvictionReply['kind'], 'throttled'>, Backoff>> = {
  accepted: { first: STALE_READS, factor: 1, cap: STALE_READS },
  gone: { first: STALE_READS, factor: 1, cap: STALE_READS },
  'blocked-by-pdb': { first: seconds(5), factor: 1.5, cap: seconds(60) },
  'several-pdbs': { first: seconds(60), factor: 1, cap: seconds(60) },
  'namespace-terminating': { first: seconds(5), factor: 1, cap: seconds(5) },
  'forbidden-with-pdb': { first: seconds(30), factor: 1, cap: seconds(30) },
  'webhook-denied': { first: seconds(5), factor: 1.5, cap: seconds(60) },
  transient: { first: seconds(1), factor: 2, cap: seconds(30) },
};

/** Which clock an answer runs on: a full PDB stands for all its pods, everything else is about the one pod. */
function keyOf(action: EvictAction, answer: EvictionReply): string {
  const ofPdb = answer.kind === 'blocked-by-pdb' || answer.kind === 'forbidden-with-pdb';
  return ofPdb && action.pdb !== undefined ? pdbKey(action.pdb) : podKey(action.uid);
}

/** What the Eviction API answered, remembered: when to ask again, and since when it says no. */
export function observeEviction(
  memory: RollMemory,
  action: EvictAction,
  answer: EvictionReply,
  now: Instant,
): RollMemory {
  const key = keyOf(action, answer);
  const evictions = { ...memory.evictions };
  if (answer.kind === 'accepted' && action.pdb !== undefined) delete evictions[pdbKey(action.pdb)];
  evictions[key] = next(memory.evictions[key], answer, now);
  return { ...memory, evictions };
}

function next(before: EvictionMemory | undefined, answer: EvictionReply, now: Instant): EvictionMemory {
  const same = before?.kind === answer.kind ? before : undefined;
  const intervalMs = intervalOf(same, answer);
  return {
    kind: answer.kind,
    message: 'message' in answer ? answer.message : '',
    attempts: (same?.attempts ?? 0) + 1,
    firstAt: same?.firstAt ?? now,
    lastAt: now,
    intervalMs,
    nextAt: now + intervalMs,
  };
}

function intervalOf(same: EvictionMemory | undefined, answer: EvictionReply): number {
  if (answer.kind === 'throttled') return Math.max(answer.retryAfterMs, seconds(1));
  const { first, factor, cap } = BACKOFF[answer.kind];
  const grown = same ? Math.min(cap, same.intervalMs * factor) : first;
  const asked = answer.kind === 'blocked-by-pdb' ? (answer.retryAfterMs ?? 0) : 0;
  return Math.max(grown, asked);
}
