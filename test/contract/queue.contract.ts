import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { milliseconds, minutes, seconds, type Failure } from '#kernel';
import { createQueue, type DoorbellQueue, type QueueLocation } from '#adapters/queue';
import { eventually } from '../support/eventually.js';

/** The address of a running backend, and how to take it away and bring it back. */
export interface QueueBed {
  readonly location: (name: string) => QueueLocation;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** What every backend of the queue must do. */
export function queueContract(title: string, open: () => Promise<QueueBed>): void {
  describe(`queue on ${title}`, () => {
    let bed: QueueBed;
    let number = 0;
    const queues: DoorbellQueue[] = [];
    beforeAll(async () => {
      bed = await open();
    });
    afterAll(async () => {
      await Promise.all(queues.map((queue) => queue.close(seconds(1))));
      await bed?.close();
    });

    /** A queue of its own, and further clients of the same one. */
    const fresh = (
      over: { concurrency?: number; troubles?: Failure[]; name?: string; lock?: number } = {},
    ): DoorbellQueue => {
      const queue = createQueue(bed.location(over.name ?? `q${number++}`), {
        concurrency: over.concurrency ?? 4,
        onTrouble: (failure) => over.troubles?.push(failure),
        ...(over.lock !== undefined && { lockDuration: milliseconds(over.lock) }),
      });
      queues.push(queue);
      return queue;
    };
    const gate = (): { readonly open: () => void; readonly passed: Promise<void> } => {
      let release = (): void => undefined;
      const passed = new Promise<void>((resolve) => (release = resolve));
      return { open: () => release(), passed };
    };
    const quiet = (queue: DoorbellQueue) =>
      eventually(async () => {
        const { waiting, active } = await queue.depth();
        return waiting + active === 0;
      }, 'the queue is empty');

    it('runs the handler with the key of a ring, from another client too', async () => {
      const name = `pair${number++}`;
      const [worker, ringer] = [fresh({ name }), fresh({ name })];
      const seen: string[] = [];
      worker.work(async (key) => void seen.push(key));
      await ringer.ring('cluster/aws:123456789012:eu-central-1:kube-1');
      await ringer.ring('repository/https://git.example.org/config.git');
      await eventually(() => seen.length === 2);
      expect(seen.sort()).toEqual([
        'cluster/aws:123456789012:eu-central-1:kube-1',
        'repository/https://git.example.org/config.git',
      ]);
    });

    it('keeps one waiting ring per key, and rings from before there was a worker', async () => {
      const queue = fresh();
      await Promise.all(Array.from({ length: 20 }, (_, n) => queue.ring(`k${n % 2}`)));
      expect((await queue.depth()).waiting).toBe(2);
      const seen: string[] = [];
      queue.work(async (key) => void seen.push(key));
      await quiet(queue);
      expect(seen.sort()).toEqual(['k0', 'k1']);
    });

    it('runs a key once more after rings during its run, and never twice at a time', async () => {
      const queue = fresh();
      const first = gate();
      let runs = 0;
      let running = 0;
      let most = 0;
      queue.work(async () => {
        most = Math.max(most, ++running);
        if (++runs === 1) await first.passed;
        running--;
      });
      await queue.ring('k');
      await eventually(() => runs === 1);
      await Promise.all(Array.from({ length: 10 }, () => queue.ring('k')));
      first.open();
      await eventually(() => runs === 2);
      await quiet(queue);
      expect({ runs, most }).toEqual({ runs: 2, most: 1 });
    });

    it('loses no wake-up, whenever the ring comes', async () => {
      const name = `stress${number++}`;
      const [one, two] = [fresh({ name, concurrency: 3 }), fresh({ name, concurrency: 3 })];
      const wanted = new Map<string, number>();
      const handled = new Map<string, number>();
      let busy = 0;
      let overlap = 0;
      const running = new Set<string>();
      const handler = async (key: string): Promise<void> => {
        if (running.has(key)) overlap++;
        running.add(key);
        const seen = wanted.get(key) ?? 0;
        if (++busy % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        handled.set(key, Math.max(handled.get(key) ?? 0, seen));
        running.delete(key);
      };
      one.work(handler);
      two.work(handler);
      for (let round = 1; round <= 60; round++) {
        await Promise.all(
          ['a', 'b', 'c', 'd', 'e'].map(async (key, n) => {
            wanted.set(key, round);
            await (n % 2 ? one : two).ring(key);
          }),
        );
      }
      for (const key of wanted.keys()) {
        await eventually(
          () => handled.get(key) === 60,
          `the last ring of ${key} is handled (${handled.get(key)})`,
        );
      }
      expect(overlap).toBe(0);
    });

    it('starts a delayed ring after its delay, earlier when rung earlier, and not again after a run', async () => {
      const queue = fresh();
      const starts: [string, number][] = [];
      const begin = Date.now();
      queue.work(async (key) => void starts.push([key, Date.now() - begin]));
      await queue.ring('late', minutes(10));
      await queue.ring('late', milliseconds(300));
      await queue.ring('late', minutes(5));
      // Whether 'late' or 'now' is first is the machine's affair: ringing takes a way to the backend.
      const delayed = Date.now();
      await queue.ring('now', milliseconds(600));
      await queue.ring('now');
      const twice = Date.now() - delayed >= 600;
      await eventually(() => new Set(starts.map(([key]) => key)).size === 2);
      expect(starts.find(([key]) => key === 'late')?.[1]).toBeGreaterThanOrEqual(299);
      await queue.ring('last', milliseconds(900));
      await eventually(() => starts.some(([key]) => key === 'last'));
      const count = (wanted: string): number => starts.filter(([key]) => key === wanted).length;
      expect([count('late'), count('last')]).toEqual([1, 1]);
      // The delayed ring was due by itself where 600 ms went by before the second one arrived.
      expect(count('now')).toBeLessThanOrEqual(twice ? 2 : 1);
    });

    it('reports what a handler throws and goes on', async () => {
      const troubles: Failure[] = [];
      const queue = fresh({ troubles });
      let runs = 0;
      queue.work(async () => {
        if (++runs === 1) throw new Error('oops');
      });
      await queue.ring('k');
      await eventually(() => troubles.length === 1);
      expect(troubles[0]).toMatchObject({ class: 'bug', message: 'oops' });
      await quiet(queue);
      await queue.ring('k');
      await eventually(() => runs === 2);
    });

    it('hands a key out again when its worker died', async () => {
      const name = `dead${number++}`;
      const [doomed, heir] = [fresh({ name, lock: 600 }), fresh({ name, lock: 600 })];
      let doomedRuns = 0;
      doomed.work(() => {
        doomedRuns++;
        return new Promise(() => undefined);
      });
      await doomed.ring('k');
      await eventually(() => doomedRuns === 1);
      // Gives up waiting for the handler at once and cuts the connection, as the end of the process would.
      await doomed.close(milliseconds(1));
      const seen: string[] = [];
      heir.work(async (key) => void seen.push(key));
      await heir.ring('k');
      await eventually(() => seen.length >= 1, 'the heir gets the key');
    });

    it('waits at its end for running handlers, and takes nothing more', async () => {
      const name = `end${number++}`;
      const [queue, other] = [fresh({ name, concurrency: 1 }), fresh({ name })];
      const slow = gate();
      let started = 0;
      let finished = 0;
      queue.work(async () => {
        started++;
        await slow.passed;
        finished++;
      });
      await queue.ring('a');
      await eventually(() => started === 1);
      await other.ring('b');
      const closing = queue.close(seconds(20));
      slow.open();
      await closing;
      expect([started, finished]).toEqual([1, 1]);
      await queue.ring('c');
      expect(await other.depth()).toEqual({ waiting: 1, active: 0 });
    });

    it('starts handlers soon after the ring', async () => {
      const name = `fast${number++}`;
      const [queue, ringer] = [fresh({ name }), fresh({ name })];
      const rung = new Map<string, number>();
      const waits: number[] = [];
      const looks: number[] = [];
      queue.work(async (key) => void waits.push(performance.now() - (rung.get(key) as number)));
      await ringer.ring('warm-up').catch(() => undefined);
      await eventually(() => waits.length === 1);
      waits.length = 0;
      for (let n = 0; n < 60; n++) {
        // How long this machine takes over a question and its answer just now.
        const asked = performance.now();
        await ringer.ping();
        looks.push(performance.now() - asked);
        rung.set(`k${n}`, performance.now());
        await ringer.ring(`k${n}`);
        await eventually(() => waits.length === n + 1);
      }
      for (const times of [waits, looks]) times.sort((a, b) => a - b);
      const [p95 = 0, look = 0] = [waits, looks].map((times) => times[Math.floor(times.length * 0.95)]);
      console.info(`ring to handler on ${title}: p50 ${waits[30]?.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`);
      expect(p95).toBeLessThan(Math.max(100, 10 * look));
    });

    it('fails soon while the backend is away, and heals without help', async () => {
      const troubles: Failure[] = [];
      const name = `away${number++}`;
      const queue = fresh({ troubles, name });
      const seen: string[] = [];
      queue.work(async (key) => void seen.push(key));
      await queue.ring('before');
      await eventually(() => seen.includes('before'));
      await bed.stop();
      const late = fresh({ name, troubles });
      late.work(async (key) => void seen.push(key));
      // Three seconds each, with no help from the backend: it would stay away for ever.
      for (const each of [queue, late]) {
        await expect(each.ring('lost')).rejects.toMatchObject({
          failure: { class: 'transient', code: 'queue-unreachable' },
        });
        await expect(each.ping()).rejects.toMatchObject({ failure: { class: 'transient' } });
      }
      await bed.start();
      await eventually(async () => {
        await queue.ring('after').catch(() => undefined);
        await late.ring('after-late').catch(() => undefined);
        return seen.includes('after') && seen.includes('after-late');
      }, 'rings arrive again');
      expect(troubles.filter((failure) => failure.class === 'bug')).toEqual([]);
    });
  });
}
