import type { Command } from 'commander';
import { formatDuration } from '#kernel';
import { CommandError, EXIT } from '../exit-codes.js';
import { type PlanOptions, withClusterOptions, withOfflineOptions } from '../offline/offline-options.js';
import { readData } from '../offline/read-file.js';
import { etaText, paint, print, short, table } from '../output.js';
import { client, formatOf } from './session.js';
import type { ClusterDetail, ClusterSummary, PlanAnswer } from './answers.js';

export function addClusters(program: Command): void {
  const clusters = program.command('clusters').description('the fleet’s clusters');
  clusters
    .command('list')
    .description('one line per cluster')
    .option('--channel <channel>', 'only this channel')
    .option('--phase <phase>', 'only this phase')
    .action(async (options: { channel?: string; phase?: string }, command: Command) => {
      const query = new URLSearchParams(Object.entries(options) as [string, string][]);
      const answer = await client().get<{ items: ClusterSummary[] }>(`/api/v1/clusters?${query}`);
      print(formatOf(command), answer.items, () => clusterTable(answer.items));
    });
  clusters
    .command('get <cluster>')
    .description('one cluster, by id or alias: phase, steps, problems')
    .action(async (name: string, _options: object, command: Command) => {
      const cluster = await client().get<ClusterDetail>(`/api/v1/clusters/${encodeURIComponent(name)}`);
      print(formatOf(command), cluster, () => clusterText(cluster));
    });
  clusters
    .command('register <file>')
    .description('register a cluster record (JSON or YAML as in the registry API; - reads standard input)')
    .action(async (file: string, _options: object, command: Command) => {
      const record = readData(file);
      const created = await client().post<{ id: string; alias: string }>('/kubernetes-clusters', record);
      print(formatOf(command), created, () => `registered ${created.alias} (${created.id})`);
    });
  clusters
    .command('decommission <cluster>')
    .description('take a cluster down, after the grace period')
    .requiredOption('--confirm <id>', 'the id of the cluster, as confirmation')
    .requiredOption('--reason <text>', 'why')
    .action(async (name: string, options: { confirm: string; reason: string }) => {
      await client().post(`/api/v1/clusters/${encodeURIComponent(name)}/decommission`, options);
      process.stdout.write(`decommission of ${name} is requested; it begins after the grace period\n`);
    });
  addPlan(program);
}

function addPlan(program: Command): void {
  withClusterOptions(withOfflineOptions(program.command('plan [cluster]')))
    .description(
      'what the newest update of a cluster changes; --offline: what a change of the repository would',
    )
    .option('--from <revision>', 'offline: compare with this revision of the repository (default: HEAD)')
    .option('--to <revision>', 'offline: the revision to look at (default: the files as they are)')
    .option('--against <dir>', 'offline: compare with this directory')
    .option('--out <dir>', 'offline: write one diff per cluster here')
    .action(async (name: string | undefined, options: PlanOptions, command: Command) => {
      if (options.offline) {
        if (name !== undefined)
          throw new CommandError('plan --offline takes no cluster', EXIT.usage, `Add --cluster ${name}.`);
        const { planOffline } = await import('../offline/plan-offline.js');
        return planOffline(options, command);
      }
      if (name === undefined)
        throw new CommandError('no cluster is given', EXIT.usage, 'Name one, or add --offline.');
      return planOnline(name, command);
    });
}

async function planOnline(name: string, command: Command): Promise<void> {
  const answer = await client().get<PlanAnswer>(`/api/v1/clusters/${encodeURIComponent(name)}/plan`);
  print(formatOf(command), answer, () => planText(answer));
  if (answer.state === 'running' && pendingChanges(answer) > 0) process.exitCode = EXIT.changesPending;
}

function clusterTable(items: readonly ClusterSummary[]): string {
  return table(
    ['ALIAS', 'CHANNEL', 'PHASE', 'STEP', 'PROGRESS', 'VERSION', 'NEXT', 'MESSAGE'],
    items.map((item) => [
      item.alias,
      item.channel,
      paintPhase(item.phase),
      item.step ?? '-',
      item.progress ? `${item.progress.done}/${item.progress.total} ${item.progress.unit}` : '-',
      short(item.current_version),
      short(item.next_version),
      item.message,
    ]),
  );
}

function paintPhase(phase: string): string {
  if (phase === 'ready') return paint('green', phase);
  if (['failed', 'stalled', 'halted'].includes(phase)) return paint('red', phase);
  if (phase === 'blocked' || phase === 'held') return paint('yellow', phase);
  return paint('blue', phase);
}

function clusterText(cluster: ClusterDetail): string {
  const lines = [
    `${cluster.alias} (${cluster.id})`,
    `channel ${cluster.channel}, ${paintPhase(cluster.phase)}: ${cluster.message}`,
    `version ${short(cluster.current_version)}, next ${short(cluster.next_version)}, last ${short(cluster.last_version)}`,
  ];
  if (cluster.eta_ms !== undefined) lines.push(etaText(cluster.eta_ms, cluster.eta_if));
  lines.push(
    '',
    table(
      ['STEP', 'STATE', 'MESSAGE'],
      cluster.steps.map((step) => [step.kind, step.state, step.message]),
    ),
  );
  for (const problem of cluster.problems) {
    lines.push(
      '',
      `${paint(problem.severity === 'warning' ? 'yellow' : 'red', problem.severity)}: ${problem.title}`,
    );
    if (problem.detail !== undefined) lines.push(`  ${problem.detail}`);
    if (problem.hint !== undefined) lines.push(`  → ${problem.hint}`);
  }
  return lines.join('\n');
}

const pendingChanges = ({ plan }: PlanAnswer): number =>
  [...plan.stacks, ...plan.objects].filter((item) => item.action !== 'none').length +
  plan.nodes.reduce((sum, roll) => sum + roll.outdated.length, 0);

function planText({ plan, commit, state }: PlanAnswer): string {
  const lines = [`plan ${plan.digest.slice(7, 19)} to ${short(commit)} (update ${state})`];
  for (const stack of plan.stacks.filter(({ action }) => action !== 'none')) {
    lines.push(`  stack ${stack.action} ${stack.name}`, ...stack.changes.map((change) => `    ${change}`));
  }
  for (const object of plan.objects.filter(({ action }) => action !== 'none')) {
    const where = object.ref.namespace === undefined ? '' : `${object.ref.namespace}/`;
    const fields = object.fields.length > 0 ? `: ${object.fields.slice(0, 6).join(', ')}` : '';
    lines.push(
      `  object ${object.action} ${object.ref.kind} ${where}${object.ref.name} (${object.component})${fields}`,
    );
  }
  for (const { ref, component, kept } of plan.objects) {
    if (kept === undefined) continue;
    const where = ref.namespace === undefined ? '' : `${ref.namespace}/`;
    lines.push(`  object kept ${ref.kind} ${where}${ref.name} (${component}), though it left Git: ${kept}`);
  }
  for (const roll of plan.nodes.filter(({ outdated }) => outdated.length > 0)) {
    lines.push(`  roll ${roll.pool}: ${roll.outdated.length} of ${roll.total} nodes (${roll.reason})`);
  }
  for (const { what, remedy, owner } of plan.blockers)
    lines.push(`  foreseen: ${what}${owner === undefined ? '' : ` Owner: ${owner}.`} → ${remedy}`);
  for (const what of plan.unknown ?? []) lines.push(`  not known: ${what}`);
  if (lines.length === 1) lines.push('  nothing to change');
  if (plan.estimate !== undefined) lines.push(`  estimated ${formatDuration(plan.estimate)}`);
  return lines.join('\n');
}
