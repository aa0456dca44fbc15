import { explain, lookupsOf, renderCluster, type RenderOptions } from '#config';
import { PackedCache } from './packed-cache.js';
import { cpuTimeOf, ownThread } from './cpu-time.js';
import { renderDeadline } from './render-deadline.js';
import type { Renderer, RendererOptions } from './renderer.js';

/** So that lookups and render together stay within two seconds. */
export const RENDER_TIME_LIMIT = 1_500;
/** Lookups read the defaults and a few files; they have this part of a render's time. */
const LOOKUP_SHARE = 0.3;

const CACHE_BYTES = 64 * 1024 * 1024;

export interface InlineRendererOptions extends RendererOptions {
  /** Bytes, about, that are kept of earlier renders. */
  readonly cacheBytes?: number;
  /** Told of each file before work on it begins. */
  readonly progress?: (file: string) => void;
}

/** Renders in the thread that calls it, which does nothing else meanwhile: for the render thread itself, and for tests. */
export function createInlineRenderer(options: InlineRendererOptions = {}): Renderer {
  const { duplicateKeys, timeLimit = RENDER_TIME_LIMIT, progress } = options;
  const cache = new PackedCache(options.cacheBytes ?? CACHE_BYTES);
  const used = cpuTimeOf(ownThread());
  const within = (share: number): RenderOptions => ({
    duplicateKeys,
    progress,
    checkpoint: renderDeadline(timeLimit * share, used),
  });
  return {
    render: async (input) => renderCluster(input, cache, within(1)),
    lookups: async (tree, cluster, overrides) => lookupsOf(tree, cluster, overrides, within(LOOKUP_SHARE)),
    explain: async (input) => explain(input, undefined, within(LOOKUP_SHARE)),
    close: async () => undefined,
  };
}
