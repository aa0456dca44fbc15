import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { digestOfValue, minutes, randomIds, systemClock } from '#kernel';
import type { KubernetesObject, Revision } from '#fleet';
import { createGit, type ClosableGit } from '#adapters/git';
import { createPostgresStores, type PostgresStores } from '#adapters/postgres';
import { DEFAULT_ENGINE_SETTINGS, reconcileChannel, reconcileRepository, type EnginePorts } from '#engine';
import type { KubernetesPort, Lease } from '#ports';
import { frameJUnit } from '#promotion';
import { startGitServer, type GitServer, type PushedRef } from '#simulation';
import { freshDatabase, type TestDatabase } from '../../support/database.js';
import { account, cluster, status } from '../../support/records.js';

const run = promisify(execFile);
const CLEAN = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
};
const WHO = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];

/** What a finished run left in its cluster. */
export interface Remains {
  readonly exit: number;
  /** Of the container that prints the results. */
  readonly log: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly serverVersion?: string;
  readonly podReason?: string;
}

const cases = (some: readonly string[]): string =>
  frameJUnit('junit_01.xml', `<testsuites><testsuite name="e2e">${some.join('')}</testsuite></testsuites>`);
export const passing = cases([1, 2, 3, 4, 5].map((index) => `<testcase name="[sig-node] test ${index}"/>`));
export const junit = cases;

/** One worker: its own connections and its own mirror, as two processes have them. */
interface Worker {
  readonly stores: PostgresStores;
  readonly git: ClosableGit;
  readonly ports: EnginePorts;
}

/**
 * Two workers' reconcilers of repositories and channels on a real Postgres and real Git over HTTP. Clusters are records
 * that do what they are admitted to at once; their Jobs end as the test says. Time runs ahead of the machine's by `offset`.
 */
export class RealWorld {
  offset = 0;
  remains: Remains = { exit: 0, log: passing };
  readonly pushes: PushedRef[] = [];
  readonly jobs = new Map<string, KubernetesObject>();
  readonly deleted: string[] = [];
  private worktree = '';

  private constructor(
    readonly base: string,
    readonly server: GitServer,
    readonly url: string,
    readonly database: TestDatabase,
    readonly workers: readonly Worker[],
  ) {}

  static async start(policy: string, channels: readonly string[]): Promise<RealWorld> {
    const base = await mkdtemp(join(tmpdir(), 'fairway-real-'));
    const pushed: { world?: RealWorld } = {};
    const server = await startGitServer({
      root: join(base, 'served'),
      onPush: ({ refs }) => void pushed.world?.pushes.push(...refs),
    });
    const seed = join(base, 'seed');
    await mkdir(join(seed, 'cluster'), { recursive: true });
    await writeFile(join(seed, 'fairway.yaml'), policy);
    await writeFile(join(seed, 'cluster', 'app.yaml'), 'image: 1\n');
    const url = await server.createRepository('config', { dir: seed, branches: channels });
    const database = await freshDatabase();
    const workers: Worker[] = [];
    const world = new RealWorld(base, server, url, database, workers);
    pushed.world = world;
    for (const name of ['one', 'two']) workers.push(await world.hire(name));
    await world.populate(channels);
    return world;
  }

  now(): number {
    return systemClock.now() + this.offset;
  }

  private async hire(name: string): Promise<Worker> {
    const clock = { now: () => this.now() };
    const stores = await createPostgresStores({
      url: this.database.url,
      clock,
      notificationRoutes: [{ route: 'everything' }],
    });
    await stores.migrate();
    const git = createGit({ mirrorsDir: join(this.base, `mirrors-${name}`), fetchTimeout: minutes(1) });
    const ignore = (): void => undefined;
    const ahead = (lease: Lease | undefined) =>
      lease && { ...lease, expiresAt: lease.expiresAt + this.offset };
    const ports = {
      ...stores,
      // The database's clock is ahead as well.
      leases: {
        acquire: async (...args: Parameters<typeof stores.leases.acquire>) =>
          ahead(await stores.leases.acquire(...args)),
        renew: async (...args: Parameters<typeof stores.leases.renew>) =>
          ahead(await stores.leases.renew(...args)),
        release: (lease: Lease) => stores.leases.release(lease),
      },
      git,
      clock,
      ids: randomIds,
      log: { debug: ignore, info: ignore, warn: ignore, error: console.error },
      doorbell: { ring: async () => undefined },
      kubernetes: { connect: async () => this.kubernetes() },
    } as unknown as EnginePorts;
    return { stores, git, ports };
  }

  get stores(): PostgresStores {
    return (this.workers[0] as Worker).stores;
  }

  private async populate(channels: readonly string[]): Promise<void> {
    const { registry, channels: store } = this.stores;
    await store.syncChannels(
      channels.map((name, position) => ({
        name,
        branch: name,
        repository: this.url,
        position,
        ...(position > 0 && { from: channels[position - 1] as string }),
      })),
    );
    await registry.createAccount(account(), { actor: 'test' });
    for (const channel of channels)
      for (const index of [1, 2])
        await registry.createCluster(
          cluster(`${channel}-${index}`, { channel, lifecycleStatus: 'ready', nodePools: [] }),
          { actor: 'test' },
        );
    this.worktree = await mkdtemp(join(this.base, 'clone-'));
    await run('git', ['clone', '--quiet', '--branch', channels[0] as string, this.url, this.worktree], {
      env: CLEAN,
    });
  }

  async person(...args: string[]): Promise<string> {
    return (await run('git', [...WHO, ...args], { cwd: this.worktree, env: CLEAN })).stdout.trim();
  }

  /** A person commits files on a branch and pushes. */
  async push(branch: string, files: Readonly<Record<string, string>>, ...flags: string[]): Promise<string> {
    await this.person('fetch', '--quiet', 'origin');
    await this.person('checkout', '--quiet', '-B', branch, `origin/${branch}`);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.worktree, path)), { recursive: true });
      await writeFile(join(this.worktree, path), text);
    }
    await this.person('add', '--all');
    await this.person('commit', '--quiet', '--allow-empty', '-m', `change ${branch}`);
    await this.person('push', '--quiet', ...flags, 'origin', `HEAD:refs/heads/${branch}`);
    return this.person('rev-parse', 'HEAD');
  }

  fetch(worker = 0): Promise<string> {
    return reconcileRepository((this.workers[worker] as Worker).ports, DEFAULT_ENGINE_SETTINGS, this.url);
  }

  async pass(name: string, worker = 0): Promise<void> {
    await reconcileChannel((this.workers[worker] as Worker).ports, DEFAULT_ENGINE_SETTINGS, name);
  }

  /** Everybody looks once, and every cluster is where it was admitted to. */
  async round(...names: readonly string[]): Promise<void> {
    await this.fetch();
    for (const name of names) await this.pass(name);
    for (const name of names) await this.settle(name);
    for (const name of names) await this.pass(name);
  }

  private async settle(channel: string): Promise<void> {
    const { updates, leases, channels } = this.stores;
    for (const { id, admittedRevisionId, settledTree } of await updates.channelStandings(channel)) {
      const revision =
        admittedRevisionId === undefined ? undefined : await channels.getRevision(admittedRevisionId);
      if (!revision || settledTree === revision.treeDigest) continue;
      const lease = await leases.acquire(`cluster/${id}`, minutes(5));
      if (!lease) throw new Error('no lease');
      await updates.commitPass(lease, {
        status: status(id, {
          currentVersion: revision.commit,
          desiredDigest: desiredOf(id, revision),
          serverVersion: 'v1.36.0',
          since: this.now(),
          updatedAt: this.now(),
        }),
        doorbellSeen: 10_000,
        memory: { settled: this.settled(id, revision) },
        events: [],
      });
      await leases.release(lease);
    }
  }

  private settled(id: string, revision: Revision) {
    return {
      revisionId: revision.id,
      treeDigest: revision.treeDigest,
      recordDigest: 'r',
      desiredDigest: desiredOf(id, revision),
      verifiedAt: this.now(),
    };
  }

  async entry(channel: string) {
    const [entry] = await this.stores.channels.channelRevisions(channel, 1);
    return entry;
  }

  async head(channel: string): Promise<string | undefined> {
    return (await this.server.heads('config')).get(channel);
  }

  private kubernetes(): KubernetesPort {
    const name = (object: {
      readonly name?: string;
      readonly metadata?: { readonly name: string };
    }): string => object.metadata?.name ?? object.name ?? '';
    const port: Partial<KubernetesPort> = {
      // A look at a run that has begun sees what the server is afterwards.
      serverVersion: async () => (this.jobs.size > 0 ? this.remains.serverVersion : undefined) ?? 'v1.36.0',
      apply: async (object) => {
        if (object.kind === 'Job') this.jobs.set(name(object), object);
        return object;
      },
      get: async (ref) => {
        const job = this.jobs.get(ref.name);
        const conditions = [{ type: this.remains.exit === 0 ? 'Complete' : 'Failed', status: 'True' }];
        return job && ({ ...job, status: { conditions } } as unknown as KubernetesObject);
      },
      list: async (kind, options) => (kind.kind === 'Pod' ? [this.pod(options?.namespace ?? '')] : []),
      podLog: async ({ container }) =>
        container === 'conformance' ? 'Will run 5 of 9 specs\n•••••\npassword=hunter2\n' : this.remains.log,
      delete: async (ref) => {
        this.deleted.push(`${ref.kind} ${ref.name}`);
        return this.jobs.delete(ref.name);
      },
    };
    return port as KubernetesPort;
  }

  private pod(namespace: string): KubernetesObject {
    const { exit, env = [], podReason } = this.remains;
    const terminated = { exitCode: exit };
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${namespace}-pod`, namespace },
      spec: { containers: [{ name: 'conformance', env }] },
      status: {
        ...(podReason !== undefined && { reason: podReason }),
        containerStatuses: [{ name: 'conformance', state: { terminated } }],
      },
    } as unknown as KubernetesObject;
  }

  async close(): Promise<void> {
    for (const { git, stores } of this.workers) {
      await git.close();
      await stores.close();
    }
    await this.server.close();
    await this.database.drop();
    await rm(this.base, { recursive: true, force: true });
  }
}

export const desiredOf = (id: string, { treeDigest }: Pick<Revision, 'treeDigest'>): string =>
  digestOfValue([id, treeDigest]);
