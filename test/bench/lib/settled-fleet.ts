import { systemClock } from '#kernel';
import type { Cluster, ClusterStatus, NodePool, Revision } from '#fleet';
import { STEP_KINDS } from '#fleet';
import { createPostgresStores } from '#adapters/postgres';
import { recordDigest } from '../../../libs/engine/src/pass/record-digest.js';
import { SETTLED } from '../../../libs/engine/src/pass/settled.js';
import { contentDigest } from '../../../libs/engine/src/render/content-digest.js';
import { lock } from '../../../libs/config/src/testing/fixture-repo.js';
import { CHANNELS, type FleetBed } from './fleet-bed.js';

const PER_ACCOUNT = 2;
const DESIRED = `sha256:${'d'.repeat(64)}` as const;

type NewRecord = Omit<Cluster, 'createdAt' | 'recordVersion'>;
export const asStored = (record: NewRecord): Cluster => ({ ...record, createdAt: 0, recordVersion: 1 });

/** As the registry has it: three masters, four workers and a dozen config items. */
export function benchCluster(index: number): NewRecord {
  const account = `aws:${String(100_000_000_000 + Math.floor(index / PER_ACCOUNT))}`;
  return {
    id: `${account}:eu-central-1:kube-${index}`,
    alias: `bench-${index}`,
    infrastructureAccount: account,
    region: 'eu-central-1',
    localId: `kube-${index}`,
    provider: 'zalando-aws',
    apiServerUrl: 'https://127.0.0.1:9/',
    channel: CHANNELS[index % CHANNELS.length] as string,
    environment: index % 2 === 0 ? 'production' : 'test',
    criticalityLevel: 1 + (index % 3),
    lifecycleStatus: 'ready',
    configItems: Object.fromEntries(
      Array.from({ length: 12 }, (_, n) => [`setting_${n}`, `value ${n} of ${index}`]),
    ),
    nodePools: [benchPool('master-default', 3), benchPool('worker-default', 4)],
  };
}

const benchPool = (name: string, size: number): NodePool => ({
  name,
  profile: name,
  instanceTypes: ['m5.large'],
  discountStrategy: 'none',
  minSize: size,
  maxSize: size + 3,
  configItems: {},
});

/**
 * Writes `count` clusters and the state that a pass leaves behind when it has brought a cluster to its channel's head.
 * Nothing was really brought there: rows are written directly, with the digests that the engine would have written.
 */
export async function settleFleet(bed: FleetBed, count: number): Promise<void> {
  const revision = await headOf(bed);
  const records = Array.from({ length: count }, (_, index) => benchCluster(index));
  // At once, so that no channel pass sees clusters without their state.
  await bed.sql.query('BEGIN');
  await insertRecords(bed, records);
  await insertState(bed, records, revision);
  await bed.sql.query('COMMIT');
  await bed.sql.query('ANALYZE');
}

async function headOf(bed: FleetBed): Promise<Revision> {
  const stores = await createPostgresStores({
    url: bed.environment['FAIRWAY_DATABASE_URL'] as string,
    clock: systemClock,
    notificationRoutes: [],
  });
  try {
    const [head] = await stores.channels.listChannels();
    const revision = await stores.channels.getRevision(`${bed.repositoryUrl}@${head?.headCommit}`);
    if (!revision) throw new Error('the bed has no revision yet');
    return revision;
  } finally {
    await stores.close();
  }
}

async function insertState(bed: FleetBed, records: readonly NewRecord[], revision: Revision): Promise<void> {
  const runtimes = records.map((record) => ({
    cluster_id: record.id,
    status: statusOf(record, revision.commit),
    memory: memoryOf(record, revision),
    inputs: lock(),
  }));
  await bed.sql.query(
    `INSERT INTO cluster_runtimes (cluster_id, doorbell, due_priority, status, memory, inputs, admitted_revision_id, next_due_at)
     SELECT v->>'cluster_id', 1, 100, v->'status', v->'memory', v->'inputs', $2, now() + interval '25 minutes'
       FROM jsonb_array_elements($1::jsonb) AS e (v)`,
    [JSON.stringify(runtimes), revision.id],
  );
  await bed.sql.query(
    `INSERT INTO updates (id, cluster_id, kind, revision_id, commit, desired_digest, state, started_at, finished_at)
     SELECT 'bench-' || cluster_id, cluster_id, 'update', $1, $2, $3, 'succeeded', now(), now() FROM cluster_runtimes`,
    [revision.id, revision.commit, DESIRED],
  );
}

async function insertRecords(bed: FleetBed, records: readonly NewRecord[]): Promise<void> {
  const json = JSON.stringify(records);
  await bed.sql.query(
    `INSERT INTO infrastructure_accounts
       (id, type, name, owner, cost_center, environment, criticality_level, external_id, lifecycle_status, created_at)
     SELECT DISTINCT a, 'aws', a, 'team/bench', '0000001234', 'production', 2, split_part(a, ':', 2), 'ready', now()
       FROM (SELECT v->>'infrastructureAccount' AS a FROM jsonb_array_elements($1::jsonb) AS e (v)) AS accounts`,
    [json],
  );
  await bed.sql.query(
    `INSERT INTO clusters (id, alias, infrastructure_account, region, local_id, provider, api_server_url, channel,
                           environment, criticality_level, lifecycle_status, config_items, created_at)
     SELECT v->>'id', v->>'alias', v->>'infrastructureAccount', v->>'region', v->>'localId', v->>'provider',
            v->>'apiServerUrl', v->>'channel', v->>'environment', (v->>'criticalityLevel')::int, v->>'lifecycleStatus',
            v->'configItems', now() FROM jsonb_array_elements($1::jsonb) AS e (v)`,
    [json],
  );
  await bed.sql.query(
    `INSERT INTO node_pools (cluster_id, name, profile, instance_types, discount_strategy, min_size, max_size, config_items)
     SELECT c->>'id', p->>'name', p->>'profile', p->'instanceTypes', p->>'discountStrategy', (p->>'minSize')::int,
            (p->>'maxSize')::int, p->'configItems'
       FROM jsonb_array_elements($1::jsonb) AS e (c), jsonb_array_elements(c->'nodePools') AS f (p)`,
    [json],
  );
}

function memoryOf(cluster: NewRecord, revision: Revision): { readonly [key: string]: unknown } {
  const basis = { revisionId: revision.id, recordDigest: recordDigest(asStored(cluster)) };
  return {
    [SETTLED]: {
      ...basis,
      treeDigest: revision.treeDigest,
      contentDigest: contentDigest(revision.treeDigest, undefined),
      desiredDigest: DESIRED,
      verifiedAt: Date.now(),
    },
    'update/basis': basis,
    'inputs/for': `sha256:${'e'.repeat(64)}`,
    'manifests/progress': {
      desiredDigest: DESIRED,
      applied: Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`stage-${n}`, Date.now()])),
      deletedBefore: true,
    },
  };
}

function statusOf(cluster: NewRecord, commit: string): ClusterStatus {
  const now = Date.now();
  return {
    clusterId: cluster.id,
    phase: 'ready',
    message: 'at its desired state',
    currentVersion: commit,
    desiredDigest: DESIRED,
    problems: [],
    updateId: `bench-${cluster.id}`,
    steps: STEP_KINDS.map((kind) => ({
      kind,
      state: 'done',
      message: `${kind} is done`,
      startedAt: now,
      finishedAt: now,
    })),
    nodes: Array.from({ length: 7 }, (_, n) => ({
      pool: n < 3 ? 'master-default' : 'worker-default',
      instanceId: `i-${n}`,
      nodeName: `ip-172-31-0-${n}.eu-central-1.compute.internal`,
      zone: 'eu-central-1a',
      outdated: false,
      state: 'current',
      since: now,
    })),
    // Long ago, so that no pause between waves is waited for.
    since: now - 3_600_000,
    serverVersion: 'v1.31.4',
    consecutiveFailures: 0,
    updatedAt: now,
  };
}
