import { formatDuration, minutes, type Duration } from '#kernel';

/** The config item (of the master pool or the cluster) with which people allow the API to be away for a while. */
export const OUTAGE_GRANT_ITEM = 'control_plane_outage_granted';

export interface MasterOutageQuestion {
  /** Masters that serve now. */
  readonly masters: number;
  /** How the pool of the masters is rolled. */
  readonly strategy: 'surge' | 'one-at-a-time' | 'all-at-once';
  readonly maxSurge: number | 'auto';
  readonly granted: boolean;
  readonly expectedBoot: Duration;
  readonly expectedDrain: Duration;
}

export type MasterOutage =
  /** Another master serves while one is replaced. */
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly reason: string; readonly remedy: string }
  /** The API goes away for about `expected`; longer than `limit` is trouble. */
  | { readonly kind: 'granted'; readonly expected: Duration; readonly limit: Duration };

const LEAST_LIMIT = minutes(15);

/**
 * Whether replacing a master takes the API away (upgrade.md, "Control plane"): with one master, unless a new one may come
 * first. Such an outage needs an explicit permission; workloads keep running through it, nothing new is scheduled.
 */
export function masterOutage(question: MasterOutageQuestion): MasterOutage {
  const { masters, strategy, maxSurge, granted, expectedBoot, expectedDrain } = question;
  const newFirst = strategy === 'surge' && maxSurge !== 0;
  const survives = masters > 1 && strategy !== 'all-at-once';
  if (newFirst || survives || masters === 0) return { kind: 'none' };
  const expected = expectedDrain + expectedBoot;
  if (granted) return { kind: 'granted', expected, limit: Math.max(LEAST_LIMIT, expected * 3) };
  const which = masters === 1 ? 'the only master' : `all ${masters} masters`;
  return {
    kind: 'refused',
    reason: `replacing ${which} takes the API away for about ${formatDuration(expected)}`,
    remedy: `Let a new master come first (roll_strategy: surge), run three masters, or allow it: ${OUTAGE_GRANT_ITEM}: "true" on the pool of the masters or the cluster.`,
  };
}
