import { canonicalJson, digestOfValue, type Digest } from '#kernel';
import type { KubernetesObject, PathSegment } from '#fleet';
import type { ApplyComparison, DiffLine } from './types.js';

/** Written by the server on every write, or by controllers: no part of what Git says. */
const SERVER_METADATA = new Set([
  'managedFields',
  'resourceVersion',
  'generation',
  'uid',
  'creationTimestamp',
  'selfLink',
]);
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** Long enough to show what changed, short enough for a page. */
const MAX_TEXT = 200;

/**
 * What an apply would change: the dry-run's result against the live object. Server defaults are in both, so an object
 * that nobody touched compares equal and is not written. `ignore`: JSON pointers that are left to others.
 */
export function compareApply(
  live: KubernetesObject | undefined,
  dryRun: KubernetesObject,
  ignore: readonly string[],
): ApplyComparison {
  const after = reduced(dryRun, ignore);
  const before = live === undefined ? undefined : reduced(live, ignore);
  const lines: DiffLine[] = [];
  if (before === undefined) return { action: 'create', fields: [], diff: createLines(after, dryRun) };
  walk(before, after, [], lines);
  const shown = lines.map((line) => mask(line, dryRun));
  return {
    action: lines.length === 0 ? 'none' : 'change',
    fields: lines.map((line) => line.path),
    diff: shown,
  };
}

/** Digest of what a comparison looks at: equal digests compare equal, whatever the server wrote beside it. */
export const contentDigest = (object: KubernetesObject, ignore: readonly string[] = []): Digest =>
  digestOfValue(reduced(object, ignore));

function createLines(after: unknown, dryRun: KubernetesObject): readonly DiffLine[] {
  const lines: DiffLine[] = [];
  walk({}, after, [], lines);
  return lines.map((line) => mask(line, dryRun));
}

/** A copy without what the server writes. Only what is taken away from is copied: the rest is shared, and read only. */
function reduced(object: KubernetesObject, ignore: readonly string[]): unknown {
  const { status: _status, metadata: whole, ...rest } = object as KubernetesObject & { status?: unknown };
  const metadata: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(whole)) {
    if (!SERVER_METADATA.has(key) && !isEmptyMap(key, value)) metadata[key] = value;
  }
  if (isMap(metadata['annotations']) && LAST_APPLIED in metadata['annotations']) {
    const { [LAST_APPLIED]: _last, ...annotations } = metadata['annotations'];
    if (Object.keys(annotations).length > 0) metadata['annotations'] = annotations;
    else delete metadata['annotations'];
  }
  const copy = { ...rest, metadata };
  if (ignore.length === 0) return copy;
  const own = structuredClone(copy);
  for (const pointer of ignore) removeAt(own, pointerParts(pointer));
  for (const key of MAPS) if (isEmptyMap(key, own.metadata[key])) delete own.metadata[key];
  return own;
}

const MAPS = ['annotations', 'labels'];
/** No labels and an empty map of labels are the same to the server. */
const isEmptyMap = (key: string, value: unknown): boolean =>
  MAPS.includes(key) && isMap(value) && Object.keys(value).length === 0;

/** RFC 6901; `*` stands for every element or member. */
const pointerParts = (pointer: string): readonly string[] =>
  pointer
    .replace(/^\//, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

function removeAt(value: unknown, parts: readonly string[]): void {
  const [head, ...rest] = parts;
  if (head === undefined || typeof value !== 'object' || value === null) return;
  const container = value as Record<string, unknown>;
  const keys = head === '*' ? Object.keys(container) : Object.hasOwn(container, head) ? [head] : [];
  for (const key of keys) {
    if (rest.length > 0) removeAt(container[key], rest);
    else if (Array.isArray(value)) value[Number(key)] = null;
    else delete container[key];
  }
}

type Segments = readonly PathSegment[];

function walk(before: unknown, after: unknown, segments: Segments, lines: DiffLine[]): void {
  if (sameJson(before, after)) return;
  if (Array.isArray(before) && Array.isArray(after)) return walkLists(before, after, segments, lines);
  if (isMap(before) && isMap(after)) {
    for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
      walk(before[key], after[key], [...segments, key], lines);
    }
    return;
  }
  lines.push({
    path: pathText(segments),
    segments,
    change: before === undefined ? 'add' : after === undefined ? 'remove' : 'change',
    ...(before !== undefined && { before: text(before) }),
    ...(after !== undefined && { after: text(after) }),
  });
}

/** Equal as JSON; a member that is undefined counts as absent. */
function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((entry, at) => sameJson(entry, b[at]));
  }
  if (!isMap(a) || !isMap(b)) return false;
  for (const key in a) if (!sameJson(a[key], b[key])) return false;
  for (const key in b) if (b[key] !== undefined && a[key] === undefined) return false;
  return true;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Elements with names are matched by name, so that one inserted container is one change and not a change of all. */
function walkLists(
  before: readonly unknown[],
  after: readonly unknown[],
  segments: Segments,
  lines: DiffLine[],
): void {
  const key = ['name', 'containerPort', 'port', 'mountPath', 'key'].find((candidate) =>
    [before, after].every((list) => hasUnique(list, candidate)),
  );
  if (key === undefined) {
    for (let i = 0; i < Math.max(before.length, after.length); i += 1)
      walk(before[i], after[i], [...segments, i], lines);
    return;
  }
  const value = (entry: unknown): string => String((entry as Record<string, unknown>)[key]);
  const lineCount = lines.length;
  for (const name of new Set([...before.map(value), ...after.map(value)])) {
    const old = before.find((entry) => value(entry) === name);
    const now = after.find((entry) => value(entry) === name);
    const element = isMap(old ?? now) ? ((old ?? now) as Record<string, unknown>)[key] : name;
    walk(old, now, [...segments, { key, value: element }], lines);
  }
  // Same elements in another order: still a change that has to be written.
  if (lines.length === lineCount)
    lines.push({
      path: pathText(segments),
      segments,
      change: 'change',
      before: 'order',
      after: 'other order',
    });
}

const hasUnique = (list: readonly unknown[], key: string): boolean => {
  const values = list.map((entry) => (isMap(entry) ? entry[key] : undefined));
  return values.every((value) => value !== undefined) && new Set(values).size === values.length;
};

/** `spec.template.spec.containers[web].image` */
export const pathText = (segments: Segments): string =>
  segments.reduce<string>((path, segment) => {
    if (typeof segment === 'number') return `${path}[${segment}]`;
    if (typeof segment === 'object') return `${path}[${String(segment.value)}]`;
    if (!/^[A-Za-z_][\w-]*$/.test(segment)) return `${path}["${segment}"]`;
    return path === '' ? segment : `${path}.${segment}`;
  }, '');

function text(value: unknown): string {
  const json = canonicalJson(value);
  return json.length > MAX_TEXT ? `${json.slice(0, MAX_TEXT)}…` : json;
}

/** Shows that a secret's value changes, never the value. */
function mask(line: DiffLine, object: KubernetesObject): DiffLine {
  if (object.kind !== 'Secret' || !/^(data|stringData)\b/.test(line.path)) return line;
  return {
    path: line.path,
    segments: line.segments,
    change: line.change,
    ...(line.before !== undefined && { before: '***' }),
    ...(line.after !== undefined && { after: '***' }),
  };
}
