import type { Command } from 'commander';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { CommandError, EXIT } from '../exit-codes.js';
import { paint, print, short, table } from '../output.js';
import { client, formatOf } from './session.js';

interface RunAnswer {
  readonly id: string;
  readonly cluster: string;
  readonly suite: string;
  readonly commit: string;
  readonly attempt: number;
  readonly state: string;
  readonly verdict?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly executed?: number;
  readonly failed_tests: readonly string[];
}

interface TestAnswer {
  readonly suite: string;
  readonly test: string;
  readonly failures: number;
  readonly runs: number;
  readonly failure_rate: number;
  readonly flaked: number;
}

const BASE = '/api/v1/conformance';

export function addConformance(program: Command): void {
  const conformance = program.command('conformance').description('runs of conformance tests');
  conformance
    .command('run <cluster> <suite>')
    .description('run a suite on what the cluster has now')
    .requiredOption('--reason <text>', 'why')
    .action(async (cluster: string, suite: string, { reason }: { reason: string }, command: Command) => {
      const run = await client().post<RunAnswer>(BASE, { cluster, suite, reason });
      print(formatOf(command), run, () => `${run.id}: ${run.suite} waits to run on ${run.cluster}`);
    });
  conformance
    .command('results [run]')
    .description('verdicts; with the id of a run all of it')
    .option('--channel <channel>', 'only this channel')
    .option('--cluster <cluster>', 'only this cluster')
    .action(async (id: string | undefined, filters: Record<string, string>, command: Command) => {
      if (id !== undefined) return showRun(id, command);
      const answer = await client().get<{ items: RunAnswer[] }>(`${BASE}?${new URLSearchParams(filters)}`);
      print(formatOf(command), answer.items, () => runsText(answer.items));
    });
  addRunDetails(conformance);
}

interface LogsAnswer {
  readonly state: string;
  readonly message?: string;
  readonly from: number;
  readonly next: number;
  readonly text: string;
  readonly complete: boolean;
}

const FOLLOW_EVERY_MS = 2_000;

function addRunDetails(conformance: Command): void {
  conformance
    .command('logs <run>')
    .description('what the tests of a run printed, also when its Job is gone; secrets are masked')
    .option('-f, --follow', 'go on until the run has ended')
    .option('--tail <lines>', 'only the last lines of what is there', lineCount)
    .action(async (id: string, options: { follow?: boolean; tail?: number }, command: Command) => {
      const path = `${BASE}/${encodeURIComponent(id)}/logs`;
      const first = await client().get<LogsAnswer>(path);
      const shown = { ...first, text: lastLines(first.text, options.tail) };
      if (formatOf(command) !== 'table') return print(formatOf(command), shown, () => '');
      await writeOut(shown.text);
      const last = options.follow === true ? await followLogs(path, first) : first;
      const said = last.message === undefined || last.message === '' ? '' : `: ${last.message}`;
      // Not among the lines of the tests: what is piped on is the log alone.
      process.stderr.write(`${last.next === 0 ? 'nothing was printed yet; ' : ''}${last.state}${said}\n`);
    });
  conformance
    .command('tests')
    .description('tests that failed, and those that flake')
    .option('--channel <channel>', 'only this channel')
    .action(async (filters: Record<string, string>, command: Command) => {
      const answer = await client().get<{ items: TestAnswer[] }>(
        `${BASE}/tests?${new URLSearchParams(filters)}`,
      );
      print(formatOf(command), answer.items, () => testsText(answer.items));
    });
}

function lineCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new CommandError(`"${text}" is no number of lines`, EXIT.usage);
}

const lastLines = (text: string, lines: number | undefined): string =>
  lines === undefined
    ? text
    : text
        .split('\n')
        .slice(-(lines + 1))
        .join('\n');

async function followLogs(path: string, first: LogsAnswer): Promise<LogsAnswer> {
  let last = first;
  while (!last.complete) {
    await delay(FOLLOW_EVERY_MS);
    const more = await client().get<LogsAnswer>(`${path}?after=${last.next}`);
    if (more.from > last.next) await writeOut('[… some of it was dropped before it was read …]\n');
    await writeOut(more.text);
    last = more;
  }
  return last;
}

/** Waits for slow readers: a log may be long. */
async function writeOut(text: string): Promise<void> {
  if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
}

async function showRun(id: string, command: Command): Promise<void> {
  const run = await client().get<RunAnswer>(`${BASE}/${encodeURIComponent(id)}`);
  print(formatOf(command), run, () =>
    [
      runsText([run]),
      run.message ?? '',
      ...run.failed_tests.map((test) => `  ${paint('red', 'failed')} ${test}`),
    ].join('\n'),
  );
  if (run.verdict === 'fail') process.exitCode = EXIT.blocked;
}

const runsText = (runs: readonly RunAnswer[]): string =>
  table(
    ['RUN', 'CLUSTER', 'SUITE', 'COMMIT', 'TRY', 'VERDICT', 'REASON', 'TESTS', 'FAILED'],
    runs.map((run) => [
      run.id,
      run.cluster,
      run.suite,
      short(run.commit),
      String(run.attempt),
      run.verdict ?? run.state,
      run.reason ?? '-',
      String(run.executed ?? '-'),
      String(run.failed_tests.length),
    ]),
  );

const testsText = (tests: readonly TestAnswer[]): string =>
  table(
    ['SUITE', 'FAILED', 'RUNS', 'RATE', 'FLAKED', 'TEST'],
    tests.map((one) => [
      one.suite,
      String(one.failures),
      String(one.runs),
      `${(one.failure_rate * 100).toFixed(1)}%`,
      String(one.flaked),
      one.test,
    ]),
  );
