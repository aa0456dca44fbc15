import type { Cluster, ConfigProblem, ConfigTree, InfrastructureAccount, LockedInputs } from '#fleet';
import { problem, sorted } from '../problems.js';
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

/** What takes more than it may for one cluster is not tried for all the others. */
const notTried = ({ file, line, column, message }: ConfigProblem): ConfigProblem =>
  problem(
    'not-rendered',
    `nothing was rendered for the other clusters (${message})`,
    { file, line, column },
    'Mend this file and validate again: they may have problems of their own.',
  );

/** Renders and validates a revision for some clusters. What many clusters have alike is said once, with their names. */
export function validateRevision(
  tree: ConfigTree,
  clusters: readonly ValidatedCluster[],
  cache?: RenderCache,
  options: RenderOptions = {},
): readonly RevisionProblem[] {
  const found = new Map<string, { problem: ConfigProblem; clusters: string[] }>();
  const add = (one: ConfigProblem, aliases: readonly string[]): void => {
    const key = JSON.stringify(one);
    const known = found.get(key);
    if (known) known.clusters.push(...aliases);
    else found.set(key, { problem: one, clusters: [...aliases] });
  };
  for (const [index, one] of clusters.entries()) {
    const rendered = renderCluster({ tree, ...one }, cache, options);
    const problems = rendered.ok ? rendered.value.warnings : rendered.error;
    for (const each of problems) add(each, [one.cluster.alias]);
    const spent = problems.find(({ code }) => code === 'template-limit');
    const rest = clusters.slice(index + 1).map(({ cluster }) => cluster.alias);
    if (!spent || rest.length === 0) continue;
    add(notTried(spent), rest);
    break;
  }
  const byProblem = new Map([...found.values()].map(({ problem, clusters: names }) => [problem, names]));
  return sorted([...byProblem.keys()]).map((problem) => ({
    ...problem,
    clusters: byProblem.get(problem) ?? [],
  }));
}
