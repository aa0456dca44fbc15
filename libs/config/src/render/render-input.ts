import type { Cluster, ConfigTree, InfrastructureAccount, LockedInputs } from '#fleet';
import type { ConfigOverride } from '../layers/config-layers.js';
import type { TemplateLimits } from '../template/budget.js';
import type { RenderCache } from './file-renderer.js';

/** Changes whenever the same inputs may give another result; part of every cached digest. */
export const RENDERER_VERSION = '1';

export interface RenderInput {
  readonly tree: ConfigTree;
  /** The registry's record. */
  readonly cluster: Cluster;
  readonly inputs: LockedInputs;
  /** For `.Cluster.Owner` and `.Cluster.AccountName`. */
  readonly account?: Pick<InfrastructureAccount, 'name' | 'owner'> | undefined;
  /** All clusters of the account, oldest first, this one included. */
  readonly accountClusters?: readonly Cluster[] | undefined;
  /** In force now, with reason and expiry. */
  readonly overrides?: readonly ConfigOverride[] | undefined;
}

export interface RenderOptions {
  readonly limits?: Partial<TemplateLimits> | undefined;
  /** Called now and then; throw a LimitError to stop at a deadline. */
  readonly checkpoint?: (() => void) | undefined;
  /** Bucket of generated files; `{account}` and `{region}` are filled in. */
  readonly filesBucket?: string | undefined;
  /**
   * What to do with a key that a YAML map has twice: refuse it (`error`, the default), or take the last as CLM's reader
   * did and warn. For repositories that come from CLM.
   */
  readonly duplicateKeys?: 'error' | 'warning' | undefined;
  /** Kubernetes version for the table of removed APIs, where the configuration names none. */
  readonly kubernetesVersion?: string | undefined;
}

/** A bounded cache: the least recently used entry goes first. */
export function createRenderCache(maxEntries = 5000): RenderCache {
  const entries = new Map<string, unknown>();
  return {
    get(key) {
      const value = entries.get(key);
      if (value !== undefined) {
        entries.delete(key);
        entries.set(key, value);
      }
      return value;
    },
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size > maxEntries) {
        const oldest = entries.keys().next();
        if (!oldest.done) entries.delete(oldest.value);
      }
    },
  };
}
