import { print, table, type Format } from '../output.js';

/** A config item with every layer's word on it, as files and the server tell it. */
export interface ExplainedAnswer {
  readonly key: string;
  readonly value: string;
  readonly layers: readonly LayerAnswer[];
}

interface LayerAnswer {
  readonly layer: string;
  readonly value: string;
  readonly file?: string;
  readonly line?: number;
  readonly reason?: string;
  readonly expires_at?: string;
}

export function printExplained(
  format: Format,
  key: string | undefined,
  items: readonly ExplainedAnswer[],
): void {
  print(format, items, () => (key === undefined ? itemTable(items) : items.map(itemText).join('\n')));
}

const itemTable = (items: readonly ExplainedAnswer[]): string =>
  table(
    ['KEY', 'VALUE', 'LAYER', 'WHERE'],
    items.map(({ key, value, layers }) => [
      key,
      oneLine(value),
      layers.at(-1)?.layer ?? '-',
      placeOf(layers.at(-1)),
    ]),
  );

const itemText = ({ key, value, layers }: ExplainedAnswer): string =>
  [
    `${key}: ${oneLine(value)}`,
    table(
      ['LAYER', 'VALUE', 'WHERE'],
      layers.map((layer) => [layer.layer, oneLine(layer.value), placeOf(layer)]),
    ),
  ].join('\n');

function placeOf(layer: LayerAnswer | undefined): string {
  if (layer?.file !== undefined) return `${layer.file}${layer.line === undefined ? '' : `:${layer.line}`}`;
  const until = layer?.expires_at === undefined ? '' : ` (until ${layer.expires_at})`;
  return `${layer?.reason ?? ''}${until}`;
}

const LONGEST = 60;
const oneLine = (value: string): string => {
  const text = value === '' ? '""' : value.replaceAll('\n', '\\n');
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
};
