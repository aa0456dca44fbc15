import type { ConfigTree, LockedInputs } from '#fleet';
import { readDirectoryTree } from '#adapters/git';
import { LimitError, type RenderOptions, type ValidatedCluster } from '#config';
import { CommandError, EXIT } from '../exit-codes.js';
import { type OfflineCluster, readClusters } from './cluster-records.js';
import type { OfflineOptions } from './offline-options.js';
import { placeholderLock, readLock } from './inputs-lock.js';

/** What is rendered for: clusters of files, and the facts of AWS that go with them. */
export class OfflineScope {
  private constructor(
    readonly clusters: readonly OfflineCluster[],
    private readonly all: readonly OfflineCluster[],
    private readonly lock: LockedInputs | undefined,
    readonly renderOptions: RenderOptions,
  ) {}

  static read(options: OfflineOptions, files: readonly string[] = options.cluster ?? []): OfflineScope {
    if (files.length === 0)
      throw new CommandError('no cluster is given', EXIT.usage, 'Add --cluster record.json.');
    const all = readClusters(files, options.account);
    const chosen = all.filter(
      ({ cluster }) => options.channel === undefined || cluster.channel === options.channel,
    );
    if (chosen.length === 0)
      throw new CommandError(`no cluster of these records is in channel ${options.channel}`);
    const lock = options.inputs === undefined ? undefined : readLock(options.inputs);
    if (!lock) {
      process.stderr.write('fairway: no --inputs: images, subnets and instance types are made up\n');
    }
    return new OfflineScope(chosen, all, lock, {
      kubernetesVersion: options.kubernetesVersion,
      filesBucket: options.filesBucket,
      duplicateKeys: options.duplicateKeys,
      newCheckpoint: () => deadline(options.timeLimit),
    });
  }

  /** Everything that renders one of the clusters from a tree. */
  inputFor(
    tree: ConfigTree,
    { cluster, account }: OfflineCluster,
  ): ValidatedCluster & { readonly tree: ConfigTree } {
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

/** CPU time, so that a machine that is busy with other things breaks nobody's build. */
function deadline(limit: number | undefined): () => void {
  const started = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(started);
    if (limit !== undefined && user + system > limit * 1e6)
      throw new LimitError(`rendering takes longer than ${limit} s (--time-limit)`);
  };
}

export const workingTree = (options: Pick<OfflineOptions, 'repo'>): ConfigTree =>
  readDirectoryTree(options.repo);
