import { posix } from 'node:path';
import type { FailureDetail } from '#kernel';
import { fail } from '#kernel';

export interface TreeLimits {
  readonly maxFiles: number;
  readonly maxFileBytes: number;
  readonly maxTreeBytes: number;
}

const MIB = 1024 * 1024;
export const DEFAULT_TREE_LIMITS: TreeLimits = {
  maxFiles: 10_000,
  maxFileBytes: MIB,
  maxTreeBytes: 64 * MIB,
};

/** What Fairway reads of a repository. */
export const READ_PATHS = ['cluster', 'clusters', 'fairway.yaml'] as const;

/** One line of `ls-tree -r`. */
export interface TreeEntry {
  readonly mode: string;
  readonly oid: string;
  /** Undefined for what is no blob. */
  readonly bytes: number | undefined;
  readonly path: string;
}

const LINK = '120000';
const SUBMODULE = '160000';
const MAX_LINK_HOPS = 8;
const MAX_LINK_BYTES = 4096;

export const isLink = (entry: TreeEntry): boolean => entry.mode === LINK;

/** Collects everything that is wrong with a tree, so that its author hears it at once. */
export class Rejections {
  private readonly details: FailureDetail[] = [];

  add(name: string, message: string): void {
    const file = printable(name);
    this.details.push({ message: `${file}: ${message}`, place: { file } });
  }

  throwIfAny(
    commit: string,
    subject = `commit ${commit.slice(0, 10)}`,
    hint = 'fix or remove these files and push again; clusters stay at the last good revision',
  ): void {
    if (this.details.length === 0) return;
    const shown = this.details.slice(0, 3).map((detail) => detail.message);
    const rest = this.details.length - shown.length;
    fail({
      class: 'invalid',
      code: 'tree-rejected',
      message: `${subject} cannot be read: ${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`,
      hint,
      details: this.details.slice(0, 100),
    });
  }
}

/** Names are up to strangers: a line feed would begin a line of its own in a log, an escape would order a terminal about. */
const printable = (name: string): string =>
  // eslint-disable-next-line no-control-regex
  name.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Parses `ls-tree -r -z -l`. Names that are no UTF-8 are rejected with their odd bytes shown. */
export function parseTree(output: Buffer, rejections: Rejections): readonly TreeEntry[] {
  const strict = new TextDecoder('utf-8', { fatal: true });
  const entries: TreeEntry[] = [];
  for (let start = 0; start < output.length;) {
    const end = output.indexOf(0, start);
    const record = output.subarray(start, end < 0 ? output.length : end);
    start = end < 0 ? output.length : end + 1;
    const tab = record.indexOf(9);
    const [mode = '', , oid = '', size = '-'] = record.subarray(0, tab).toString('latin1').split(/ +/);
    const name = record.subarray(tab + 1);
    try {
      entries.push({ mode, oid, bytes: size === '-' ? undefined : Number(size), path: strict.decode(name) });
    } catch {
      rejections.add(name.toString('latin1'), 'the name is not UTF-8');
    }
  }
  return entries;
}

/** Everything that can be said without reading a file. */
export function checkEntries(
  entries: readonly TreeEntry[],
  limits: TreeLimits,
  rejections: Rejections,
): void {
  if (entries.length > limits.maxFiles) {
    rejections.add('cluster/', `${entries.length} files are more than ${limits.maxFiles}`);
  }
  for (const entry of entries) {
    const fault = nameFault(entry.path) ?? kindFault(entry) ?? sizeFault(entry, limits);
    if (fault !== undefined) rejections.add(entry.path, fault);
  }
  checkCase(entries, rejections);
}

function nameFault(path: string): string | undefined {
  if (path.startsWith('/')) return 'the path is absolute';
  const parts = path.split('/');
  if (parts.includes('..') || parts.includes('.') || parts.includes(''))
    return 'the path holds "..", "." or nothing';
  if (parts.some((part) => part.toLowerCase() === '.git')) return 'a path part is called .git';
  if (path.includes('\\')) return 'the name holds a backslash';
  if (printable(path) !== path) return 'the name holds control characters';
  return undefined;
}

function kindFault({ mode, path }: TreeEntry): string | undefined {
  if (mode === SUBMODULE) return 'submodules are not followed';
  if (mode === LINK)
    return path.startsWith('cluster/') ? undefined : 'symbolic links are allowed below cluster/ only';
  if (path === 'cluster' || path === 'clusters') return 'is a file where a directory belongs';
  if (path.startsWith('fairway.yaml/')) return 'fairway.yaml is a directory where a file belongs';
  return mode.startsWith('100') ? undefined : `unknown kind of entry (mode ${mode})`;
}

function sizeFault({ bytes, mode }: TreeEntry, limits: TreeLimits): string | undefined {
  if (bytes === undefined) return undefined;
  if (mode === LINK) return bytes > MAX_LINK_BYTES ? 'the target of the link is too long' : undefined;
  return bytes > limits.maxFileBytes ? `${bytes} bytes are more than ${limits.maxFileBytes}` : undefined;
}

/** Two names that some file systems take for one, directories included. */
function checkCase(entries: readonly TreeEntry[], rejections: Rejections): void {
  const seen = new Map<string, string>();
  const told = new Set<string>();
  for (const { path } of entries) {
    const parts = path.split('/');
    for (let length = 1; length <= parts.length; length += 1) {
      const part = parts.slice(0, length).join('/');
      const folded = part.normalize('NFC').toLowerCase();
      const other = seen.get(folded);
      if (other === undefined) seen.set(folded, part);
      else if (other !== part && !told.has(part)) {
        told.add(part);
        rejections.add(part, `differs from ${other} only by case or accents`);
      }
    }
  }
}

/**
 * Follows a link inside the tree to the file that it means. Rejects what leaves `cluster/`, points at nothing or at a
 * directory, or goes in circles.
 */
export function resolveLink(
  link: TreeEntry,
  byPath: ReadonlyMap<string, TreeEntry>,
  targetOf: (link: TreeEntry) => string | undefined,
  rejections: Rejections,
): TreeEntry | undefined {
  const refuse = (message: string): undefined => rejections.add(link.path, message) as undefined;
  let current = link;
  for (let hops = 0; hops < MAX_LINK_HOPS; hops += 1) {
    const target = targetOf(current);
    if (target === undefined || target === '' || target.includes('\0'))
      return refuse('the link has no readable target');
    if (target.startsWith('/')) return refuse(`the link leads to the absolute path ${target}`);
    const path = posix.normalize(posix.join(posix.dirname(current.path), target));
    if (!path.startsWith('cluster/')) return refuse(`the link leads out of cluster/: ${target}`);
    const next = byPath.get(path);
    if (next === undefined) return refuse(`the link leads to no file: ${target}`);
    if (!isLink(next)) return next;
    current = next;
  }
  return refuse('the link goes in circles or through too many links');
}

/** The text of a file; undefined, with a reason, where it is none. */
export function textOf(path: string, content: Buffer, rejections: Rejections): string | undefined {
  if (content.includes(0)) return rejections.add(path, 'the file holds NUL bytes') as undefined;
  if (content.subarray(0, 40).toString('latin1').startsWith('version https://git-lfs')) {
    return rejections.add(path, 'the file is in Git LFS, which is not read') as undefined;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return rejections.add(path, 'the file is not UTF-8') as undefined;
  }
}
