import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import type { ConfigProblem } from '#fleet';
import { problem } from '../problems.js';
import type { RenderedFile } from '../render/file-renderer.js';
import type { Layer, LayerValue } from './config-layers.js';

const REFUSED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * The rendered `config-defaults.yaml`: a flat map of scalars kept as written, so that `010` stays `010` and `yes` stays
 * `yes`. A null is the empty string.
 */
export function readDefaults(rendered: RenderedFile): {
  readonly layer: Layer;
  readonly problems: readonly ConfigProblem[];
} {
  const { file, map } = rendered;
  const lines = new LineCounter();
  const document = parseDocument(rendered.text, {
    version: '1.2',
    uniqueKeys: true,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const lineAt = (offset: number): number => map.sourceLine(lines.linePos(offset).line);
  const values = new Map<string, LayerValue>();
  const problems: ConfigProblem[] = document.errors.map((fault) =>
    problem('invalid-yaml', fault.message, { file, line: lineAt(fault.pos[0]) }),
  );
  const { contents } = document;
  if (problems.length > 0 || contents === null) return { layer: { name: 'config-defaults', values }, problems };
  if (!isMap(contents)) {
    if (isScalar(contents) && contents.value === null) return { layer: { name: 'config-defaults', values }, problems };
    problems.push(problem('defaults-not-flat', 'the file must be a map of config items', { file, line: 1 }));
    return { layer: { name: 'config-defaults', values }, problems };
  }
  for (const { key, value } of contents.items) {
    const name = isScalar(key) ? String(key.value) : '';
    const line = lineAt((isScalar(key) ? key.range?.[0] : undefined) ?? 0);
    if (REFUSED.has(name)) {
      problems.push(problem('refused-key', `the config item key ${name} is refused`, { file, line }, 'Use another name.'));
    } else if (value !== null && !isScalar(value)) {
      problems.push(
        problem('defaults-not-flat', `the default of ${name} is not a single value`, { file, line, field: name }, 'Quote it, or use a block text (|).'),
      );
    } else {
      values.set(name, { layer: 'config-defaults', value: scalarText(value), file, line });
    }
  }
  return { layer: { name: 'config-defaults', values }, problems };
}

function scalarText(value: unknown): string {
  if (!isScalar(value) || value.value === null) return '';
  return typeof value.value === 'string' ? value.value : (value.source ?? String(value.value));
}
