import type { Instant } from '#kernel';
import { minutes } from '#kernel';

/**
 * What clusters share and boots can overload: an image registry, an account's API limits, a region. The limit of boots in
 * flight grows by one with each clean boot and is halved when something shows strain (AIMD, as TCP does it).
 */
export interface BootBucket {
  readonly limit: number;
  readonly strainedAt?: Instant;
}

export interface BucketLimits {
  readonly start: number;
  readonly least: number;
  readonly most: number;
}

export const BUCKET_LIMITS: BucketLimits = { start: 8, least: 1, most: 64 };

/** No boot takes longer. Counts that are older are those of a cluster that rolls no more, or that another worker took over. */
const BOOT_AT_MOST = minutes(30);

/** Boots that began before strain was seen report it late, several for one cause: halve once in this time. */
const ONE_CAUSE = minutes(2);

export const newBucket = (limits: BucketLimits = BUCKET_LIMITS): BootBucket => ({ limit: limits.start });

export const afterCleanBoot = (bucket: BootBucket, limits: BucketLimits = BUCKET_LIMITS): BootBucket => ({
  ...bucket,
  limit: Math.min(limits.most, bucket.limit + 1),
});

export function afterStrain(
  bucket: BootBucket,
  now: Instant,
  limits: BucketLimits = BUCKET_LIMITS,
): BootBucket {
  if (bucket.strainedAt !== undefined && now - bucket.strainedAt < ONE_CAUSE) return bucket;
  return { limit: Math.max(limits.least, Math.floor(bucket.limit / 2)), strainedAt: now };
}

/** Boots that may begin now, given those that are under way in all clusters of the bucket. */
export const bootsFree = (bucket: BootBucket, inFlight: number): number =>
  Math.max(0, bucket.limit - inFlight);

/** One cluster's word to the buckets that it is in. */
export interface BootReport {
  readonly inFlight: number;
  /** Boots that ended well since the last report. */
  readonly clean: number;
  /** Image pulls fail or boots take far longer than usual. */
  readonly strained: boolean;
}

/** Buckets by name (`registry/<host>`, `account/<id>`, `region/<name>`) with what clusters said last. */
export class BootThrottle {
  private readonly buckets = new Map<string, BootBucket>();
  private readonly inFlight = new Map<
    string,
    Map<string, { readonly count: number; readonly at: Instant }>
  >();

  constructor(private readonly limits: BucketLimits = BUCKET_LIMITS) {}

  report(cluster: string, names: readonly string[], said: BootReport, now: Instant): void {
    for (const name of names) {
      let bucket = this.bucket(name);
      for (let i = 0; i < said.clean; i += 1) bucket = afterCleanBoot(bucket, this.limits);
      if (said.strained) bucket = afterStrain(bucket, now, this.limits);
      this.buckets.set(name, bucket);
      const counts = this.inFlight.get(name) ?? new Map<string, { count: number; at: Instant }>();
      if (said.inFlight > 0) counts.set(cluster, { count: said.inFlight, at: now });
      else counts.delete(cluster);
      this.inFlight.set(name, counts);
    }
  }

  /** The tightest of the buckets, for `RollScope.bootThrottle`. */
  free(names: readonly string[], now: Instant): { readonly free: number; readonly reason: string } {
    const each = names.map((name) => {
      const bucket = this.bucket(name);
      const busy = [...(this.inFlight.get(name)?.values() ?? [])]
        .filter(({ at }) => now - at < BOOT_AT_MOST)
        .reduce((sum, { count }) => sum + count, 0);
      return {
        free: bootsFree(bucket, busy),
        reason: `${busy} boots are in flight for ${name}, which carries ${bucket.limit}`,
      };
    });
    return each.reduce((least, one) => (one.free < least.free ? one : least), {
      free: Number.POSITIVE_INFINITY,
      reason: '',
    });
  }

  private bucket(name: string): BootBucket {
    return this.buckets.get(name) ?? newBucket(this.limits);
  }
}
