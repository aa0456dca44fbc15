import type { MetricSample } from '#ports';

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Samples with one of the names, from the text format. Source: prometheus.io, "Exposition formats". */
export function samplesOf(text: string, names: readonly string[]): readonly MetricSample[] {
  const wanted = new Set(names);
  const found: MetricSample[] = [];
  for (const line of text.split('\n')) {
    const end = line.search(/[{ ]/);
    if (line.startsWith('#') || end < 0 || !wanted.has(line.slice(0, end))) continue;
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line.trimEnd()) ?? [];
    if (name !== '') found.push({ name, labels: labelsOf(labels), value: Number(value) });
  }
  return found;
}

const labelsOf = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...text.matchAll(LABEL)].map(([, key = '', value = '']) => [
      key,
      value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
    ]),
  );
