import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
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
  readonly log?: readonly { readonly at: string; readonly message: string }[];
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

function addRunDetails(conformance: Command): void {
  conformance
    .command('logs <run>')
    .description('what happened in a run, and how far it is')
    .action(async (id: string, _options: object, command: Command) => {
      const run = await client().get<RunAnswer>(`${BASE}/${encodeURIComponent(id)}`);
      const lines = [
        ...(run.log ?? []).map((line) => `${line.at} ${line.message}`),
        `${run.state}: ${run.message ?? ''}`,
      ];
      print(formatOf(command), run.log ?? [], () => lines.join('\n'));
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
