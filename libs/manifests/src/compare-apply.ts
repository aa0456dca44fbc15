import { canonicalJson, digestOfValue, type Digest } from '#kernel';
import type { KubernetesObject, PathSegment } from '#fleet';
import type { ApplyComparison, DiffLine } from './types.js';

/** Written by the server on every write, or by controllers: no part of what Git says. */
const SERVER_METADATA = [
  'managedFields',
  'resourceVersion',
  'generation',
  'uid',
  'creationTimestamp',
  'selfLink',
];
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

function reduced(object: KubernetesObject, ignore: readonly string[]): unknown {
  const copy = structuredClone(object) as Record<string, unknown> & { metadata: Record<string, unknown> };
  delete copy['status'];
  for (const key of SERVER_METADATA) delete copy.metadata[key];
  const annotations = copy.metadata['annotations'] as Record<string, unknown> | undefined;
  if (annotations) delete annotations[LAST_APPLIED];
  for (const pointer of ignore) removeAt(copy, pointerParts(pointer));
  for (const key of ['annotations', 'labels']) {
    const map = copy.metadata[key];
    if (map !== undefined && map !== null && Object.keys(map).length === 0) delete copy.metadata[key];
  }
  return copy;
}

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
  if (canonicalJson(before) === canonicalJson(after)) return;
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
