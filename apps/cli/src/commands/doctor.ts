import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import { paint, print } from '../output.js';
import { wrap } from '../wrap.js';
import { inspect, type InspectOptions } from './inspect.js';
import type { DoctorAnswer, FindingAnswer } from './inspection-answers.js';
import { formatOf } from './session.js';

const VERDICTS = {
  ok: 'nothing found',
  warnings: 'nothing urgent found',
  errors: 'needs attention',
  unknown: 'nothing found in what could be read',
} as const;

const COLOURS: Readonly<Record<string, 'red' | 'yellow' | 'green' | 'grey'>> = {
  critical: 'red',
  error: 'red',
  warning: 'yellow',
  findings: 'yellow',
  unknown: 'yellow',
  ok: 'green',
};

/** `fairway doctor kube-1`: exit code 4 for errors, 1 where something could not be read, 0 otherwise. */
export function addDoctor(program: Command): void {
  program
    .command('doctor <cluster>')
    .description('what is wrong with a cluster, why it matters, and what to do')
    .option('--last', 'the newest report instead of a new look')
    .option('--wait <seconds>', 'how long to wait for a worker', '120')
    .action(async (name: string, options: InspectOptions, command: Command) => {
      const report = await inspect<DoctorAnswer>(name, 'doctor', {}, options);
      print(formatOf(command), report, () => doctorText(name, report));
      process.exitCode =
        report.verdict === 'errors' ? EXIT.blocked : report.verdict === 'unknown' ? EXIT.error : EXIT.ok;
    });
}

export function doctorText(name: string, report: DoctorAnswer): string {
  const version = report.server_version === undefined ? '' : `, Kubernetes ${report.server_version}`;
  const width = Math.max(...report.checks.map(({ check }) => check.length));
  return [
    wrap(`${name}: ${VERDICTS[report.verdict]} (${report.at.slice(0, 16).replace('T', ' ')} UTC${version})`),
    '',
    ...report.checks.map(({ check, state, summary }) => checkLine(check.padEnd(width), state, summary)),
    ...report.findings.map(findingText),
  ].join('\n');
}

function checkLine(check: string, state: string, summary: string): string {
  const word = state === 'not-applicable' ? 'none' : state;
  const line = wrap(summary, `  ${word.padEnd(8)}  ${check}  `);
  return line.replace(word, paint(COLOURS[state] ?? 'grey', word));
}

export function findingText(finding: FindingAnswer): string {
  const { severity, code, subject, message, reason, remedy, since } = finding;
  const head = wrap(`${severity} ${code}: ${subject}`);
  const seen =
    since === undefined ? message : `${message} (since ${since.slice(0, 16).replace('T', ' ')} UTC)`;
  return [
    '',
    head.replace(severity, paint(COLOURS[severity] ?? 'grey', severity)),
    wrap(seen, '  '),
    wrap(reason, '  why  '),
    wrap(remedy, '  do   '),
  ].join('\n');
}
