import { FailureError } from '#kernel';
import type { EtcdKeyCount, EtcdPort, EtcdStatus, RestoredEtcd } from '#ports';
import { machinesOf, seedEndpoints } from '../etcd/etcd-machines.js';
import type { BackupFrame } from './backup-ports.js';

/** A member of the cluster's etcd that gives a snapshot. */
export interface EtcdSource {
  readonly endpoint: string;
  readonly before: EtcdKeyCount;
  readonly body: AsyncIterable<Uint8Array>;
  readonly etcd: EtcdPort;
}

export async function openEtcd(frame: BackupFrame): Promise<EtcdPort> {
  const { ports, cluster, policy } = frame;
  if (!ports.etcd)
    throw new FailureError({
      class: 'invalid',
      code: 'etcd-unsupported',
      message: 'this worker has no access to etcd',
    });
  const { serverName } = policy.etcd;
  return ports.etcd.connect({
    clusterId: cluster.id,
    endpoints: await endpointsOf(frame),
    ...(serverName !== undefined && { serverName }),
  });
}

/** As the etcd step finds them: fixed addresses, or a pattern that is filled in for each machine of the etcd stack. */
async function endpointsOf({ ports, account, cluster, policy }: BackupFrame): Promise<readonly string[]> {
  const settings = { ...policy.etcd, peerUrl: '', replace: [] };
  if (!settings.endpoints.some((endpoint) => endpoint.includes('{'))) return settings.endpoints;
  const aws = await ports.aws.connect(account.externalId, cluster.region);
  const stacks = (await aws.listClusterStacks(cluster.id)).filter((name) => name.startsWith('etcd'));
  const groups = (await Promise.all(stacks.map((name) => aws.describeStackGroups(name)))).flat();
  return seedEndpoints(settings, machinesOf(groups, settings));
}

/** Asks the member that disturbs least: a follower. It has caught up with the leader before it is asked. */
export async function openSnapshot(etcd: EtcdPort): Promise<EtcdSource> {
  // Before anything that needs a quorum, so that its loss is told as what it is.
  const members = await candidates(etcd);
  const corrupt = (await etcd.alarms()).filter(({ kind }) => kind === 'CORRUPT');
  if (corrupt.length > 0) {
    throw new FailureError({
      class: 'blocked',
      code: 'etcd-corrupt',
      message: `etcd has raised the alarm CORRUPT (${corrupt.map(({ memberId }) => memberId).join(', ')}): a snapshot of it is no backup`,
      hint: 'Find the damaged member (fairway doctor), replace it, disarm the alarm.',
    });
  }
  let refused: unknown;
  for (const { endpoint } of members) {
    const before = await etcd.countKeys({ endpoint, linearizable: true }).catch((thrown: unknown) => {
      refused = thrown;
    });
    if (!before) continue;
    const { chunks } = await etcd.snapshot({ endpoint });
    return { endpoint, before, body: chunks, etcd };
  }
  throw refused;
}

/** Never empty, best first. */
async function candidates(etcd: EtcdPort): Promise<readonly EtcdStatus[]> {
  const asked = await Promise.allSettled(etcd.endpoints.map((endpoint) => etcd.status(endpoint)));
  const answers = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const voters = answers.filter(({ learner, leaderId }) => !learner && leaderId !== undefined);
  if (voters.length > 0) return voters.sort((a, b) => rank(a) - rank(b) || compare(b.revision, a.revision));
  const refused = asked.find((one) => one.status === 'rejected');
  if (answers.length === 0 && refused) throw refused.reason;
  throw new FailureError({
    class: 'transient',
    code: 'etcd-no-leader',
    message: `none of ${etcd.endpoints.length} etcd endpoints is a member with a leader (${answers.length} answer)`,
    hint: 'Without a quorum a member that is left can still give a snapshot by hand: docs/runbooks/restore-cluster.md.',
  });
}

/** Members that complain last, the leader after the followers. */
const rank = ({ errors, leaderId, memberId }: EtcdStatus): number =>
  (errors.length > 0 ? 2 : 0) + (leaderId === memberId ? 1 : 0);

/** Decimal numbers of up to 64 bits. */
const compare = (a: string, b: string): number => {
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

/**
 * Holds a restored snapshot against its source. The revision must lie between what the source had before and after, and
 * at that revision, unless it was compacted meanwhile, the source must have had the same number of keys. Where the server
 * tells the hash over all keys (the gateway of 3.4 only has the whole file's), that must be the same as well.
 */
export async function agrees(source: EtcdSource, restored: RestoredEtcd): Promise<void> {
  const { etcd, endpoint, before } = source;
  const after = await etcd.countKeys({ endpoint });
  const { revision, keys } = restored;
  if (compare(revision, before.revision) < 0 || compare(revision, after.revision) > 0)
    throw disagrees(`revision ${revision}, etcd had ${before.revision} before and ${after.revision} after`);
  const then = await etcd.countKeys({ endpoint, revision }).catch(() => undefined);
  if (then && then.keys !== keys)
    throw disagrees(`${keys} keys, etcd had ${then.keys} at the same revision ${revision}`);
  const hash = await etcd.hashKv(endpoint, revision).catch(() => undefined);
  const comparable =
    hash && hash.compactRevision !== '0' && hash.compactRevision === restored.compactRevision;
  if (comparable && hash.hash !== restored.hash)
    throw disagrees(
      `another content than etcd at revision ${revision} (hash ${restored.hash}, not ${hash.hash})`,
    );
}

const disagrees = (what: string): FailureError =>
  new FailureError({
    class: 'terminal',
    code: 'backup-disagrees',
    message: `the restored snapshot has ${what}`,
    hint: 'Compare the members (etcdctl endpoint hashkv); one of them may be damaged.',
  });
