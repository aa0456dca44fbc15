import type { Instant } from '#kernel';

/** Memory key of {@link Settled}. */
export const SETTLED = 'settled';

/** What a cluster was last brought to and verified against; equal basis, nothing to do. */
export interface Settled {
  readonly revisionId: string;
  readonly treeDigest: string;
  /** See `contentDigest`; absent in what an older version wrote. */
  readonly contentDigest?: string;
  readonly recordDigest: string;
  readonly desiredDigest: string;
  readonly verifiedAt: Instant;
}

export function settledBasis(value: unknown): Settled | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const candidate = value as Partial<Settled>;
  return typeof candidate.revisionId === 'string' &&
    typeof candidate.recordDigest === 'string' &&
    typeof candidate.verifiedAt === 'number'
    ? (candidate as Settled)
    : undefined;
}
