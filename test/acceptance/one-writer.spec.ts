import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { withClient } from '../support/database.js';
import { clusterBody, register, startBed, type Bed } from './support/bed.js';
import { NEW_IMAGE } from './support/config-clone.js';
import { openIntents, Outside, repeated } from './support/outside.js';
import { WorkerProcess } from './support/worker-process.js';

const NODES = 3;

describe('two workers, one cluster', () => {
  let bed: Bed;
  let outside: Outside;
  let id: string;
  const workers: WorkerProcess[] = [];
  const join = (): WorkerProcess => {
    const worker = new WorkerProcess(bed.sandbox.environment);
    workers.push(worker);
    return worker;
  };

  beforeAll(async () => {
    bed = await startBed({ worker: false, speed: 400, environment: { FAIRWAY_LEASE_TTL: '1500ms' } });
    outside = new Outside(bed.sandbox.estate);
    id = await register(bed, { alias: 'shared' });
  });
  afterAll(async () => {
    for (const worker of workers) await worker.kill();
    outside.close();
    await bed.close();
  });

  /** Stops a worker in the middle of a deed: its call has had its effect and waits for an answer it cannot read. */
  const stopAt = (worker: WorkerProcess, action: string): Promise<void> =>
    new Promise((resolve) => {
      const stop = bed.sandbox.estate.aws.calls.onCall((call) => {
        if (call.action !== action) return;
        stop();
        worker.signal('SIGSTOP');
        resolve();
      });
    });

  const holders = (): Promise<readonly { token: string; held: boolean }[]> =>
    withClient(bed.databaseUrl, async (client) => {
      const { rows } = await client.query<{ token: string; held: boolean }>(
        'SELECT token, expires_at > clock_timestamp() AS held FROM leases WHERE name = $1',
        [`cluster/${id}`],
      );
      return rows;
    });

  it('a holder that slept beyond its lease writes nothing when it wakes up', async () => {
    const first = join();
    await bed.ready('shared');
    const since = bed.sandbox.estate.aws.calls.length;
    const launched = outside.launches.length;
    const clone = await bed.clone();
    await clone.setNodeImage(NEW_IMAGE);
    const asleep = stopAt(first, 'SetDesiredCapacity');
    const commit = await clone.publish('another node image');
    await asleep;
    const [before] = await holders();
    expect(before).toBeDefined();

    // Nobody else may write before the lease is over; then the second worker goes on where the first stopped.
    const second = join();
    await eventually(() => outside.terminations(since).length > 0, 'the second worker going on', 240_000);
    const [after] = await holders();
    expect(Number(after?.token)).toBeGreaterThan(Number(before?.token));
    first.signal('SIGCONT');
    await bed.ready('shared', commit);
    await eventually(async () => (await openIntents(bed.databaseUrl)).length === 0, 'all intents settled');

    const terminated = outside.terminations(since);
    expect(repeated(terminated)).toEqual([]);
    expect(terminated, outside.trail(since)).toHaveLength(NODES);
    expect(repeated(outside.raises(since))).toEqual([]);
    expect(repeated(outside.evictions(id))).toEqual([]);
    expect(repeated(outside.executedChangeSets())).toEqual([]);
    expect(outside.launches.length - launched - outside.rebalanced.length).toBe(NODES);
    expect(bed.sandbox.estate.evidence()).toMatchObject({ clean: true, terminatedTwice: [] });
    expect([first.alive, second.alive]).toEqual([true, true]);
  });

  it('ten registrations of the same cluster at once: one is made', async () => {
    const body = clusterBody(bed.sandbox, { alias: 'ten', localId: 'kube-10' });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => bed.api.try('POST', '/kubernetes-clusters', body)),
    );
    const codes = answers.map(({ status }) => status).sort();
    expect(codes).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
  });
});
