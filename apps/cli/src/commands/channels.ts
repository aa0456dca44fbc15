import type { Command } from 'commander';
import { paint, print, short, table } from '../output.js';
import type { ChannelAnswer } from './answers.js';
import { client, formatOf } from './session.js';

export function addChannels(program: Command): void {
  program
    .command('channels')
    .description('where each channel stands, and why its revision is not further')
    .action(async (_options: object, command: Command) => {
      const answer = await client().get<{ items: ChannelAnswer[] }>('/api/v1/channels');
      print(formatOf(command), answer.items, () => channelsText(answer.items));
    });
}

function channelsText(channels: readonly ChannelAnswer[]): string {
  const rows = channels.map((channel) => [
    channel.name,
    short(channel.head?.commit),
    channel.paused_reason === undefined ? (channel.head?.phase ?? '-') : paint('red', 'paused'),
    channel.head ? `${channel.head.wave}/${channel.head.waves}` : '-',
    channel.head?.subject ?? '',
  ]);
  const lines = [table(['CHANNEL', 'COMMIT', 'PHASE', 'WAVE', 'SUBJECT'], rows)];
  for (const channel of channels) {
    if (channel.paused_reason !== undefined) lines.push(`${channel.name}: paused, ${channel.paused_reason}`);
    if (channel.git.problem)
      lines.push(`${channel.name}: Git: ${channel.git.problem.detail ?? channel.git.problem.title}`);
    if (channel.policy_problem)
      lines.push(
        `${channel.name}: policy: ${channel.policy_problem.detail ?? channel.policy_problem.title}; nothing moves here until it is mended`,
      );
    for (const reason of channel.head?.why_not_yet ?? []) {
      const when = reason.next_change_at === undefined ? '' : ` (can change at ${reason.next_change_at})`;
      lines.push(`${channel.name}: ${reason.gate} ${reason.state}: ${reason.message}${when}`);
    }
  }
  return lines.join('\n');
}
