import { randomIds, seconds, systemClock } from '#kernel';
import { createAwsAccess } from '#adapters/aws';
import { createEtcdAccess, createRestoreDrill } from '#adapters/etcd';
import { createPostgresStores } from '#adapters/postgres';
import { BackupSlots, reconcileBackups } from '#engine';

/** One backup pass in a process of its own, whose memory is watched. Prints `{"rssMb":…,"liveMb":…}`: by how much it grew. */
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
/** What is held, garbage aside: does not depend on when the collector runs. */
const live = (): number => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
const before = { rss: process.memoryUsage().rss, live: live() };
const peak = { ...before };
const watch = setInterval(() => (peak.rss = Math.max(peak.rss, process.memoryUsage().rss)), 10);
// By hand the collector is left alone: then the resident memory is what a worker would have.
const census =
  process.env['FAIRWAY_TEST_ETCD_MB'] === undefined
    ? setInterval(() => (peak.live = Math.max(peak.live, live())), 500)
    : undefined;
const begun = performance.now();
await reconcileBackups(ports, { leaseTtl: seconds(60) }, new BackupSlots(), clusterId);
clearInterval(watch);
clearInterval(census);
const mb = (bytes: number): number => Math.round((bytes / 1024 ** 2) * 10) / 10;
const grown = { rssMb: mb(peak.rss - before.rss), liveMb: mb(peak.live - before.live) };
process.stdout.write(
  `${JSON.stringify({ ...grown, baselineMb: mb(before.rss), ms: Math.round(performance.now() - begun) })}\n`,
);
await stores.close();
aws.close();
etcd.close();
