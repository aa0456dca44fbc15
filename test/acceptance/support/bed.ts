import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../../apps/sandbox/src/sandbox.js';
import { freshDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { ApiClient, type ClusterRow } from './api-client.js';
import { ConfigClone } from './config-clone.js';

export const REGION = 'eu-central-1';
export const ACCOUNTS = ['111111111111', '222222222222'] as const;

const CONFIG = fileURLToPath(new URL('../../fixtures/config-repo', import.meta.url));
const POLICY = fileURLToPath(new URL('../../../apps/sandbox/policy/fairway.yaml', import.meta.url));

export interface Bed {
  readonly sandbox: Sandbox;
  readonly databaseUrl: string;
  readonly api: ApiClient;
  clone(): Promise<ConfigClone>;
  /** Until the cluster says so; what it said last is in the error. */
  until(
    alias: string,
    what: string,
    holds: (row: ClusterRow) => boolean,
    limitMs?: number,
  ): Promise<ClusterRow>;
  ready(alias: string, commit?: string, limitMs?: number): Promise<ClusterRow>;
  close(): Promise<void>;
}

/** The whole service around a simulated estate, on a database of its own. */
export async function startBed(options: Partial<SandboxOptions> = {}): Promise<Bed> {
  const database = options.databaseUrl === undefined ? await freshDatabase() : undefined;
  const databaseUrl = options.databaseUrl ?? (database as { url: string }).url;
  const sandbox = await startSandbox({
    speed: 240,
    seed: 11,
    logLevel: (process.env['FAIRWAY_TEST_LOG_LEVEL'] as 'warn' | undefined) ?? 'silent',
    configDir: CONFIG,
    policyFile: POLICY,
    accounts: ACCOUNTS,
    ...options,
    databaseUrl,
  });
  const api = new ApiClient(sandbox.apiUrl, sandbox.token);
  await registerAccounts(api);
  const until: Bed['until'] = async (alias, what, holds, limitMs = 240_000) => {
    let last: ClusterRow | undefined;
    try {
      return await eventually(
        async () => {
          last = await api.cluster(alias);
          return holds(last) ? last : undefined;
        },
        `${alias}: ${what}`,
        limitMs,
      );
    } catch (error) {
      throw new Error(`${alias}: ${what} did not happen; last: ${JSON.stringify(last)}`, { cause: error });
    }
  };
  let clones = 0;
  return {
    sandbox,
    databaseUrl,
    api,
    clone: () => ConfigClone.of(sandbox.repositoryUrl, join(sandbox.stateDir, `clone-${(clones += 1)}`)),
    until,
    ready: (alias, commit, limitMs) =>
      until(
        alias,
        `ready at ${commit ?? 'anything'}`,
        (row) => row.phase === 'ready' && (commit === undefined || row.current_version === commit),
        limitMs,
      ),
    close: async () => {
      await sandbox.close();
      await database?.drop();
    },
  };
}

async function registerAccounts(api: ApiClient): Promise<void> {
  for (const id of ACCOUNTS) {
    await api.send('POST', '/infrastructure-accounts', {
      id: `aws:${id}`,
      type: 'aws',
      name: `account-${id[0]}`,
      owner: 'team/platform',
      cost_center: '0000001234',
      environment: 'test',
      criticality_level: 1,
      external_id: id,
      lifecycle_status: 'ready',
    });
  }
}

export interface ClusterWish {
  readonly alias: string;
  readonly localId?: string;
  readonly account?: (typeof ACCOUNTS)[number];
  readonly channel?: string;
  readonly masters?: number;
  readonly workers?: number;
  readonly workerProfile?: string;
  readonly apiServerUrl?: string;
}

export const clusterId = (wish: ClusterWish): string =>
  `aws:${wish.account ?? ACCOUNTS[0]}:${REGION}:${wish.localId ?? 'kube-1'}`;

/** Registers a cluster as people do, by REST; returns its id. */
export async function register(bed: Pick<Bed, 'api' | 'sandbox'>, wish: ClusterWish): Promise<string> {
  const id = clusterId(wish);
  await bed.api.send('POST', '/kubernetes-clusters', clusterBody(bed.sandbox, wish));
  return id;
}

export function clusterBody(sandbox: Sandbox, wish: ClusterWish) {
  const id = clusterId(wish);
  const account = wish.account ?? ACCOUNTS[0];
  const localId = wish.localId ?? 'kube-1';
  return {
    id,
    alias: wish.alias,
    infrastructure_account: `aws:${account}`,
    region: REGION,
    local_id: localId,
    provider: 'zalando-aws',
    api_server_url: wish.apiServerUrl ?? sandbox.endpoints.serverOf(id),
    channel: wish.channel ?? 'dev',
    environment: 'test',
    criticality_level: 1,
    lifecycle_status: 'requested',
    config_items: { etcd_stack_name: `etcd-${localId}` },
    node_pools: [
      pool('master-default', 'master-default', wish.masters ?? 1, 'm5.large'),
      pool('worker-default', wish.workerProfile ?? 'worker-default', wish.workers ?? 2, 'm5.xlarge'),
    ],
  };
}

const pool = (name: string, profile: string, size: number, instanceType: string) => ({
  name,
  profile,
  instance_types: [instanceType],
  discount_strategy: 'none',
  min_size: size,
  max_size: size + 4,
  config_items: {},
});
