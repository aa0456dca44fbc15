import { describe, expect, inject, it } from 'vitest';
import { SeededRandom } from '#simulation';
import { register, startBed, type Bed } from '../acceptance/support/bed.js';
import { NEW_IMAGE } from '../acceptance/support/config-clone.js';
import { openIntents, Outside, repeated } from '../acceptance/support/outside.js';
import { startWebhookReceiver, type WebhookReceiver } from '../acceptance/support/webhook-receiver.js';
import { WorkerProcess } from '../acceptance/support/worker-process.js';
import { withClient } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { suiteNotRun } from '../support/suite-not-run.js';

const MASTERS = 3;
const WORKERS = 4;
const NODES = MASTERS + WORKERS;
/** The deaths are the same on both; the queue's part in them shows in fewer. */
const KILLS = { postgres: 10, redis: 4 };

/** Calls that move the roll; kills between the many looks in between would mostly hit the same passes again. */
const DISTURBS = /^(patch nodes\/|create pods\/eviction)$/;

/** Resolves with what it died of: the moment at which a drawn number of disturbing calls had reached the estate. */
function killAtCall(bed: Bed, clusterId: string, worker: WorkerProcess, calls: number): Promise<string> {
  const { estate } = bed.sandbox;
  let left = calls;
  return new Promise((resolve) => {
    const count = (what: string): void => {
      left -= 1;
      if (left !== 0) return;
      // Inside the estate's own handler: the call has had its effect, the answer never leaves.
      worker.signal('SIGKILL');
      stopAws();
      stopCluster();
      resolve(what);
    };
    const stopAws = estate.aws.calls.onCall((call) => {
      if (call.mutating) count(call.action);
    });
    const stopCluster = estate.cluster(clusterId).wire.calls.subscribe((call) => {
      const what = `${call.verb} ${call.resource}/${call.subresource ?? ''}`;
      if (DISTURBS.test(what) && /fairway/.test(call.user ?? '')) count(what);
    });
  });
}

async function story(redisUrl: string | undefined, kills: number): Promise<void> {
  const receiver = await startWebhookReceiver();
  const bed = await startBed({
    worker: false,
    speed: 400,
    ...(redisUrl !== undefined && { redisUrl }),
    environment: {
      FAIRWAY_LEASE_TTL: '1s',
      FAIRWAY_WEBHOOK_URL: receiver.url,
      FAIRWAY_WEBHOOK_SECRET: receiver.secret,
    },
  });
  const outside = new Outside(bed.sandbox.estate);
  let worker = new WorkerProcess(bed.sandbox.environment);
  const start = (): void => void (worker = new WorkerProcess(bed.sandbox.environment));
  try {
    const id = await register(bed, { alias: 'killed', masters: MASTERS, workers: WORKERS });
    outside.watchJobs(id);
    await bed.ready('killed');
    // Each of the two commits is tested: the second one does not come before that has begun.
    await eventually(() => outside.jobNames.length === 1, 'the conformance run of the first commit', 240_000);
    bed.sandbox.estate.evidence();
    const since = bed.sandbox.estate.aws.calls.length;
    const launched = outside.launches.length;
    const clone = await bed.clone();
    await clone.setNodeImage(NEW_IMAGE);
    const commit = await clone.publish('another node image');
    await bed.until(
      'killed',
      'the roll',
      (row) => row.next_version === commit || row.current_version === commit,
    );

    const moments = await killAtDrawnMoments(bed, id, commit, kills, () => worker, start);
    console.log(`killed at: ${moments.join(', ')}`);
    await bed.ready('killed', commit, 400_000);
    await settled(bed, commit);

    const terminated = outside.terminations(since);
    expect(repeated(terminated), 'terminated twice').toEqual([]);
    expect(terminated, outside.trail(since)).toHaveLength(NODES);
    // What the group itself launches to even out its zones after the roll is none of ours, and not ours to end.
    const own = outside.launches.length - launched - outside.rebalanced.length;
    expect(own, 'launches').toBe(NODES);
    expect(outside.raises(since), 'raises of a desired capacity').toHaveLength(2);
    expect(repeated(outside.executedChangeSets()), 'change sets executed twice').toEqual([]);
    expect(repeated(outside.jobNames), 'conformance Jobs made twice').toEqual([]);
    expect(outside.jobNames).toHaveLength(2);
    expect(await openIntents(bed.databaseUrl)).toEqual([]);
    expect(bed.sandbox.estate.evidence()).toMatchObject({ clean: true, terminatedTwice: [] });
    await everyEventArrived(bed, receiver);
  } catch (error) {
    console.error(worker.lines.slice(-15).join('\n'));
    throw error;
  } finally {
    await worker.kill();
    outside.close();
    await bed.close();
    await receiver.close();
  }
}

async function killAtDrawnMoments(
  bed: Bed,
  id: string,
  commit: string,
  kills: number,
  current: () => WorkerProcess,
  start: () => void,
): Promise<readonly string[]> {
  const random = new SeededRandom(20_261_121);
  const moments: string[] = [];
  while (moments.length < kills) {
    const died = killAtCall(bed, id, current(), 1 + Math.floor(random.next() * 6));
    const moment = await withLimit(died, 300_000, 'call of the worker');
    await current().exited;
    const row = await bed.api.cluster('killed');
    expect(row.current_version, `the roll was over before kill ${moments.length + 1}`).not.toBe(commit);
    moments.push(moment);
    start();
  }
  return moments;
}

async function withLimit<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${limitMs} ms`)), limitMs);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

/** The conformance run that the roll's end asks for is over, and with it everything that the push set in motion. */
const settled = (bed: Bed, commit: string): Promise<unknown> =>
  eventually(
    async () => {
      const { head } = await bed.api.channel('alpha');
      return head?.commit === commit;
    },
    'promotion to alpha',
    240_000,
  );

/** At least once, always under the same id, one id for one event, in order, and signed. */
async function everyEventArrived(bed: Bed, receiver: WebhookReceiver): Promise<void> {
  const events = await withClient(bed.databaseUrl, async (client) => {
    const { rows } = await client.query<{ event_id: string }>(
      "SELECT event_id FROM outbox_deliveries WHERE route = 'webhook'",
    );
    return rows.map((row) => Number(row.event_id));
  });
  expect(events.length).toBeGreaterThan(20);
  await eventually(
    () => events.every((event) => receiver.received.some((one) => one.eventId === event)),
    'every event at the receiver',
    120_000,
  );
  const ids = new Map(receiver.received.map((one) => [one.eventId, one.id]));
  expect(receiver.received.filter((one) => !one.signed || ids.get(one.eventId) !== one.id)).toEqual([]);
  expect(new Set(ids.values()).size).toBe(ids.size);
}

// Fourteen times a worker starts from source: minutes on a machine that has other things to do.
describe('kill -9 of the worker at drawn moments of a roll', { timeout: 1_800_000 }, () => {
  it('ends in the same state with the queue in Postgres, and nothing is done twice', () =>
    story(undefined, KILLS.postgres));

  const redisUrl = inject('redisUrl');
  if (redisUrl === undefined) suiteNotRun('worker-kill on Redis', 'redis-server is not installed');
  else
    it('ends in the same state with the queue in Redis, and nothing is done twice', () =>
      story(redisUrl, KILLS.redis));
});
