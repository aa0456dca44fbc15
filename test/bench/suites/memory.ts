import { eventually } from '../../support/eventually.js';
import { CHANNELS, startFleetBed, type FleetBed } from '../lib/fleet-bed.js';
import type { Suite } from '../lib/metric.js';
import { settleFleet } from '../lib/settled-fleet.js';
import { convergeChannels, FLEET_SIZE, quiet } from './noop.js';

const MINUTES = 10;
/** As the schedules have it: each channel every 15 s, the repository every 30 s, each cluster's doorbell about once in five minutes. */
const CHANNEL_PASSES = (MINUTES * 60) / 15;
const FETCHES = (MINUTES * 60) / 30;
const RINGS_PER_CLUSTER = 2;

const settledRound = (bed: FleetBed): Promise<boolean> =>
  eventually(async () => (await bed.queued()) === 0, 'an empty queue', 60_000);

/** The worker's memory at 1,000 clusters, before and after ten minutes' worth of passes, as fast as they go. */
export const memorySuite: Suite = async ({ say }) => {
  const bed = await startFleetBed();
  try {
    const empty = await bed.worker.collectGarbage();
    await settleFleet(bed, FLEET_SIZE);
    await convergeChannels(bed);
    await quiet(bed);
    const before = await bed.worker.collectGarbage();
    await bed.worker.reset();
    const started = Date.now();
    const { rows } = await bed.sql.query<{ id: string }>('SELECT id FROM clusters ORDER BY id');
    const clusters = rows.map(({ id }) => `cluster/${id}`);
    for (let part = 0; part < CHANNEL_PASSES; part += 1) {
      // A ring for a channel that waits already is the same ring: each round is worked off first.
      await settledRound(bed);
      const each = Math.ceil((clusters.length * RINGS_PER_CLUSTER) / CHANNEL_PASSES);
      const from = (part * each) % clusters.length;
      await bed.ring(clusters.slice(from, from + each));
      await bed.ring(CHANNELS.map((name) => `channel/${name}`));
      if (part % (CHANNEL_PASSES / FETCHES) === 0) await bed.ring([`repository/${bed.repositoryUrl}`]);
    }
    const busy = await quiet(bed);
    const after = await bed.worker.collectGarbage();
    const passes = Object.values(busy.passes).reduce((sum, count) => sum + count, 0);
    say(
      `${MINUTES} minutes' worth of rings became ${passes} passes in ${((Date.now() - started) / 1000).toFixed(0)} s: RSS ${empty.rssMb.toFixed(0)} MB empty, ` +
        `${before.rssMb.toFixed(0)} MB at ${FLEET_SIZE} clusters, ${busy.rssMb.toFixed(0)} MB after; heap ` +
        `${empty.heapMb.toFixed(0)}, ${before.heapMb.toFixed(0)}, ${after.heapMb.toFixed(0)} MB`,
    );
    return [
      { name: 'memory.rss-empty', value: empty.rssMb, unit: 'MB', kind: 'memory' },
      { name: 'memory.rss', value: before.rssMb, unit: 'MB', kind: 'memory', target: 300 },
      { name: 'memory.rss-after-10-min', value: busy.rssMb, unit: 'MB', kind: 'memory', target: 300 },
      { name: 'memory.heap-after-10-min', value: after.heapMb, unit: 'MB', kind: 'memory' },
      {
        name: 'memory.heap-growth',
        value: Math.max(0, after.heapMb - before.heapMb),
        unit: 'MB',
        kind: 'memory',
        noise: 8,
      },
      { name: 'memory.cpu-10-min', value: busy.cpuMs, unit: 'ms', kind: 'cpu' },
      { name: 'memory.loop-delay-p99', value: busy.loopDelayP99Ms, unit: 'ms', kind: 'cpu', noise: 20 },
    ];
  } finally {
    await bed.close();
  }
};
