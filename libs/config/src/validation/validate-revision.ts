import type { Cluster, ConfigProblem, ConfigTree, InfrastructureAccount, LockedInputs } from '#fleet';
import { sorted } from '../problems.js';
import type { RenderCache } from '../render/file-renderer.js';
import { renderCluster } from '../render/render-cluster.js';
import type { RenderOptions } from '../render/render-input.js';

/** A cluster for which a revision is checked. */
export interface ValidatedCluster {
  readonly cluster: Cluster;
  readonly inputs: LockedInputs;
  readonly account?: Pick<InfrastructureAccount, 'name' | 'owner'>;
  readonly accountClusters?: readonly Cluster[];
}

export interface RevisionProblem extends ConfigProblem {
  /** Aliases of the clusters that have it. */
  readonly clusters: readonly string[];
}

/** Renders and validates a revision for some clusters. What many clusters have alike is said once, with their names. */
export function validateRevision(
  tree: ConfigTree,
  clusters: readonly ValidatedCluster[],
  cache?: RenderCache,
  options: RenderOptions = {},
): readonly RevisionProblem[] {
  const found = new Map<string, { problem: ConfigProblem; clusters: string[] }>();
  for (const one of clusters) {
    const rendered = renderCluster({ tree, ...one }, cache, options);
    for (const problem of rendered.ok ? rendered.value.warnings : rendered.error) {
      const key = JSON.stringify(problem);
      const known = found.get(key);
      if (known) known.clusters.push(one.cluster.alias);
      else found.set(key, { problem, clusters: [one.cluster.alias] });
    }
  }
  const byProblem = new Map([...found.values()].map(({ problem, clusters: names }) => [problem, names]));
  return sorted([...byProblem.keys()]).map((problem) => ({
    ...problem,
    clusters: byProblem.get(problem) ?? [],
  }));
}
