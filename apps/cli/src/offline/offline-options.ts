import { type Command, InvalidArgumentError, Option } from 'commander';

export interface OfflineOptions {
  readonly offline?: boolean;
  readonly repo: string;
  readonly cluster?: readonly string[];
  readonly account: readonly string[];
  readonly channel?: string;
  readonly inputs?: string;
  readonly out?: string;
  readonly kubernetesVersion?: string;
  readonly filesBucket?: string;
  /** In seconds. */
  readonly timeLimit?: number;
  readonly duplicateKeys?: 'error' | 'warning';
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** kubernetes-on-aws takes less than one in a process that has just started. */
const DEFAULT_TIME_LIMIT = 5;

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number of seconds.');
  return value;
}

/** Options of everything that works without a server. */
export const withOfflineOptions = (command: Command): Command =>
  command
    .option('--offline', 'work on local files, without a server')
    .option('--repo <dir>', 'configuration repository', '.')
    .option(
      '--account <file>',
      'account record, for .Cluster.Owner and .Cluster.AccountName; repeatable',
      collect,
      [],
    )
    .option('--inputs <lock>', 'facts of AWS to render with (inputs lock); without it they are made up')
    .option('--kubernetes-version <version>', 'for removed APIs, where the configuration names none')
    .option('--files-bucket <bucket>', 'bucket of generated files; {account} and {region} are filled in')
    .option(
      '--time-limit <seconds>',
      'CPU time that one cluster may take to render',
      positive,
      DEFAULT_TIME_LIMIT,
    )
    .addOption(
      new Option('--duplicate-keys <how>', 'what a key that a YAML map has twice is').choices([
        'error',
        'warning',
      ]),
    );

/** Which clusters: the same everywhere but for `config explain`, which names one. */
export const withClusterOptions = (command: Command): Command =>
  command
    .option(
      '--cluster <file>',
      'cluster record, JSON or YAML (one, a list, or a registry answer); repeatable',
      collect,
    )
    .option('--channel <channel>', 'only the clusters of this channel');

export interface PlanOptions extends OfflineOptions {
  readonly from?: string;
  readonly to?: string;
  readonly against?: string;
}
