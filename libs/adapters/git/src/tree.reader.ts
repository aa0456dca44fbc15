import { GitExitError } from './git-exit-error.js';
import type { LocalRun } from './git-process.js';
import {
  checkEntries,
  isLink,
  parseTree,
  READ_PATHS,
  Rejections,
  resolveLink,
  textOf,
  type TreeEntry,
  type TreeLimits,
} from './tree-rules.js';

/** Runs Git on the mirror and rejects where the exit code is not 0. */
export type RunGit = (
  args: readonly string[],
  options?: { readonly input?: string; readonly maxBytes?: number },
) => Promise<LocalRun>;

export interface TreeContent {
  readonly files: ReadonlyMap<string, string>;
  readonly bytes: number;
}

/** Reads all files of a commit that Fairway looks at, from the object database, in two processes. */
export async function readTreeContent(run: RunGit, commit: string, limits: TreeLimits): Promise<TreeContent> {
  const rejections = new Rejections();
  const listed = await run(['ls-tree', '-r', '-z', '-l', '--full-tree', commit, '--', ...READ_PATHS]);
  const entries = parseTree(listed.stdout, rejections);
  if (!entries.some((entry) => entry.path.startsWith('cluster/'))) {
    rejections.add('cluster/', 'the directory is not there or empty');
  }
  checkEntries(entries, limits, rejections);
  checkTotal(entries, limits, rejections);
  rejections.throwIfAny(commit);
  const content = await readBlobs(run, entries, limits);
  const files = assemble(entries, content, limits, rejections);
  rejections.throwIfAny(commit);
  return files;
}

/** One file by its exact path, under the rules of all files: no link, no submodule, plain text, not too big. */
export async function readOneFile(
  run: RunGit,
  commit: string,
  path: string,
  limits: TreeLimits,
): Promise<string | undefined> {
  const rejections = new Rejections();
  const listed = await run(['ls-tree', '-z', '-l', '--full-tree', commit, '--', path]);
  const entry = parseTree(listed.stdout, rejections).find((one) => one.path === path);
  if (entry === undefined) return undefined;
  checkEntries([entry], limits, rejections);
  if (isLink(entry)) rejections.add(path, 'is a symbolic link');
  rejections.throwIfAny(commit);
  if (entry.bytes === undefined) return undefined;
  const content = (await readBlobs(run, [entry], limits)).get(entry.oid);
  const text = content && textOf(path, content, rejections);
  rejections.throwIfAny(commit);
  return text;
}

export function checkTotal(entries: readonly TreeEntry[], limits: TreeLimits, rejections: Rejections): void {
  const total = entries.reduce((sum, entry) => sum + (entry.bytes ?? 0), 0);
  if (total > limits.maxTreeBytes) {
    rejections.add('cluster/', `${total} bytes are more than ${limits.maxTreeBytes}`);
  }
}

/** Contents by object id, with one `cat-file --batch`. */
async function readBlobs(
  run: RunGit,
  entries: readonly TreeEntry[],
  limits: TreeLimits,
): Promise<ReadonlyMap<string, Buffer>> {
  const wanted = [...new Set(entries.map((entry) => entry.oid))];
  const { stdout } = await run(['cat-file', '--batch', '--buffer'], {
    input: wanted.map((oid) => `${oid}\n`).join(''),
    maxBytes: limits.maxTreeBytes + wanted.length * 100,
  });
  const contents = new Map<string, Buffer>();
  let at = 0;
  for (const oid of wanted) {
    const newline = stdout.indexOf(10, at);
    const [name, type, size] = stdout.subarray(at, newline).toString('latin1').split(' ');
    if (newline < 0 || name !== oid || type !== 'blob' || size === undefined) {
      throw new GitExitError('cat-file', 1, `missing blob ${oid}`, '', false);
    }
    const end = newline + 1 + Number(size);
    contents.set(oid, stdout.subarray(newline + 1, end));
    at = end + 1;
  }
  return contents;
}

export function assemble(
  entries: readonly TreeEntry[],
  content: ReadonlyMap<string, Buffer>,
  limits: TreeLimits,
  rejections: Rejections,
): TreeContent {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const targetOf = (link: TreeEntry): string | undefined => content.get(link.oid)?.toString('utf8');
  const texts = new Map<string, string | undefined>();
  const files = new Map<string, string>();
  let bytes = 0;
  for (const entry of entries) {
    const source = isLink(entry) ? resolveLink(entry, byPath, targetOf, rejections) : entry;
    const buffer = source && content.get(source.oid);
    if (source === undefined || buffer === undefined) continue;
    bytes += buffer.length;
    if (!texts.has(source.oid)) texts.set(source.oid, textOf(source.path, buffer, rejections));
    const text = texts.get(source.oid);
    if (text !== undefined) files.set(entry.path, text);
  }
  // Links to one file many times over count as often as they are read.
  if (bytes > limits.maxTreeBytes) {
    rejections.add('cluster/', `${bytes} bytes, links followed, are more than ${limits.maxTreeBytes}`);
  }
  return { files, bytes };
}
