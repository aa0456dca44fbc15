import type { Cluster, ConfigProblem } from '#fleet';
import { problem } from '../problems.js';
import type { ProblemPlace } from '../problems.js';

/** Where a value comes from, lowest first. `inputs` are facts looked up in AWS that templates read as config items. */
export type LayerName = 'schema' | 'config-defaults' | 'cluster-file' | 'registry' | 'override' | 'inputs';

/** One layer's word on one key. */
export interface LayerValue {
  readonly layer: LayerName;
  readonly value: string;
  readonly file?: string;
  readonly line?: number;
  readonly reason?: string;
  readonly expiresAt?: number;
}

/** A value that is in force, and everything that was said about its key, lowest layer first; the last one wins. */
export interface EffectiveItem {
  readonly value: string;
  /** Never shown: came encrypted, or the schema says so. */
  readonly sensitive: boolean;
  readonly layers: readonly LayerValue[];
}

export type EffectiveItems = ReadonlyMap<string, EffectiveItem>;

/** Set by people for a while, above everything else. */
export interface ConfigOverride {
  readonly key: string;
  readonly value: string;
  readonly reason: string;
  /** Milliseconds since 1970; whoever asks for a render leaves out what has expired. */
  readonly expiresAt?: number;
}

export interface Layer {
  readonly name: LayerName;
  /** Key → what the layer says; insertion order does not matter. */
  readonly values: ReadonlyMap<string, LayerValue>;
}

export const ENCRYPTED = 'aws:kms:';
const REFUSED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
/** A line that would begin or end a YAML document wherever the value is inserted. */
const DOCUMENT_BREAK = /(^|[\r\n])(---|\.\.\.)([ \t\r\n]|$)/;

/** Faults of one layer's keys and values. */
export function layerProblems(layer: Layer, place: ProblemPlace): readonly ConfigProblem[] {
  const found: ConfigProblem[] = [];
  for (const [key, said] of layer.values) {
    const at = { ...place, ...(said.line !== undefined && { line: said.line }), field: key };
    if (REFUSED.has(key)) {
      found.push(problem('refused-key', `the config item key ${key} is refused`, at, 'Use another name.'));
    }
    found.push(...breakProblems(`config item ${key}`, said.value, at));
  }
  return found;
}

/** A value must not begin or end a YAML document wherever it is inserted. The value itself is not repeated. */
export const breakProblems = (what: string, value: string, place: ProblemPlace): readonly ConfigProblem[] =>
  DOCUMENT_BREAK.test(value)
    ? [
        problem(
          'config-item-breaks-document',
          `the value of ${what} has a line that separates YAML documents (--- or ...)`,
          place,
          'A value must not begin a new document wherever it is inserted. Encode it (base64) or take the line out.',
        ),
      ]
    : [];

export const layerOf = (name: LayerName, items: Readonly<Record<string, string>>): Layer => ({
  name,
  values: new Map(Object.entries(items).map(([key, value]) => [key, { layer: name, value }])),
});

export const overrideLayer = (overrides: readonly ConfigOverride[]): Layer => ({
  name: 'override',
  values: new Map(
    overrides.map(({ key, value, reason, expiresAt }) => [
      key,
      { layer: 'override' as const, value, reason, ...(expiresAt !== undefined && { expiresAt }) },
    ]),
  ),
});

/** Lays layers over each other, lowest first. */
export function mergeLayers(layers: readonly Layer[], isSensitive: (key: string) => boolean): EffectiveItems {
  const merged = new Map<string, EffectiveItem>();
  for (const layer of layers) {
    for (const [key, said] of layer.values) {
      const before = merged.get(key);
      merged.set(key, {
        value: said.value,
        sensitive: (before?.sensitive ?? isSensitive(key)) || said.value.startsWith(ENCRYPTED),
        layers: [...(before?.layers ?? []), said],
      });
    }
  }
  return merged;
}

/** Where a record is, for problems of its values. */
export const recordPlace = (cluster: Cluster): ProblemPlace => ({ file: `registry/${cluster.id}` });
