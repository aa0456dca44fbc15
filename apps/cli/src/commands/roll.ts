import type { Command } from 'commander';
import { formatDuration } from '#kernel';
import { EXIT } from '../exit-codes.js';
import { etaText, paint, print, table } from '../output.js';
import type { RollAnswer, RollPlanAnswer } from './roll-answers.js';
import { client, formatOf } from './session.js';

const path = (cluster: string, rest = ''): string =>
  `/api/v1/clusters/${encodeURIComponent(cluster)}/roll${rest}`;

export function addRoll(program: Command): void {
  const roll = program.command('roll').description('replacement of outdated nodes');
  roll
    .command('status <cluster>')
    .description('every node, what blocks it, and how long it will take')
    .action(async (name: string, _options: object, command: Command) => {
      const answer = await client().get<RollAnswer>(path(name));
      print(formatOf(command), answer, () => rollText(answer));
      if (answer.phase === 'blocked') process.exitCode = EXIT.blocked;
    });
  roll
    .command('plan <cluster>')
    .description('which nodes the newest update replaces, and what will stand in the way')
    .action(async (name: string, _options: object, command: Command) => {
      const plan = await client().get<RollPlanAnswer>(path(name, '/plan'));
      print(formatOf(command), plan, () => planText(plan));
    });
  addWish(roll, 'resume', 'go on after a pause, a halt or an abort');
  addWish(roll, 'abort', 'end it: undrained nodes back to work, sizes and marks as before');
  roll
    .command('pause <cluster>')
    .description('start no further node; the one in flight finishes')
    .requiredOption('--reason <text>', 'why, for everybody who looks')
    .option('--pool <name>', 'this pool only')
    .action(async (name: string, options: { reason: string; pool?: string }, command: Command) => {
      const answer = await client().post<{ paused: RollAnswer['paused'] }>(path(name, '/pause'), options);
      print(formatOf(command), answer, () =>
        answer.paused.map((hold) => `${hold.pool} is paused: ${hold.reason} (${hold.owner})`).join('\n'),
      );
    });
}

function addWish(roll: Command, verb: 'resume' | 'abort', description: string): void {
  roll
    .command(`${verb} <cluster>`)
    .description(description)
    .requiredOption('--reason <text>', 'why, for the record')
    .action(async (name: string, options: { reason: string }, command: Command) => {
      const answer = await client().post<object>(path(name, `/${verb}`), { reason: options.reason });
      print(formatOf(command), answer, () => `asked to ${verb} the roll of ${name}; see fairway roll status`);
    });
}

function rollText(answer: RollAnswer): string {
  const step = answer.steps.find(({ state }) => state !== 'done' && state !== 'pending');
  const progress = step?.progress
    ? ` ${step.progress.done} of ${step.progress.total} ${step.progress.unit}`
    : '';
  const lines = [`${answer.alias}: ${answer.phase}${progress}. ${answer.message}`];
  if (step?.unblock !== undefined && !answer.message.includes(step.unblock)) lines.push(`→ ${step.unblock}`);
  for (const hold of answer.paused)
    lines.push(`${hold.pool} is paused by ${hold.owner} since ${hold.since}: ${hold.reason}`);
  for (const wish of answer.requests) lines.push(`asked by ${wish.actor}: ${wish.kind} (${wish.reason})`);
  if (answer.eta_ms !== undefined) lines.push(etaText(answer.eta_ms, answer.eta_if));
  if (answer.pools.length > 0) lines.push('', poolTable(answer));
  if (answer.nodes.length === 0) return [...lines, 'no roll is under way'].join('\n');
  return [...lines, '', nodeTable(answer)].join('\n');
}

function poolTable({ pools }: RollAnswer): string {
  const rows = pools.map((pool) => [
    pool.group,
    `${pool.nodes.done} of ${pool.nodes.total}`,
    formatDuration(pool.observedMs),
    pool.eta === undefined ? '' : pool.eta.toFixed(2),
    formatDuration(pool.bootMs),
    formatDuration(pool.drainMs),
    idleText(pool.spent),
  ]);
  return table(['GROUP', 'REPLACED', 'TIME', 'η', 'BOOT', 'DRAIN', 'WAITED FOR'], rows);
}

/** The causes that cost most, work aside. */
function idleText(spent: Readonly<Record<string, number>>): string {
  return Object.entries(spent)
    .filter(([cause, ms]) => cause !== 'drain' && ms >= 1_000)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([cause, ms]) => `${cause} ${formatDuration(ms)}`)
    .join(', ');
}

function nodeTable({ nodes }: RollAnswer): string {
  const now = Date.now();
  const rows = nodes.map((node) => [
    node.pool,
    node.instanceId,
    node.zone,
    node.outdated ? 'old' : 'new',
    node.note === undefined ? node.state : paint('yellow', node.state),
    formatDuration(now - node.since),
    node.note ?? '',
  ]);
  return table(['POOL', 'INSTANCE', 'ZONE', 'AGE', 'STATE', 'SINCE', 'NOTE'], rows);
}

function planText(plan: RollPlanAnswer): string {
  const rows = plan.pools.map((pool) => [
    pool.pool,
    pool.master ? 'master' : 'worker',
    `${pool.outdated.length} of ${pool.total}`,
    pool.reason,
  ]);
  const blockers = plan.blockers.map(
    ({ what, remedy, owner }) => `! ${what}${owner === undefined ? '' : ` Owner: ${owner}.`} → ${remedy}`,
  );
  const condition = blockers.length === 0 ? '' : ' if what is named here lets its nodes go:';
  const time =
    plan.estimate_ms === undefined ? [] : [`about ${formatDuration(plan.estimate_ms)}${condition}`];
  const unknown = (plan.unknown ?? []).map((what) => `? not known: ${what}`);
  return [table(['POOL', 'KIND', 'REPLACED', 'WHY'], rows), ...time, ...blockers, ...unknown].join('\n');
}
