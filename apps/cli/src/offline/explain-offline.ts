import type { Command } from 'commander';
import { explain, nearest } from '#config';
import { toIso } from '#kernel';
import { printExplained } from '../commands/explained-items.js';
import { formatOf } from '../commands/session.js';
import { CommandError, EXIT } from '../exit-codes.js';
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
  const items = explain(scope.inputFor(workingTree(options), one), key, scope.renderOptions);
  if (key !== undefined && items.length === 0) {
    const all = explain(scope.inputFor(workingTree(options), one), undefined, scope.renderOptions);
    const near = nearest(
      key,
      all.map((item) => item.key),
    );
    throw new CommandError(
      `${one.cluster.alias} has no config item ${key}`,
      EXIT.error,
      near === undefined ? 'Without a key, all items are listed.' : `Did you mean ${near}?`,
    );
  }
  const shown = items.map(({ layers, ...item }) => ({
    ...item,
    layers: layers.map(({ expiresAt, ...layer }) => ({
      ...layer,
      ...(expiresAt !== undefined && { expires_at: toIso(expiresAt) }),
    })),
  }));
  printExplained(formatOf(command), key, shown);
}
