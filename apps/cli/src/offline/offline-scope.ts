import { type Command, Option } from 'commander';
import type { ConfigTree, LockedInputs } from '#fleet';
import { readDirectoryTree } from '#adapters/git';
import type { RenderOptions, ValidatedCluster } from '#config';
import { CommandError, EXIT } from '../exit-codes.js';
import { type OfflineCluster, readClusters } from './cluster-records.js';
import { placeholderLock, readLock } from './inputs-lock.js';

export interface OfflineOptions {
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
    .option('--account <file>', 'account record, for .Cluster.Owner and .Cluster.AccountName; repeatable', collect, [])
    .option('--inputs <lock>', 'facts of AWS to render with (inputs lock); without it they are made up')
    .option('--kubernetes-version <version>', 'for removed APIs, where the configuration names none')
    .option('--files-bucket <bucket>', 'bucket of generated files; {account} and {region} are filled in')
    .addOption(
      new Option('--duplicate-keys <how>', 'what a key that a YAML map has twice is').choices(['error', 'warning']),
    );

/** Which clusters: the same everywhere but for `config explain`, which names one. */
export const withClusterOptions = (command: Command): Command =>
  command
    .option('--cluster <file>', 'cluster record, JSON or YAML (one, a list, or a registry answer); repeatable', collect)
    .option('--channel <channel>', 'only the clusters of this channel');

/** What is rendered for: clusters of files, and the facts of AWS that go with them. */
export class OfflineScope {
  private constructor(
    readonly clusters: readonly OfflineCluster[],
    private readonly all: readonly OfflineCluster[],
    private readonly lock: LockedInputs | undefined,
    readonly renderOptions: RenderOptions,
  ) {}

  static read(options: OfflineOptions, files: readonly string[] = options.cluster ?? []): OfflineScope {
    if (files.length === 0) throw new CommandError('no cluster is given', EXIT.usage, 'Add --cluster record.json.');
    const all = readClusters(files, options.account);
    const chosen = all.filter(({ cluster }) => options.channel === undefined || cluster.channel === options.channel);
    if (chosen.length === 0) throw new CommandError(`no cluster of these records is in channel ${options.channel}`);
    const lock = options.inputs === undefined ? undefined : readLock(options.inputs);
    if (!lock) {
      process.stderr.write('fairway: no --inputs: images, subnets and instance types are made up\n');
    }
    return new OfflineScope(chosen, all, lock, {
      kubernetesVersion: options.kubernetesVersion,
      filesBucket: options.filesBucket,
      duplicateKeys: options.duplicateKeys,
    });
  }

  /** Everything that renders one of the clusters from a tree. */
  inputFor(tree: ConfigTree, { cluster, account }: OfflineCluster): ValidatedCluster & { readonly tree: ConfigTree } {
    const siblings = this.all
      .map((one) => one.cluster)
      .filter((one) => one.infrastructureAccount === cluster.infrastructureAccount)
      .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    return {
      tree,
      cluster,
      inputs: this.lock ?? placeholderLock(tree, cluster),
      accountClusters: siblings,
      ...(account && { account }),
    };
  }
}

export const workingTree = (options: Pick<OfflineOptions, 'repo'>): ConfigTree => readDirectoryTree(options.repo);
