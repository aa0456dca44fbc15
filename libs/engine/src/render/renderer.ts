import type { Cluster, ConfigProblem, ConfigTree, DesiredState } from '#fleet';
import type { ConfigOverride, ExplainedItem, RenderInput, WantedInputs } from '#config';
import type { Result } from '#kernel';

export type RenderResult = Result<DesiredState, readonly ConfigProblem[]>;

/**
 * Does what is pure and takes long: rendering and validating one cluster's configuration. Whoever calls it hands over
 * everything that is needed; the same input gives the same answer.
 */
export interface Renderer {
  /** Bad content is a value. */
  render(input: RenderInput): Promise<RenderResult>;
  /** What a render will ask AWS for. Rejects with a FailureError of class `invalid` where even that takes too long. */
  lookups(tree: ConfigTree, cluster: Cluster, overrides: readonly ConfigOverride[]): Promise<WantedInputs>;
  /** The effective config items with provenance, masked. */
  explain(input: RenderInput): Promise<readonly ExplainedItem[]>;
  close(): Promise<void>;
}

export interface RendererOptions {
  /** What a key that a YAML map has twice is; an error if absent. */
  readonly duplicateKeys?: 'error' | 'warning' | undefined;
  /** CPU time that one render may take, in milliseconds; 1.5 s if absent. */
  readonly timeLimit?: number | undefined;
}
