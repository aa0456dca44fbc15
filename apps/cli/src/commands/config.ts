import type { Command } from 'commander';
import { CommandError, EXIT } from '../exit-codes.js';
import { type OfflineOptions, withOfflineOptions } from '../offline/offline-options.js';
import { paint, print, table } from '../output.js';
import { printExplained, type ExplainedAnswer } from './explained-items.js';
import { client, formatOf } from './session.js';

interface OverrideAnswer {
  readonly key: string;
  readonly value: string;
  readonly reason: string;
  readonly created_by: string;
  readonly expires_at: string;
  /** Of an override that was just set. */
  readonly warning?: string;
}

interface SetOptions {
  readonly reason: string;
  readonly expiresIn: string;
  readonly valueFile?: string;
}

export function addConfig(program: Command): void {
  const config = program.command('config').description('config items and where they come from');
  withOfflineOptions(config.command('explain <cluster> [key]'))
    .description(
      'every config item, or one: its value, and what each layer says (--offline: of a record file)',
    )
    .action(async (name: string, key: string | undefined, options: OfflineOptions, command: Command) => {
      if (!options.offline) return explainOnline(name, key, command);
      const { explainOffline } = await import('../offline/explain-offline.js');
      explainOffline(name, key, options, command);
    });
  addOverride(config.command('override').description('config items set above everything else for a while'));
}

async function explainOnline(name: string, key: string | undefined, command: Command): Promise<void> {
  const path = pathOf(name, 'config');
  const items =
    key === undefined
      ? (await client().get<{ items: readonly ExplainedAnswer[] }>(path)).items
      : [await client().get<ExplainedAnswer>(`${path}/${encodeURIComponent(key)}`)];
  printExplained(formatOf(command), key, items);
}

function addOverride(override: Command): void {
  override
    .command('set <cluster> <key> [value]')
    .description('set a config item until it expires')
    .requiredOption('--reason <text>', 'why')
    .requiredOption('--expires-in <duration>', 'ends by itself, e.g. 4h')
    .option('--value-file <file>', 'read the value from a file (- is standard input)')
    .action(
      async (name: string, key: string, value: string | undefined, options: SetOptions, command: Command) => {
        const body = {
          key,
          value: await valueOf(value, options),
          reason: options.reason,
          expires_in: options.expiresIn,
        };
        const set = await client().post<OverrideAnswer>(pathOf(name, 'overrides'), body);
        if (set.warning !== undefined)
          process.stderr.write(`${paint('yellow', `warning: ${set.warning}`)}\n`);
        print(formatOf(command), set, () => `${key} of ${name} is overridden until ${set.expires_at}`);
      },
    );
  override
    .command('list <cluster>')
    .description('what is overridden, by whom, why and until when')
    .action(async (name: string, _options: object, command: Command) => {
      const { items } = await client().get<{ items: readonly OverrideAnswer[] }>(pathOf(name, 'overrides'));
      print(formatOf(command), items, () => overrideTable(items));
    });
  override
    .command('remove <cluster> <key>')
    .description('end an override now')
    .action(async (name: string, key: string) => {
      await client().delete(`${pathOf(name, 'overrides')}/${encodeURIComponent(key)}`);
      process.stdout.write(`${key} of ${name} is no longer overridden\n`);
    });
}

function overrideTable(items: readonly OverrideAnswer[]): string {
  if (items.length === 0) return 'nothing is overridden';
  const rows = items.map((one) => [one.key, one.value, one.created_by, one.expires_at, one.reason]);
  return table(['KEY', 'VALUE', 'BY', 'EXPIRES', 'REASON'], rows);
}

async function valueOf(value: string | undefined, { valueFile }: SetOptions): Promise<string> {
  if ((value === undefined) === (valueFile === undefined))
    throw new CommandError('give a value or --value-file', EXIT.usage);
  if (value !== undefined) return value;
  const { readText } = await import('../offline/read-file.js');
  return readText(valueFile as string);
}

const pathOf = (name: string, rest: string): string => `/api/v1/clusters/${encodeURIComponent(name)}/${rest}`;
