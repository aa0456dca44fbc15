import { createWriteStream } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FailureError, seconds, systemClock, type Clock, type Duration } from '#kernel';
import type { EtcdPort, RestoreDrillPort, RestoredEtcd } from '#ports';
import { createEtcdAccess } from './etcd-access.js';
import { freePort, runToEnd, ScratchProcess, type Ending } from './scratch-process.js';
import { inScratchRoom } from './scratch-room.js';

interface RestoreDrillOptions {
  /** Directories with `etcd` and `etcdutl` or `etcdctl`; default: those of PATH. */
  readonly path?: string;
  /** Where scratch members live: needs twice the size of a snapshot [the system's temporary directory]. */
  readonly directory?: string;
  /** Until the scratch member must serve. */
  readonly startTimeout?: Duration;
  readonly clock?: Clock;
}

interface Tools {
  readonly etcd: string;
  /** `etcdutl` from 3.5 on, `etcdctl` before. */
  readonly restorer: string;
}

const NAME = 'scratch';

/** Restores snapshots with etcd's own tools into a member of one, on loopback. */
export function createRestoreDrill(options: RestoreDrillOptions = {}): RestoreDrillPort {
  const path = options.path ?? process.env['PATH'] ?? '';
  return {
    unavailable: async () => {
      const tools = await findTools(path);
      return typeof tools === 'string' ? tools : undefined;
    },
    restore: async (snapshot) => {
      const tools = await findTools(path);
      if (typeof tools === 'string') throw drillFailed(tools);
      const restore = async (directory: string): Promise<RestoredEtcd> => {
        const file = join(directory, 'snapshot.db');
        await pipeline(snapshot, createWriteStream(file, { mode: 0o600 }));
        return restoreFile(tools, directory, file, options);
      };
      return inScratchRoom(options.directory ?? tmpdir(), restore).catch(ofThisMachine);
    },
  };
}

/** A full disk here says nothing about the snapshot. */
function ofThisMachine(thrown: unknown): never {
  if (thrown instanceof FailureError) throw thrown;
  throw drillFailed(thrown instanceof Error ? thrown.message : String(thrown), thrown);
}

async function restoreFile(
  tools: Tools,
  directory: string,
  file: string,
  options: RestoreDrillOptions,
): Promise<RestoredEtcd> {
  const [clientPort, peerPort] = [await freePort(), await freePort()];
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const clientUrl = `http://127.0.0.1:${clientPort}`;
  const data = join(directory, 'data');
  const cluster = ['--name', NAME, '--initial-cluster', `${NAME}=${peerUrl}`];
  const restored = await runToEnd(tools.restorer, [
    ...['snapshot', 'restore', file, '--data-dir', data],
    ...[...cluster, '--initial-advertise-peer-urls', peerUrl],
  ]);
  if (!restored.well) throw blame(restored, 'etcd refuses the snapshot');
  const member = new ScratchProcess(tools.etcd, [
    ...['--data-dir', data, ...cluster],
    ...['--initial-advertise-peer-urls', peerUrl, '--listen-peer-urls', peerUrl],
    ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
    // The scratch member must not refuse what the source could hold.
    ...['--quota-backend-bytes', String(8 * 1024 ** 3)],
  ]);
  const connections = createEtcdAccess({ credentialsDirectory: directory });
  try {
    const etcd = await connections.connect({ clusterId: NAME, endpoints: [clientUrl] });
    await serving(etcd, clientUrl, member, options);
    return await facts(etcd, clientUrl);
  } finally {
    connections.close();
    await member.stop();
  }
}

async function facts(etcd: EtcdPort, endpoint: string): Promise<RestoredEtcd> {
  const [count, hash, status] = await Promise.all([
    etcd.countKeys({ endpoint }),
    etcd.hashKv(endpoint),
    etcd.status(endpoint),
  ]);
  return {
    revision: count.revision,
    keys: count.keys,
    hash: hash.hash,
    compactRevision: hash.compactRevision,
    version: status.version,
  };
}

async function serving(
  etcd: EtcdPort,
  endpoint: string,
  member: ScratchProcess,
  { startTimeout = seconds(60), clock = systemClock }: RestoreDrillOptions,
): Promise<void> {
  const deadline = clock.now() + startTimeout;
  while (!(await etcd.health(endpoint)).healthy) {
    if (member.end) throw blame(member.end, 'a member that was restored from the snapshot ended');
    if (clock.now() > deadline) throw drillFailed(`the scratch member does not serve: ${member.lastWords}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function findTools(path: string): Promise<Tools | string> {
  const find = async (name: string): Promise<string | undefined> => {
    for (const directory of path.split(delimiter).filter((part) => part !== '')) {
      const file = join(directory, name);
      if (
        await access(file, constants.X_OK).then(
          () => true,
          () => false,
        )
      )
        return file;
    }
    return undefined;
  };
  const etcd = await find('etcd');
  const restorer = (await find('etcdutl')) ?? (await find('etcdctl'));
  if (etcd !== undefined && restorer !== undefined) return { etcd, restorer };
  const missing = [
    etcd === undefined ? 'etcd' : [],
    restorer === undefined ? 'etcdutl (or etcdctl)' : [],
  ].flat();
  return `${missing.join(' and ')} not found on this worker`;
}

/** Only what the machine is not to blame for speaks against the snapshot. */
const blame = ({ byMachine, words }: Ending, what: string): FailureError =>
  byMachine ? drillFailed(`${what}: ${words}`) : snapshotDamaged(`${what}: ${words}`);

const snapshotDamaged = (message: string): FailureError =>
  new FailureError({
    class: 'terminal',
    code: 'snapshot-damaged',
    message,
    hint: 'The stored file is not what was sent. Use another backup, and make a new one now.',
  });

const drillFailed = (why: string, cause?: unknown): FailureError =>
  new FailureError({ class: 'transient', code: 'drill-failed', message: `restore drill: ${why}` }, { cause });
