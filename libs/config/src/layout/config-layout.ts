import type { ConfigTree } from '#fleet';

/** Where things are in a configuration repository. Source: design, "Layout". */
export const PATHS = {
  defaults: 'cluster/config-defaults.yaml',
  schema: 'cluster/config.schema.json',
  clusterStack: 'cluster/cluster.yaml',
  deletions: 'cluster/manifests/deletions.yaml',
  manifests: 'cluster/manifests/',
  nodePools: 'cluster/node-pools/',
  extraStacks: 'cluster/cf-manifests/',
  extraStackDeletions: 'cluster/cf-manifests/cf-deletions.yaml',
  cluster: (alias: string): string => `clusters/${alias}.yaml`,
  pool: (profile: string, file: PoolFile): string => `cluster/node-pools/${profile}/${file}`,
} as const;

export type PoolFile = 'stack.yaml' | 'userdata.yaml' | 'files.yaml' | 'provisioners.yaml';

const isYaml = (path: string): boolean => path.endsWith('.yaml') || path.endsWith('.yml');
const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The etcd stack's template and, beside it, its generated files. */
export function etcdFiles(tree: ConfigTree): { readonly stack?: string; readonly files?: string } {
  const first = (...paths: readonly string[]): string | undefined =>
    paths.find((path) => tree.files.has(path));
  const stack = first('cluster/etcd-cluster.yaml', 'cluster/etcd/stack.yaml');
  const files = first('cluster/etcd/files.yaml');
  return { ...(stack !== undefined && { stack }), ...(files !== undefined && { files }) };
}

export interface ComponentFiles {
  readonly name: string;
  /** Paths of the manifests, by name. */
  readonly manifests: readonly string[];
  readonly settings?: string;
  /** Paths of all files directly inside its directory, by name: `manifestHash` may name any of them. */
  readonly all: readonly string[];
}

/** Components are the directories directly below `manifests/`, with the YAML files directly inside them. */
export function componentsOf(tree: ConfigTree): readonly ComponentFiles[] {
  const found = new Map<string, string[]>();
  for (const path of tree.files.keys()) {
    if (!path.startsWith(PATHS.manifests)) continue;
    const [name, file, ...deeper] = path.slice(PATHS.manifests.length).split('/');
    if (name === undefined || file === undefined || deeper.length > 0) continue;
    found.set(name, [...(found.get(name) ?? []), path]);
  }
  return [...found]
    .sort(([a], [b]) => byName(a, b))
    .filter(([, paths]) => paths.some(isYaml))
    .map(([name, paths]) => {
      const settings = `${PATHS.manifests}${name}/component.yaml`;
      return {
        name,
        manifests: paths.filter((path) => isYaml(path) && path !== settings).sort(byName),
        ...(paths.includes(settings) && { settings }),
        all: paths.sort(byName),
      };
    });
}

export const extraStackFiles = (tree: ConfigTree): readonly string[] =>
  [...tree.files.keys()]
    .filter(
      (path) => path.startsWith(PATHS.extraStacks) && isYaml(path) && path !== PATHS.extraStackDeletions,
    )
    .filter((path) => !path.slice(PATHS.extraStacks.length).includes('/'))
    .sort(byName);

/** Names of the node pool profiles that the tree has. */
export const profilesOf = (tree: ConfigTree): readonly string[] =>
  [
    ...new Set(
      [...tree.files.keys()]
        .filter((path) => path.startsWith(PATHS.nodePools))
        .map((path) => path.slice(PATHS.nodePools.length).split('/')[0] as string),
    ),
  ].sort(byName);
