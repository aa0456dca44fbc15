import type { Command } from 'commander';
import { CommandError, EXIT } from '../exit-codes.js';
import { print, table } from '../output.js';
import { client, formatOf } from './session.js';

interface InputsAnswer {
  readonly version: number;
  readonly reason: string;
  readonly created_at: string;
  readonly refresh_requested: boolean;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly observed: { readonly clusterStackOutputs?: Readonly<Record<string, string>> };
}

export function addInputs(program: Command): void {
  const inputs = program.command('inputs').description('facts of AWS that a cluster is rendered with');
  inputs
    .command('show <cluster>')
    .description('what is locked, and what is observed beside it; -o json fits render --inputs')
    .action(async (name: string, _options: object, command: Command) => {
      const answer = await client().get<InputsAnswer>(pathOf(name));
      // As a lock file: what render --offline needs to make what the worker makes.
      print(formatOf(command), { ...answer.inputs, ...answer.observed }, () => inputsText(answer));
    });
  inputs
    .command('refresh <cluster>')
    .description('look everything up anew; what differs is planned as any change')
    .requiredOption('--reason <text>', 'why')
    .action(async (name: string, { reason }: { reason: string }) => {
      if (reason.trim() === '') throw new CommandError('the reason is empty', EXIT.usage);
      await client().post(`${pathOf(name)}/refresh`, { reason });
      process.stdout.write(
        `asked to look up the inputs of ${name} anew; fairway events tells what differs\n`,
      );
    });
}

const pathOf = (name: string): string => `/api/v1/clusters/${encodeURIComponent(name)}/inputs`;

function inputsText({
  version,
  reason,
  created_at,
  refresh_requested,
  inputs,
  observed,
}: InputsAnswer): string {
  const { digest: _digest, ...locked } = inputs;
  const rows = [...flat('', locked), ...flat('observed.', observed)];
  const waits = refresh_requested ? ['a refresh is asked for'] : [];
  return [`version ${version} of ${created_at}: ${reason}`, ...waits, table(['INPUT', 'VALUE'], rows)].join(
    '\n',
  );
}

const flat = (prefix: string, values: object): readonly (readonly [string, string])[] =>
  Object.entries(values).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).map(([key, member]): [string, string] => [
          `${prefix}${name}.${key}`,
          text(member),
        ])
      : value === undefined
        ? []
        : [[`${prefix}${name}`, text(value)] as [string, string]],
  );

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
