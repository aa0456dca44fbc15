import type { Command } from 'commander';
import { CommandError, EXIT } from '../exit-codes.js';
import { print, table } from '../output.js';
import type { DriftItem } from './manifest-answers.js';
import { client, formatOf } from './session.js';

interface WishOptions {
  readonly object: string;
  readonly path?: string;
  readonly reason: string;
}

interface ClusterState {
  readonly phase: string;
  readonly message: string;
}

const found = (items: readonly DriftItem[], { phase }: ClusterState): readonly string[] => {
  if (items.length > 0) return [rows(items)];
  return [phase === 'ready' ? 'nothing differs from Git' : 'nothing is known to differ from Git'];
};

/** The comparison is part of a pass that gets as far as the manifests. */
const notLookedAt = ({ phase, message }: ClusterState): readonly string[] =>
  phase === 'ready' ? [] : [`the cluster is ${phase} (${message}): it is compared anew when that is over`];

export function addDrift(program: Command): void {
  const drift = program.command('drift').description('fields of a cluster that are not what Git says');
  drift
    .command('list <cluster>')
    .description('each field with who wrote it and since when')
    .action(async (name: string, _options: object, command: Command) => {
      const { items } = await client().get<{ items: readonly DriftItem[] }>(pathOf(name, 'drift'));
      const cluster = await client().get<ClusterState>(`/api/v1/clusters/${encodeURIComponent(name)}`);
      print(formatOf(command), items, () => [...found(items, cluster), ...notLookedAt(cluster)].join('\n'));
      if (items.some(({ state }) => state !== 'accepted')) process.exitCode = EXIT.changesPending;
    });
  drift
    .command('look <cluster>')
    .description('compare the cluster with Git now instead of with the next resync; then drift list')
    .action(async (name: string) => {
      await client().post(pathOf(name, 'reconcile'), {});
      process.stdout.write(`asked to look at ${name}\n`);
    });
  const wishes = [
    ['accept', 'leave it, until Git says something else of the object'],
    ['correct', 'write what Git says'],
  ] as const;
  for (const [verb, description] of wishes) {
    drift
      .command(`${verb} <cluster>`)
      .description(description)
      .requiredOption('--object <object>', 'as drift list shows it, e.g. "apps/Deployment default/web"')
      .option('--path <path>', 'only this field')
      .requiredOption('--reason <text>', 'why')
      .action(async (name: string, options: WishOptions) => {
        if (options.reason.trim() === '') throw new CommandError('the reason is empty', EXIT.usage);
        await client().post(pathOf(name, `drift/${verb}`), options);
        process.stdout.write(`asked to ${verb} ${options.object} ${options.path ?? ''}`.trimEnd() + '\n');
      });
  }
}

const pathOf = (name: string, rest: string): string => `/api/v1/clusters/${encodeURIComponent(name)}/${rest}`;

const rows = (items: readonly DriftItem[]): string =>
  table(
    ['OBJECT', 'FIELD', 'LIVE', 'GIT', 'MANAGER', 'SINCE', 'STATE'],
    items.map((item) => [
      item.object,
      item.path === '' ? '(missing)' : item.path,
      cell(item.live),
      cell(item.git),
      item.manager ?? '-',
      item.managed_since ?? item.first_seen,
      item.state,
    ]),
  );

const cell = (text: string | undefined): string =>
  text === undefined ? '-' : text.length > 40 ? `${text.slice(0, 39)}…` : text;
