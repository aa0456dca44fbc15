import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { calibrate } from './lib/calibration.js';
import type { Metric, Suite } from './lib/metric.js';
import { compare, table, type BenchReport } from './lib/report.js';
import { rounded } from './lib/stats.js';
import { decideSuite } from './suites/decide.js';
import { idleSuite } from './suites/idle.js';
import { junitSuite } from './suites/junit.js';
import { latencySuite } from './suites/latency.js';
import { manifestsSuite } from './suites/manifests.js';
import { memorySuite } from './suites/memory.js';
import { noopSuite } from './suites/noop.js';
import { renderSuite } from './suites/render.js';
import { rollSuite } from './suites/roll.js';
import { transitionsSuite } from './suites/transitions.js';
import { waitingSuite } from './suites/waiting.js';

const SUITES: Readonly<Record<string, Suite>> = {
  render: renderSuite,
  noop: noopSuite,
  memory: memorySuite,
  idle: idleSuite,
  junit: junitSuite,
  latency: latencySuite,
  decide: decideSuite,
  roll: rollSuite,
  transitions: transitionsSuite,
  waiting: waitingSuite,
  manifests: manifestsSuite,
};
const BASELINE = fileURLToPath(new URL('baseline.json', import.meta.url));
const RESULTS = fileURLToPath(new URL('results', import.meta.url));
const USAGE = `npm run bench -- [${Object.keys(SUITES).join('|')} ...] [--accept] [--no-compare]
  --accept      these figures become the baseline (of the suites that ran)
  --no-compare  only measure
`;

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = [...names.filter((name) => !(name in SUITES)), ...flags.filter((flag) => !isFlag(flag))];
if (unknown.length > 0) {
  process.stderr.write(`unknown: ${unknown.join(', ')}\n${USAGE}`);
  process.exit(2);
}
process.exit(await run(names.length > 0 ? names : Object.keys(SUITES)));

function isFlag(flag: string): boolean {
  return flag === '--accept' || flag === '--no-compare';
}

async function run(chosen: readonly string[]): Promise<number> {
  const calibrations = [calibrate()];
  const metrics: Metric[] = [];
  let broken = 0;
  for (const name of chosen) {
    const started = Date.now();
    const say = (text: string): void => void process.stdout.write(`  ${name}: ${text}\n`);
    process.stdout.write(`${name}\n`);
    try {
      metrics.push(...(await (SUITES[name] as Suite)({ say, calibration: () => Math.min(...calibrations) })));
    } catch (error) {
      broken += 1;
      say(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
    calibrations.push(calibrate());
    say(`${((Date.now() - started) / 1000).toFixed(1)} s`);
  }
  const report: BenchReport = {
    at: new Date().toISOString(),
    node: process.version,
    calibrationMs: rounded(Math.min(...calibrations)),
    metrics: metrics.map((metric) => ({ ...metric, value: rounded(metric.value) })),
  };
  return conclude(report, broken);
}

function conclude(report: BenchReport, broken: number): number {
  const baseline = flags.includes('--no-compare') ? undefined : readReport(BASELINE);
  const compared = compare(report, baseline);
  process.stdout.write(`\n${table(compared)}\n\ncalibration ${report.calibrationMs} ms`);
  process.stdout.write(baseline ? `, baseline ${baseline.calibrationMs} ms (${baseline.at})\n` : '\n');
  mkdirSync(RESULTS, { recursive: true });
  writeReport(`${RESULTS}/latest.json`, { ...report, metrics: compared });
  if (flags.includes('--accept') && broken === 0) writeReport(BASELINE, accepted(report));
  const worse = compared.filter(({ verdict }) => verdict === 'worse');
  for (const metric of worse) {
    process.stdout.write(`worse than 1.5 times the baseline: ${metric.name} (x${metric.ratio})\n`);
  }
  for (const metric of compared.filter(({ missesTarget }) => missesTarget)) {
    process.stdout.write(
      `misses its target: ${metric.name} is ${metric.value} ${metric.unit}, wanted ${metric.target}\n`,
    );
  }
  return broken > 0 || (worse.length > 0 && !flags.includes('--accept')) ? 1 : 0;
}

/** Figures of suites that did not run stay, brought to this run's speed of the machine. */
function accepted(report: BenchReport): BenchReport {
  const before = readReport(BASELINE);
  const fresh = new Set(report.metrics.map(({ name }) => name.split('.')[0]));
  const kept = (before?.metrics ?? [])
    .filter(({ name }) => !fresh.has(name.split('.')[0]))
    .map((metric) =>
      metric.kind === 'cpu' && before
        ? { ...metric, value: rounded((metric.value * report.calibrationMs) / before.calibrationMs) }
        : metric,
    );
  return { ...report, metrics: [...kept, ...report.metrics] };
}

function readReport(file: string): BenchReport | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as BenchReport) : undefined;
}

function writeReport(file: string, report: BenchReport): void {
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}
