import { request } from 'node:http';

/** What the writer saw; times in milliseconds. */
export interface WriterReport {
  readonly acknowledged: number;
  readonly perSecond: number;
  /** From the first try of a write until it was acknowledged, the worst; without what this process itself was late. */
  readonly longestWrite: number;
  readonly failedTries: number;
  /** Acknowledged keys that read back wrong or not at all. */
  readonly lost: readonly string[];
}

const LANES = 4;
const PER_LANE_AND_SECOND = 20;
const TRY_LIMIT = 1_000;
const TICK = 20;
/** Less is how busy machines are, and caught up with. */
const STALL = 1_000;

/** Writes all the time, each write tried at one endpoint after another until it is acknowledged. */
export class EtcdWriter {
  private readonly acknowledged = new Map<string, string>();
  private readonly lanes: Promise<void>[] = [];
  private readonly startedAt = Date.now();
  private running = true;
  private longest = 0;
  private failed = 0;
  private count = 0;
  private readonly lateness = new Lateness();

  constructor(private readonly endpoints: () => readonly string[]) {
    for (let lane = 0; lane < LANES; lane += 1) this.lanes.push(this.write(lane));
  }

  get longestWrite(): number {
    return this.longest;
  }

  /** Ends the writing and reads every acknowledged key back. */
  async stop(): Promise<WriterReport> {
    this.running = false;
    await Promise.all(this.lanes);
    const seconds = (Date.now() - this.startedAt - this.lateness.stop()) / 1000;
    const stored = await this.readBack();
    const lost = [...this.acknowledged]
      .filter(([key, value]) => stored.get(key) !== value)
      .map(([key]) => key);
    return {
      acknowledged: this.acknowledged.size,
      perSecond: this.acknowledged.size / seconds,
      longestWrite: this.longest,
      failedTries: this.failed,
      lost,
    };
  }

  private async write(lane: number): Promise<void> {
    let next = Date.now();
    let turn = lane;
    while (this.running) {
      const key = `writer/${String((this.count += 1)).padStart(8, '0')}`;
      const value = `${key} by ${lane} at ${Date.now()}`;
      const begun = Date.now();
      const late = this.lateness.total;
      for (;;) {
        const endpoints = this.endpoints();
        const endpoint = endpoints[turn % Math.max(1, endpoints.length)];
        const done =
          endpoint !== undefined &&
          (await post(endpoint, '/v3/kv/put', { key: base64(key), value: base64(value) }, TRY_LIMIT).then(
            () => true,
            () => false,
          ));
        if (done) break;
        this.failed += 1;
        turn += 1;
        await pause(20);
      }
      this.longest = Math.max(this.longest, Date.now() - begun - (this.lateness.total - late));
      this.acknowledged.set(key, value);
      // A pace, not a pause: what was late is caught up with.
      next = Math.max(next + 1_000 / PER_LANE_AND_SECOND, Date.now() - 1_000);
      if (next > Date.now()) await pause(next - Date.now());
    }
  }

  private async readBack(): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    const end = base64('writer0');
    let from = base64('writer/');
    for (;;) {
      const [endpoint = ''] = this.endpoints();
      const answer = (await post(endpoint, '/v3/kv/range', { key: from, range_end: end, limit: 5_000 })) as {
        kvs?: { key: string; value: string }[];
        more?: boolean;
      };
      for (const { key, value } of answer.kvs ?? []) found.set(text(key), text(value));
      const last = answer.kvs?.at(-1);
      if (!answer.more || !last) return found;
      from = Buffer.concat([Buffer.from(last.key, 'base64'), Buffer.from([0])]).toString('base64');
    }
  }
}

/** Time in which this process did not come to run: nothing is to be learnt from it about anybody else. */
class Lateness {
  total = 0;
  private due = Date.now() + TICK;
  private readonly timer = setInterval(() => {
    const late = Date.now() - this.due;
    if (late > STALL) this.total += late;
    this.due = Date.now() + TICK;
  }, TICK);

  stop(): number {
    clearInterval(this.timer);
    return this.total;
  }
}

const base64 = (value: string): string => Buffer.from(value).toString('base64');
const text = (value: string): string => Buffer.from(value, 'base64').toString();
const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

/** One call of the gateway; rejects unless it is answered with 200. */
export function post(endpoint: string, path: string, body: unknown, limitMs = 60_000): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${endpoint}${path}`,
      { method: 'POST', signal: AbortSignal.timeout(limitMs) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(JSON.parse(answer));
          else reject(new Error(`${response.statusCode} ${answer}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
}
