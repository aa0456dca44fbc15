import { randomIds, seconds, systemClock } from '#kernel';
import { createAwsAccess } from '#adapters/aws';
import { createEtcdAccess, createRestoreDrill } from '#adapters/etcd';
import { createPostgresStores } from '#adapters/postgres';
import { BackupSlots, reconcileBackups } from '#engine';

/** One backup pass in a process of its own, whose memory is watched. Prints by how much it grew: `{"rssMb":…}`. */
const [databaseUrl = '', awsEndpoint = '', accessKeyId = '', secretAccessKey = '', clusterId = ''] =
  process.argv.slice(2);

const stores = await createPostgresStores({ url: databaseUrl, clock: systemClock, notificationRoutes: [] });
const aws = createAwsAccess({
  endpoint: awsEndpoint,
  credentialsFor: () => ({ accessKeyId, secretAccessKey }),
  requestsPerSecond: 1_000,
});
const etcd = createEtcdAccess({ credentialsDirectory: '/nonexistent' });
const quiet = (): void => undefined;
const ports = {
  ...stores,
  aws,
  etcd,
  drill: createRestoreDrill(),
  kubernetes: { connect: () => Promise.reject(new Error('no cluster')) },
  doorbell: { ring: async () => undefined },
  clock: systemClock,
  ids: randomIds,
  log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
};
// What the process needs once, whatever the size: connections, compiled code.
await stores.ping();
await (
  await aws.connect(clusterId.split(':')[1] ?? '', clusterId.split(':')[2] ?? '')
).headObject('none', 'none');
const collect = (globalThis as { gc?: () => void }).gc ?? ((): void => undefined);
const before = process.memoryUsage().rss;
let peak = before;
const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 10);
// By hand the collector is left alone, as in a worker; else its mood would decide by how much garbage the peak is higher.
const tidy = process.env['FAIRWAY_TEST_ETCD_MB'] === undefined ? setInterval(collect, 250) : undefined;
const begun = performance.now();
await reconcileBackups(ports, { leaseTtl: seconds(60) }, new BackupSlots(), clusterId);
clearInterval(watch);
clearInterval(tidy);
const mb = (bytes: number): number => Math.round((bytes / 1024 ** 2) * 10) / 10;
const figures = {
  rssMb: mb(peak - before),
  baselineMb: mb(before),
  ms: Math.round(performance.now() - begun),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
await stores.close();
aws.close();
etcd.close();
