import type { SourcedObject } from '#fleet';
import type { ProblemList } from '../problems.js';
import type { EffectiveConfig } from '../render/effective-config.js';
import type { RenderOptions } from '../render/render-input.js';
import { duplicateProblems } from './objects.js';
import { pdbProblems } from './pdb-lint.js';
import { apiProblems } from './removed-apis.js';

/** Version of the control plane, where the configuration names one. */
export const kubernetesVersion = (config: EffectiveConfig): string | undefined =>
  config.items['kubernetes_version']?.replace(/^v/, '') || undefined;

/** What is wrong with the objects of all components together, of those that are not valid too. */
export function validateObjects(
  objects: readonly SourcedObject[],
  config: EffectiveConfig,
  options: RenderOptions,
  problems: ProblemList,
): void {
  problems.add(...duplicateProblems(objects), ...pdbProblems(objects));
  const version = kubernetesVersion(config) ?? options.kubernetesVersion;
  if (version !== undefined) problems.add(...apiProblems(objects, version));
}
