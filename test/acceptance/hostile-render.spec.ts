import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register, startBed, type Bed } from './support/bed.js';
import type { ConfigClone } from './support/config-clone.js';
import { WorkerProcess } from './support/worker-process.js';

/**
 * Of the thread that answers, while one answer is waited for. The product promises 100 ms on a clock; here its own work is
 * counted, whatever else the machine does. A render in the process itself took seconds of it.
 */
const HEALTH_MS = 200;
/** Until a cluster is created on a machine that has other things to do. */
const PATIENCE_MS = 200_000;
/** What a hostile configuration may add to the memory of a worker, which runs from source here. */
const MEMORY_MIB = 150;

const manifest = (name: string): string => `cluster/manifests/rbac/${name}.yaml`;
const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

/** Each takes as long, or as much memory, as it is let. */
const HOSTILE: Readonly<Record<string, string>> = {
  'endless-range': '{{range 9223372036854775807}}{{end}}',
  recursion: '{{define "r"}}{{template "r" .}}{{end}}{{template "r" .}}',
  exponential: `${lines(60, (i) => `{{define "t${i}"}}{{template "t${i + 1}"}}{{template "t${i + 1}"}}{{end}}`)}{{define "t60"}}x{{end}}{{template "t0"}}`,
  output: `{{range 200000}}${'x'.repeat(500)}{{end}}`,
  doubling: '{{$x := "0123456789"}}{{range 60}}{{$x = print $x $x "y"}}{{end}}',
  'wide-printf': '{{range 1000}}{{printf "%1000000d" 1}}{{end}}',
  aliases: `a: &a [x,x,x,x,x,x,x,x,x]\n${lines(
    9,
    (i) => `${'bcdefghij'[i]}: &${'bcdefghij'[i]} [${Array(9).fill(`*${'abcdefghi'[i]}`).join(',')}]`,
  )}`,
  constructor: '{{ .constructor }}',
  'long-map': `a: &x y\n${lines(45_000, (i) => `k${i}: a`)}`,
  'deep-yaml': '['.repeat(500_000),
};

/** Asks until its input ends, then says how long the thread that answers worked at most during one answer (ms). */
const ASK = `
import { readFileSync } from 'node:fs';
const [url, pid] = process.argv.slice(1);
// Nanoseconds on a processor; by the clock where the system does not tell.
const worked = () => {
  try {
    return Number(readFileSync('/proc/' + pid + '/task/' + pid + '/schedstat', 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return performance.now();
  }
};
let over = false;
process.stdin.resume().on('end', () => { over = true; });
let longest = 0;
for (let count = 0; !over; count += 1) {
  const before = worked();
  await (await fetch(url)).text();
  // The first answers are about this process's own start.
  if (count > 20) longest = Math.max(longest, worked() - before);
  await new Promise((wake) => setTimeout(wake, 10));
}
console.log(longest);
process.exit(0);
`;

describe('a hostile configuration', () => {
  let bed: Bed;
  let worker: WorkerProcess;
  let clone: ConfigClone;
  let good: string;

  beforeAll(async () => {
    bed = await startBed({
      worker: false,
      speed: 400,
      environment: { FAIRWAY_GIT_POLL_INTERVAL: '1s', FAIRWAY_WORKER_PORT: '0' },
    });
    worker = new WorkerProcess(bed.sandbox.environment);
    await register(bed, { alias: 'one', workers: 1 });
    await bed.ready('one', undefined, PATIENCE_MS);
    clone = await bed.clone();
    good = await clone.git('rev-parse', 'HEAD');
  }, PATIENCE_MS);
  afterAll(async () => {
    await worker.kill();
    await bed.close();
  });

  const healthz = (): string => {
    const url = worker.lines
      .map((line) => /"url":"([^"]+)"/.exec(line)?.[1])
      .find((found) => found !== undefined);
    if (url === undefined) throw new Error(`the worker tells no address:\n${worker.lines.join('\n')}`);
    return `${url}/healthz`;
  };

  /** The dearest answer of /healthz, in milliseconds, while `wait` lasts; asked by a process that does nothing else. */
  async function slowest(wait: Promise<unknown>): Promise<number> {
    const asking = spawn(process.execPath, [
      '--input-type=module',
      '--eval',
      ASK,
      healthz(),
      String(worker.pid),
    ]);
    let said = '';
    asking.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = new Promise((resolve) => asking.once('close', resolve));
    try {
      await wait;
    } finally {
      asking.stdin.end();
      await ended;
    }
    return Number(said);
  }

  const told = (words: RegExp) =>
    bed.until('one', `telling ${words}`, ({ problems }) => words.test(JSON.stringify(problems)), PATIENCE_MS);

  it('is refused with every file named, while the worker answers and stays small', async () => {
    const before = peakMib(worker.pid);
    for (const [name, text] of Object.entries(HOSTILE)) await clone.write(manifest(name), text);
    await clone.publish('hostile templates');
    const longest = await slowest(told(/more problems/));
    const { problems, current_version: current } = await bed.api.cluster('one');
    const text = JSON.stringify(problems);
    for (const name of Object.keys(HOSTILE)) expect(text).toContain(manifest(name));
    expect(current).toBe(good);
    // Something was measured.
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThan(HEALTH_MS);
    expect(peakMib(worker.pid) - before).toBeLessThan(MEMORY_MIB);
    expect(worker.alive).toBe(true);
  });
});

/** High-water mark of a process's memory; 0 where the system does not tell. */
function peakMib(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
