import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { ConfigProblem } from '#fleet';
import { problem } from '../problems.js';
import type { ProblemPlace } from '../problems.js';
import type { RenderedFile } from '../render/file-renderer.js';
import { duplicateKeys, yamlExcess } from '../yaml/bounds.js';
import type { Layer, LayerValue } from './config-layers.js';

const REFUSED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * The rendered `config-defaults.yaml`: a flat map of scalars kept as written, so that `010` stays `010` and `yes` stays
 * `yes`. A null is the empty string. Of a key that is there twice the last one counts, as in CLM,
 * unless `duplicates` says that it is an error.
 */
export function readDefaults(
  rendered: RenderedFile,
  duplicates: 'error' | 'warning' = 'warning',
): {
  readonly layer: Layer;
  readonly problems: readonly ConfigProblem[];
} {
  const { file, map, text } = rendered;
  const values = new Map<string, LayerValue>();
  const layer: Layer = { name: 'config-defaults', values };
  const excess = yamlExcess(text);
  if (excess) {
    const line = map.sourceLine(text.slice(0, excess.at).split('\n').length);
    return { layer, problems: [problem(excess.code, excess.message, { file, line }, excess.hint)] };
  }
  const { contents, lineAt, problems } = parsed(rendered, duplicates);
  const broken = problems.some(({ severity }) => severity === 'error');
  if (broken || contents === null || (isScalar(contents) && contents.value === null))
    return { layer, problems };
  if (!isMap(contents)) {
    const notFlat = problem('defaults-not-flat', 'the file must be a map of config items', { file, line: 1 });
    return { layer, problems: [notFlat] };
  }
  for (const { key, value } of contents.items) {
    const name = isScalar(key) ? String(key.value) : '';
    const line = lineAt((isScalar(key) ? key.range?.[0] : undefined) ?? 0);
    const fault = memberFault(name, value, { file, line });
    if (fault) problems.push(fault);
    else values.set(name, { layer: 'config-defaults', value: scalarText(value), file, line });
  }
  return { layer, problems };
}

interface Parsed {
  readonly contents: Document.Parsed['contents'];
  /** Line of the template at which a character of the rendered text was written. */
  readonly lineAt: (offset: number) => number;
  readonly problems: ConfigProblem[];
}

function parsed({ file, map, text }: RenderedFile, duplicates: 'error' | 'warning'): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const lineAt = (offset: number): number => map.sourceLine(lines.linePos(offset).line);
  const problems = [
    ...document.errors.map(({ message, pos }) =>
      problem('invalid-yaml', message, { file, line: lineAt(pos[0]) }),
    ),
    ...duplicateKeys(document).map(({ message, at, hint }) =>
      problem('invalid-yaml', message, { file, line: lineAt(at) }, hint, duplicates),
    ),
  ];
  return { contents: document.contents, lineAt, problems };
}

function memberFault(name: string, value: unknown, place: ProblemPlace): ConfigProblem | undefined {
  if (REFUSED.has(name)) {
    return problem('refused-key', `the config item key ${name} is refused`, place, 'Use another name.');
  }
  if (value === null || isScalar(value)) return undefined;
  const at = { ...place, field: name };
  return problem(
    'defaults-not-flat',
    `the default of ${name} is not a single value`,
    at,
    'Quote it, or use a block text (|).',
  );
}

function scalarText(value: unknown): string {
  if (!isScalar(value) || value.value === null) return '';
  return typeof value.value === 'string' ? value.value : (value.source ?? String(value.value));
}
