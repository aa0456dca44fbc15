import { ApiError } from '../api-error.js';
import { clone, isJsonObject, objectAt, type JsonObject, type KubeObject } from '../object.js';
import type { Schema } from '../schema/schema.js';
import { conflictPaths, type Applied, type Writer } from './managed-fields.js';
import { compare, toFieldSet } from './typed-value.js';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const KUBECTL = 'kubectl';

/**
 * `kubectl apply --server-side` on an object that `kubectl apply` made: what the last-applied annotation lists, and nobody
 * changed since, counts as kubectl's own and is taken over without force; the annotation is kept current.
 * Source: apimachinery managedfields, lastappliedmanager and lastappliedupdater.
 */
export function applyAsKubectl(
  live: KubeObject,
  config: JsonObject,
  schema: Schema,
  writer: Writer,
  apply: (live: KubeObject, force: boolean) => Applied,
): Applied {
  const last = live.metadata.annotations?.[LAST_APPLIED];
  if (writer.manager !== KUBECTL || last === undefined || writer.subresource) return apply(live, false);
  return withAnnotation(applyLeniently(live, last, schema, apply), config);
}

function applyLeniently(
  live: KubeObject,
  last: string,
  schema: Schema,
  apply: (live: KubeObject, force: boolean) => Applied,
): Applied {
  try {
    return apply(live, false);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const allowed = new Set(ownPaths(live, last, schema));
    const disputed = conflictPaths(error);
    if (disputed.length === 0 || !disputed.every((path) => allowed.has(path))) throw error;
    return apply(live, true);
  }
}

function ownPaths(live: KubeObject, last: string, schema: Schema): readonly string[] {
  let applied: unknown;
  try {
    applied = JSON.parse(last);
  } catch {
    return [];
  }
  if (!isJsonObject(applied)) return [];
  const { added, modified, removed } = compare(applied, live, schema);
  return toFieldSet(applied, schema).difference(added).difference(modified).difference(removed).paths();
}

function withAnnotation(applied: Applied, config: JsonObject): Applied {
  const object = clone(applied.object);
  const annotations = objectAt(object, 'metadata', 'annotations');
  if (annotations[LAST_APPLIED] === undefined) return applied;
  const written = clone(config);
  delete objectAt(written, 'metadata', 'annotations')[LAST_APPLIED];
  const text = `${JSON.stringify(written)}\n`;
  if (sameText(String(annotations[LAST_APPLIED]), text)) return applied;
  annotations[LAST_APPLIED] = text;
  return { ...applied, object, unchanged: false };
}

/** Key order and the empty annotations that kubectl writes do not count. */
function sameText(a: string, b: string): boolean {
  const sorted = (value: unknown): unknown =>
    isJsonObject(value)
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([, member]) => !(isJsonObject(member) && Object.keys(member).length === 0))
            .sort(([x], [y]) => (x < y ? -1 : 1))
            .map(([key, member]) => [key, sorted(member)]),
        )
      : Array.isArray(value)
        ? value.map(sorted)
        : value;
  try {
    return JSON.stringify(sorted(JSON.parse(a))) === JSON.stringify(sorted(JSON.parse(b)));
  } catch {
    return false;
  }
}
