import type { Command } from 'commander';
import { formatDuration } from '#kernel';
import { EXIT } from '../exit-codes.js';
import { paint, print, table } from '../output.js';
import type { ClusterDetail } from './answers.js';
import { client, formatOf } from './session.js';

export function addRoll(program: Command): void {
  const roll = program.command('roll').description('replacement of outdated nodes');
  roll
    .command('status <cluster>')
    .description('every node, what blocks it, and how long it will take')
    .action(async (name: string, _options: object, command: Command) => {
      const cluster = await client().get<ClusterDetail>(`/api/v1/clusters/${encodeURIComponent(name)}`);
      print(formatOf(command), { phase: cluster.phase, nodes: cluster.nodes }, () => rollText(cluster));
      if (cluster.phase === 'blocked') process.exitCode = EXIT.blocked;
    });
}

function rollText(cluster: ClusterDetail): string {
  const step = cluster.steps.find(({ state }) => state !== 'done' && state !== 'pending');
  const progress = step?.progress
    ? ` ${step.progress.done} of ${step.progress.total} ${step.progress.unit}`
    : '';
  const lines = [`${cluster.alias}: ${cluster.phase}${progress}. ${cluster.message}`];
  if (step?.unblock !== undefined) lines.push(`→ ${step.unblock}`);
  if (cluster.eta_ms !== undefined) lines.push(`about ${formatDuration(cluster.eta_ms)} left`);
  if (cluster.nodes.length === 0) return [...lines, 'no roll is under way'].join('\n');
  const now = Date.now();
  const rows = cluster.nodes.map((node) => [
    node.pool,
    node.instanceId,
    node.zone,
    node.outdated ? 'old' : 'new',
    node.note === undefined ? node.state : paint('yellow', node.state),
    formatDuration(now - node.since),
    node.note ?? '',
  ]);
  return [...lines, '', table(['POOL', 'INSTANCE', 'ZONE', 'AGE', 'STATE', 'SINCE', 'NOTE'], rows)].join(
    '\n',
  );
}
