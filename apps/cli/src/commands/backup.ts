import type { Command } from 'commander';
import { CommandError, EXIT } from '../exit-codes.js';
import { paint, print, table } from '../output.js';
import type { BackupAnswer, BackupList, RequestAnswer, RestorePlanAnswer } from './backup-answers.js';
import { client, formatOf } from './session.js';

const POLL_MS = 1_000;

interface CreateOptions {
  readonly provider: readonly string[];
  readonly reason: string;
  readonly wait: string;
}

interface VerifyOptions {
  readonly drill?: boolean;
  readonly reason: string;
  readonly wait: string;
}

export function addBackup(program: Command): void {
  const backup = program
    .command('backup')
    .description('backups of clusters: evidence, verification, restore');
  addList(backup);
  addCreate(backup);
  addVerify(backup);
  addRestorePlan(backup);
  backup
    .command('approve <cluster> <backup>')
    .description('let a backup count from which Velero left something out')
    .requiredOption('--reason <text>', 'why that is good enough, for the record')
    .action(async (name: string, id: string, options: { reason: string }, command: Command) => {
      const answer = await client().post<BackupAnswer>(
        path(name, `/${encodeURIComponent(id)}/approve`),
        options,
      );
      print(formatOf(command), answer, () => `backup ${id} counts now, by ${answer.exception?.by}`);
    });
}

const path = (name: string, rest = ''): string =>
  `/api/v1/clusters/${encodeURIComponent(name)}/backups${rest}`;
const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

function addList(backup: Command): void {
  backup
    .command('list <cluster>')
    .description('what there is, newest first, and whether it opens the gate; exit code 4 if not')
    .option('--limit <n>', 'at most so many', '20')
    .action(async (name: string, { limit }: { limit: string }, command: Command) => {
      const answer = await client().get<BackupList>(path(name, `?limit=${encodeURIComponent(limit)}`));
      print(formatOf(command), answer, () => listText(answer));
      if (answer.gate?.open === false) process.exitCode = EXIT.blocked;
    });
}

function addCreate(backup: Command): void {
  backup
    .command('create <cluster>')
    .description('make a backup now and wait for it')
    .option(
      '--provider <name>',
      'etcd, velero or resources; may be repeated (default: all configured)',
      collect,
      [],
    )
    .option('--reason <text>', 'why, for the record', 'asked for on the command line')
    .option('--wait <seconds>', 'how long to wait; 0: not at all', '600')
    .action(async (name: string, { provider, reason, wait }: CreateOptions, command: Command) => {
      const wish = { providers: provider, reason };
      await askAndWait(name, '', wish, Number(wait), command);
    });
}

function addVerify(backup: Command): void {
  backup
    .command('verify <cluster> [backup]')
    .description('read a backup back to its end (the newest etcd snapshot where none is named)')
    .option('--drill', 'restore it into a scratch etcd and compare revision and keys')
    .option('--reason <text>', 'why, for the record', 'asked for on the command line')
    .option('--wait <seconds>', 'how long to wait; 0: not at all', '600')
    .action(async (name: string, id: string | undefined, options: VerifyOptions, command: Command) => {
      const { drill = false, reason, wait } = options;
      await askAndWait(name, '/verify', { backup: id, drill, reason }, Number(wait), command);
    });
}

function addRestorePlan(backup: Command): void {
  backup
    .command('restore-plan <cluster>')
    .description('the exact steps with which people restore this cluster')
    .option('--backup <id>', 'from this one (default: the newest good one)')
    .action(async (name: string, { backup: id }: { backup?: string }, command: Command) => {
      const query = id === undefined ? '' : `?backup=${encodeURIComponent(id)}`;
      const plan = await client().get<RestorePlanAnswer>(path(name, `/restore-plan${query}`));
      print(formatOf(command), plan, () => planText(plan));
    });
}

async function askAndWait(
  name: string,
  rest: string,
  wish: object,
  seconds: number,
  command: Command,
): Promise<void> {
  if (!Number.isFinite(seconds) || seconds < 0)
    throw new CommandError('--wait is a number of seconds', EXIT.usage);
  const { request } = await client().post<{ request: string }>(path(name, rest), wish);
  const deadline = Date.now() + seconds * 1000;
  const look = (): Promise<RequestAnswer> => client().get(path(name, `/requests/${request}`));
  let answer = await look();
  while (answer.settled_at === undefined && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    answer = await look();
  }
  print(
    formatOf(command),
    answer,
    () => answer.result ?? `asked for (${request}); see fairway backup list ${name}`,
  );
  if (/(^|; )((refused|failed|damaged|not verified)\b|\w+ \S+ (failed|partial):)/.test(answer.result ?? ''))
    process.exitCode = EXIT.blocked;
}

function listText(answer: BackupList): string {
  const gate = answer.gate;
  const verdict =
    gate === undefined
      ? (answer.problem ?? 'no backup is configured')
      : `${gate.open ? paint('green', 'gate open') : paint('red', 'gate shut')}: ${gate.reasons.join('; ')}`;
  const rows = answer.backups.map((backup) => [
    backup.id,
    backup.provider,
    paint(COLOURS[backup.state] ?? 'grey', backup.state),
    backup.started_at.slice(0, 16).replace('T', ' '),
    backup.size_bytes === undefined ? '-' : sizeText(backup.size_bytes),
    backup.revision ?? '-',
    backup.items === undefined ? '-' : String(backup.items),
    backup.drill ? 'restored' : backup.verified_at === undefined ? '-' : 'read back',
    backup.exception
      ? `${backup.message} (approved by ${backup.exception.by}: ${backup.exception.reason})`
      : backup.message,
  ]);
  const heading = ['ID', 'PROVIDER', 'STATE', 'TAKEN (UTC)', 'SIZE', 'REVISION', 'ITEMS', 'PROOF', 'MESSAGE'];
  return rows.length === 0 ? verdict : [verdict, '', table(heading, rows)].join('\n');
}

const COLOURS: Readonly<Record<string, 'red' | 'yellow' | 'green' | 'grey'>> = {
  good: 'green',
  partial: 'yellow',
  running: 'yellow',
  failed: 'red',
  damaged: 'red',
};

function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step]}`;
}

function planText(plan: RestorePlanAnswer): string {
  const warnings = plan.warnings.map((warning) => `! ${warning}`);
  const steps = plan.steps.flatMap(({ title, commands, note }, index) => [
    '',
    `${index + 1}. ${title}`,
    ...commands.map((command) => `     ${command}`),
    ...(note === undefined ? [] : [`   ${note}`]),
  ]);
  return [plan.summary, ...warnings, ...steps].join('\n');
}
