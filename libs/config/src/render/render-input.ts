import type { Cluster, ConfigTree, InfrastructureAccount, LockedInputs } from '#fleet';
import type { ConfigOverride } from '../layers/config-layers.js';
import type { TemplateLimits } from '../template/budget.js';
import { RenderBudget } from '../template/render-budget.js';
import type { RenderLimits } from '../template/render-budget.js';
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
  /** For all files together. */
  readonly renderLimits?: Partial<RenderLimits> | undefined;
  /** Called now and then; throw a LimitError to stop at a deadline. */
  readonly checkpoint?: (() => void) | undefined;
  /** Makes the checkpoint of each render anew, where several are made with the same options. */
  readonly newCheckpoint?: (() => () => void) | undefined;
  /** Told of each file before it is rendered or read. */
  readonly progress?: ((file: string) => void) | undefined;
  /** Bucket of generated files; `{account}` and `{region}` are filled in. */
  readonly filesBucket?: string | undefined;
  /**
   * What to do with a key that a YAML map has twice: refuse it (`error`), or take the last as CLM's reader did and warn.
   * Absent: a warning in `config-defaults.yaml`, which real repositories have and which changes no object behind anybody's
   * back; an error elsewhere.
   */
  readonly duplicateKeys?: 'error' | 'warning' | undefined;
  /** Kubernetes version for the table of removed APIs, where the configuration names none. */
  readonly kubernetesVersion?: string | undefined;
}

/** One budget for all files of a render of the tree. */
export function renderBudget(tree: ConfigTree, options: RenderOptions): RenderBudget {
  let bytes = 0;
  for (const text of tree.files.values()) bytes += text.length;
  const { renderLimits: limits, progress } = options;
  const checkpoint = options.checkpoint ?? options.newCheckpoint?.();
  return new RenderBudget(bytes, { limits, checkpoint, progress });
}

/** A cache that takes nothing more once the budget is spent: what is made after that is not whole. */
export const whileUnspent = (cache: RenderCache, budget: RenderBudget): RenderCache => ({
  get: (key) => cache.get(key),
  set: (key, value, bytes, copyable) => {
    if (!budget.spent) cache.set(key, value, bytes, copyable);
  },
});

const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;
/** Of an entry of which nobody says how big it is. */
const SMALL = 1024;

/** A cache bounded in entries and bytes: the least recently used entry goes first. */
export function createRenderCache(maxEntries = 50_000, maxBytes = DEFAULT_CACHE_BYTES): RenderCache {
  const entries = new Map<string, { readonly value: unknown; readonly bytes: number }>();
  let kept = 0;
  const drop = (key: string): void => {
    kept -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, bytes = SMALL) {
      drop(key);
      entries.set(key, { value, bytes });
      kept += bytes;
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries && kept <= maxBytes) return;
        drop(oldest);
      }
    },
  };
}
