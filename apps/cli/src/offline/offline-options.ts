import { type Command, Option } from 'commander';

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
  readonly duplicateKeys?: 'error' | 'warning';
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

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
