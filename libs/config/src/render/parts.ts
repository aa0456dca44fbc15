import type { ConfigProblem, ConfigTree, GeneratedFile } from '#fleet';
import { sha256Hex } from '#kernel';
import { ProblemList } from '../problems.js';
import type { RenderCache } from './file-renderer.js';

const digests = new WeakMap<ConfigTree, Map<string, string>>();

/** Digest of one file's text, computed once for a tree; empty where the tree has no such file. */
export function fileDigest(tree: ConfigTree, path: string): string {
  const known = digests.get(tree) ?? new Map<string, string>();
  digests.set(tree, known);
  const before = known.get(path);
  if (before !== undefined) return before;
  const text = tree.files.get(path);
  const digest = text === undefined ? '' : sha256Hex(text);
  known.set(path, digest);
  return digest;
}

export const filesDigest = (tree: ConfigTree, paths: readonly string[]): string =>
  sha256Hex(paths.map((path) => `${path}=${fileDigest(tree, path)}`).join('\n'));

interface Part {
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  readonly generated: readonly (readonly [string, GeneratedFile])[];
}

/** What a part of a render leaves behind beside its result. */
export interface Traces {
  readonly problems: ProblemList;
  readonly generated: Map<string, GeneratedFile>;
}

/** Runs a part of a render, or takes its result, problems and generated files from the cache. */
export function cachedPart<T>(
  cache: RenderCache | undefined,
  key: string,
  traces: Traces,
  make: (own: Traces) => T,
): T {
  const known = cache?.get(key) as Part | undefined;
  const own: Traces = { problems: new ProblemList(), generated: new Map() };
  const part = known ?? { value: make(own), problems: own.problems.all, generated: [...own.generated] };
  if (!known && cache) cache.set(key, part, 2 * JSON.stringify(part).length, true);
  traces.problems.add(...part.problems);
  for (const [name, file] of part.generated) traces.generated.set(name, file);
  return part.value as T;
}
