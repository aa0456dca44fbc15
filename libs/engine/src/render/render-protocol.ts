import type { Cluster, ConfigProblem, ConfigTree, DesiredState } from '#fleet';
import type { ConfigOverride, ExplainedItem, RenderInput, WantedInputs } from '#config';
import type { RendererOptions } from './renderer.js';

/** Words between the process and its render thread. Messages arrive in the order in which they are sent. */

/** What the thread is started with. */
export interface ThreadStart {
  readonly options: RendererOptions;
  /** One number: the file that is worked on, by its place among the files of the tree; −1 for none. */
  readonly progress: SharedArrayBuffer;
  /** Bytes that the thread may keep of earlier renders. */
  readonly cacheBytes: number;
}

/** A tree is sent once, in parts, and named by its number from then on. */
export interface TreeName {
  readonly id: number;
  readonly commit: string;
  readonly treeDigest: ConfigTree['treeDigest'];
}

export type Job =
  | {
      readonly what: 'render' | 'explain';
      readonly tree: TreeName;
      readonly input: Omit<RenderInput, 'tree'>;
    }
  | {
      readonly what: 'lookups';
      readonly tree: TreeName;
      readonly cluster: Cluster;
      readonly overrides: readonly ConfigOverride[];
    };

export type ToThread =
  | {
      readonly kind: 'tree-part';
      readonly id: number;
      readonly files: readonly (readonly [string, string])[];
    }
  | { readonly kind: 'drop-tree'; readonly id: number }
  | { readonly kind: 'job'; readonly job: Job };

/** Components travel once, whatever clusters they are of: later answers name them by digest. */
interface SentComponent {
  /** Digest of the JSON. */
  readonly id: string;
  /** JSON; absent if it was sent before. */
  readonly json?: string;
}

export type RenderAnswer =
  | {
      readonly ok: true;
      readonly state: Omit<DesiredState, 'components'>;
      readonly components: readonly SentComponent[];
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

export type Answer =
  | { readonly what: 'render'; readonly answer: RenderAnswer }
  | { readonly what: 'lookups'; readonly answer: WantedInputs }
  | { readonly what: 'explain'; readonly answer: readonly ExplainedItem[] };

export type FromThread =
  | { readonly kind: 'ready'; readonly thread: string | undefined }
  | { readonly kind: 'done'; readonly answer: Answer }
  /** The renderer itself is broken. */
  | { readonly kind: 'broken'; readonly message: string; readonly stack: string | undefined };
