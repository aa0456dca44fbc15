import { MASK } from './mask.js';
import type { LayerValue } from '../layers/config-layers.js';
import { ProblemList } from '../problems.js';
import { effectiveConfig } from '../render/effective-config.js';
import { FileRenderer } from '../render/file-renderer.js';
import { lockedLookups } from '../render/lookups.js';
import { renderBudget } from '../render/render-input.js';
import type { RenderInput, RenderOptions } from '../render/render-input.js';

/** A config item for people: every layer's word on it, the last one in force. Sensitive values are masked. */
export interface ExplainedItem {
  readonly key: string;
  readonly value: string;
  readonly sensitive: boolean;
  /** Commit of the configuration that the layers in Git come from. */
  readonly commit: string;
  readonly layers: readonly LayerValue[];
}

/** Explains one config item, or all of them in order of keys. A key that nothing says is absent. */
export function explain(
  input: RenderInput,
  key?: string,
  options: RenderOptions = {},
): readonly ExplainedItem[] {
  const { duplicateKeys } = options;
  const budget = renderBudget(input.tree, options);
  const files = new FileRenderer(input.tree, { lookups: lockedLookups(input), budget, duplicateKeys });
  const { provenance } = effectiveConfig(input, files, new ProblemList());
  return [...provenance]
    .filter(([name]) => key === undefined || name === key)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, item]) => ({
      key: name,
      value: item.sensitive ? MASK : item.value,
      sensitive: item.sensitive,
      commit: input.tree.commit,
      layers: item.layers.map((layer) => (item.sensitive ? { ...layer, value: MASK } : layer)),
    }));
}
