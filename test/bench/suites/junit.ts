import { randomBytes } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import { extractJUnit } from '#promotion';
import type { Metric, Suite } from '../lib/metric.js';

const MEMBER = 16 * 1024 * 1024;
const LINE = /.{1,76}/g;

/** Members of gzip may follow one another: 64 of 16 MiB are one file of 1 GiB. */
const gibibyte = (text: string): string => {
  const packed = gzipSync(Buffer.alloc(MEMBER, text), { level: 1 });
  return Buffer.concat(Array.from({ length: 64 }, () => packed)).toString('base64');
};

const LOGS: Readonly<Record<string, () => string>> = {
  blanks: () => gibibyte(' '),
  testcases: () => gibibyte('<testcase name="[sig-node] passes"/>\n'),
  unpackable: () => randomBytes(24 * 1024 * 1024).toString('base64'),
};

/** A hostile JUnit file of 1 GiB: how long others wait for their turn, and how much memory the reader takes. */
export const junitSuite: Suite = async ({ say }) => {
  const metrics: Metric[] = [];
  for (const [name, make] of Object.entries(LOGS)) {
    const body = make().match(LINE)?.join('\n');
    const log = `-----BEGIN FAIRWAY JUNIT j.xml-----\n${body}\n-----END FAIRWAY JUNIT j.xml sha256=${'0'.repeat(64)}-----\n`;
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    let most = 0;
    const sampling = setInterval(() => (most = Math.max(most, process.memoryUsage().rss - before)), 5);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const read = await extractJUnit(log);
    delay.disable();
    clearInterval(sampling);
    const longest = delay.max / 1e6;
    const mebibytes = most / 1024 / 1024;
    say(
      `${name}: ${read.ok ? 'read' : read.error.reason}, longest turn ${longest.toFixed(0)} ms, +${mebibytes.toFixed(0)} MiB`,
    );
    metrics.push(
      { name: `junit.${name}.turn`, value: longest, unit: 'ms', kind: 'cpu', noise: 60, target: 200 },
      { name: `junit.${name}.memory`, value: mebibytes, unit: 'MiB', kind: 'memory', noise: 60, target: 300 },
    );
  }
  return metrics;
};
