import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRestoreDrill } from '#adapters/etcd';
import { ACCOUNT, BackupBed, CLUSTER_ID, items } from '../support/backup-bed.js';
import { putKeys } from '../support/etcd-keys.js';
import { EtcdTestCluster } from '../support/etcd-server.js';
import { suiteNotRun } from '../support/suite-not-run.js';

/** By hand FAIRWAY_TEST_ETCD_MB=200. Always so much that one copy would break the limit. */
const byHand = process.env['FAIRWAY_TEST_ETCD_MB'];
const MEGABYTES = Number(byHand ?? 96);
/** Whatever the size of etcd. */
const LIMIT_MB = 64;

const SUITE = 'the memory of a worker that streams a snapshot';
const obstacle = await createRestoreDrill().unavailable();
if (obstacle !== undefined) suiteNotRun(SUITE, `${obstacle}; install etcd-server and etcd-client`);

describe.runIf(obstacle === undefined)(SUITE, () => {
  let etcd: EtcdTestCluster;
  let bed: BackupBed;
  beforeAll(async () => {
    etcd = await EtcdTestCluster.start({ members: 1 });
    bed = await BackupBed.open();
    await putKeys(etcd.endpoints[0] ?? '', MEGABYTES, 1_000_000);
  }, 300_000);
  afterAll(async () => {
    await bed.close();
    await etcd.close();
  });

  it(`grows by less than ${LIMIT_MB} MB, verification and restore included`, async () => {
    await bed.configure(items(etcd.endpoints));
    await bed.ask({ kind: 'create' });
    const { accessKeyId, secretAccessKey } = bed.aws.accessKey(ACCOUNT);
    const child = await promisify(execFile)(process.execPath, [
      ...['--conditions=source', '--import', 'tsx', '--expose-gc'],
      ...[new URL('../support/backup-memory.main.ts', import.meta.url).pathname],
      ...[bed.stores.url, bed.awsEndpoint, accessKeyId, secretAccessKey, CLUSTER_ID],
    ]);
    const { rssMb, baselineMb, ms } = JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '{}');
    const [backup] = await bed.backups();
    expect(backup).toMatchObject({ state: 'good', drill: { keys: MEGABYTES } });
    expect(backup?.sizeBytes).toBeGreaterThan(MEGABYTES * 1_000_000);
    const size = Math.round((backup?.sizeBytes ?? 0) / 2 ** 20);
    console.log(`etcd ${size} MiB: ${baselineMb} MB, ${rssMb} MB more at the peak, in ${ms} ms`);
    expect(rssMb).toBeLessThan(LIMIT_MB);
  }, 600_000);
});
