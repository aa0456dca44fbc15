import { createHmac } from 'node:crypto';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { simpleGit } from 'simple-git';
import { ConfigClone } from '../../../apps/sandbox/src/demo/config-clone.js';
import { FleetClient } from '../../../apps/sandbox/src/fleet-client.js';
import { ACCOUNTS, accountRecords, clusterRecords } from '../../../apps/sandbox/src/fleet-records.js';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';
import { eventually } from '../../support/eventually.js';

const CONFIG = fileURLToPath(new URL('../../fixtures/config-repo', import.meta.url));
const POLICY = fileURLToPath(new URL('../../../apps/sandbox/policy/fairway.yaml', import.meta.url));
const run = promisify(execFile);

interface Row {
  readonly alias: string;
  readonly phase: string;
  readonly current_version?: string;
}

/** The sandbox with the first `clusters` of the demo's fleet in it, and a clone to push from. */
export class SandboxBed {
  private constructor(
    readonly sandbox: Sandbox,
    readonly client: FleetClient,
    readonly clone: ConfigClone,
    private readonly cloneDir: string,
  ) {}

  static async start(options: { readonly worker: boolean; readonly speed: number }): Promise<SandboxBed> {
    const sandbox = await startSandbox({
      ...options,
      seed: 1,
      logLevel: 'error',
      configDir: CONFIG,
      policyFile: POLICY,
      accounts: ACCOUNTS,
    });
    try {
      const dir = join(sandbox.stateDir, 'clone');
      const clone = await ConfigClone.of(sandbox.repositoryUrl, dir, 'dev');
      return new SandboxBed(sandbox, new FleetClient(sandbox.apiUrl, sandbox.token), clone, dir);
    } catch (error) {
      await sandbox.close();
      throw error;
    }
  }

  /** `sizes` by pool: other sizes than the demo's. */
  async register(
    clusters: number,
    sizes: Readonly<Record<string, { readonly min_size: number; readonly max_size: number }>> = {},
  ): Promise<void> {
    for (const account of accountRecords()) await this.client.post('/infrastructure-accounts', account);
    const records = clusterRecords((id) => this.sandbox.endpoints.serverOf(id)).slice(0, clusters);
    for (const record of records) {
      const pools = record.node_pools.map((pool) => ({ ...pool, ...sizes[pool.name] }));
      await this.client.post('/kubernetes-clusters', { ...record, node_pools: pools });
    }
    await this.allReady(undefined, 180_000);
  }

  async allReady(commit?: string, limitMs = 120_000): Promise<void> {
    await eventually(
      async () => {
        const { items } = await this.client.get<{ items: Row[] }>('/api/v1/clusters');
        const done = items.every(
          (row) => row.phase === 'ready' && (commit === undefined || row.current_version === commit),
        );
        if (items.length > 0 && done) return true;
        await new Promise((wake) => setTimeout(wake, 100));
        return false;
      },
      'a fleet that is ready',
      limitMs,
    );
  }

  /** A commit into the server's repository behind its back: the host tells nobody. Returns the commit. */
  async pushSilently(message: string): Promise<string> {
    const bare = join(this.sandbox.stateDir, 'git', 'config.git');
    const git = simpleGit({ baseDir: this.cloneDir });
    await git.add('.');
    await git.commit(message);
    const commit = (await git.revparse(['HEAD'])).trim();
    await run('git', ['-C', this.cloneDir, 'push', '-q', bare, 'HEAD:refs/heads/dev']);
    return commit;
  }

  /** What a Git host sends, signed. */
  async webhook(): Promise<void> {
    const body = JSON.stringify({ ref: 'refs/heads/dev' });
    const secret = this.sandbox.environment['FAIRWAY_GIT_WEBHOOK_SECRET'] as string;
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    const response = await fetch(new URL('/webhooks/git/generic', this.sandbox.apiUrl), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Fairway-Signature-256': `sha256=${signature}` },
      body,
    });
    if (response.status !== 202) throw new Error(`the webhook was answered ${response.status}`);
  }

  /** Calls back with the moment (`performance.now()`) of the next write or dry run that reaches AWS or the cluster. */
  firstAction(clusterId: string): { readonly at: Promise<number>; cancel(): void } {
    let stop = (): void => undefined;
    const at = new Promise<number>((resolve) => {
      const seen = (): void => resolve(performance.now());
      const stopAws = this.sandbox.estate.aws.calls.onCall((call) => call.mutating && seen());
      const stopCluster = this.sandbox.estate
        .cluster(clusterId)
        .wire.calls.subscribe((call) => call.user === 'fairway' && WRITES.has(call.verb) && seen());
      stop = () => {
        stopAws();
        stopCluster();
      };
    });
    return { at, cancel: () => stop() };
  }

  close(): Promise<void> {
    return this.sandbox.close();
  }
}

const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
