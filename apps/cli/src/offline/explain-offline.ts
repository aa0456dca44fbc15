import type { Command } from 'commander';
import { explain, type ExplainedItem, type LayerValue } from '#config';
import { formatOf } from '../commands/session.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { print, table } from '../output.js';
import type { OfflineOptions } from './offline-options.js';
import { OfflineScope, workingTree } from './offline-scope.js';

export function explainOffline(
  file: string,
  key: string | undefined,
  options: OfflineOptions,
  command: Command,
): void {
  const scope = OfflineScope.read(options, [file]);
  const [one, ...more] = scope.clusters;
  if (!one || more.length > 0)
    throw new CommandError(
      `${file} holds ${scope.clusters.length} clusters`,
      EXIT.usage,
      'Name a file with one.',
    );
  const items = explain(scope.inputFor(workingTree(options), one), key);
  if (key !== undefined && items.length === 0) {
    throw new CommandError(
      `${one.cluster.alias} has no config item ${key}`,
      EXIT.error,
      'Without a key, all items are listed.',
    );
  }
  print(formatOf(command), items, () =>
    key === undefined ? itemTable(items) : items.map(itemText).join('\n'),
  );
}

const itemTable = (items: readonly ExplainedItem[]): string =>
  table(
    ['KEY', 'VALUE', 'LAYER', 'WHERE'],
    items.map(({ key, value, layers }) => [
      key,
      oneLine(value),
      layers.at(-1)?.layer ?? '-',
      placeOf(layers.at(-1)),
    ]),
  );

const itemText = ({ key, value, layers }: ExplainedItem): string =>
  [
    `${key}: ${oneLine(value)}`,
    table(
      ['LAYER', 'VALUE', 'WHERE'],
      layers.map((layer) => [layer.layer, oneLine(layer.value), placeOf(layer)]),
    ),
  ].join('\n');

const placeOf = (layer: LayerValue | undefined): string =>
  layer?.file === undefined
    ? (layer?.reason ?? '')
    : `${layer.file}${layer.line === undefined ? '' : `:${layer.line}`}`;

const LONGEST = 60;
const oneLine = (value: string): string => {
  const text = value === '' ? '""' : value.replaceAll('\n', '\\n');
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
};
