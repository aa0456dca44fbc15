import { minutes, type Duration, type Instant } from '#kernel';
import type { KubernetesPort } from '#ports';
import type { Compared } from './compare-objects.js';

interface Entry {
  readonly pair: string;
  readonly at: Instant;
  readonly compared: Compared;
}

/** What was absent may have been made by somebody meanwhile, and nothing would show it. */
const KEEP: Duration = minutes(10);

/**
 * Results of dry-runs, for as long as neither Git nor the cluster changed: the plan's results serve the apply that follows
 * it. Lost with the process; then the dry-run is asked again.
 */
class ComparisonCache {
  readonly #entries = new Map<string, Entry>();

  find(key: string, pair: string, now: Instant): Compared | undefined {
    const entry = this.#entries.get(key);
    return entry?.pair === pair && now - entry.at < KEEP ? entry.compared : undefined;
  }

  store(key: string, pair: string, compared: Compared, now: Instant): void {
    this.#entries.set(key, { pair, compared, at: now });
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }
}

const CACHES = new WeakMap<KubernetesPort, ComparisonCache>();

/** One cache per connection to a cluster. */
export function comparisonCache(kubernetes: KubernetesPort): ComparisonCache {
  const known = CACHES.get(kubernetes);
  if (known) return known;
  const fresh = new ComparisonCache();
  CACHES.set(kubernetes, fresh);
  return fresh;
}
