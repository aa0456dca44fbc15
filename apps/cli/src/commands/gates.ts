import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import { paint, print, short, table } from '../output.js';
import type { GateAnswer } from './answers.js';
import { client, formatOf } from './session.js';

interface GatesAnswer {
  readonly channel: string;
  readonly from: string;
  readonly commit: string;
  readonly subject: string;
  readonly promotion: string;
  readonly eligible: boolean;
  readonly already: boolean;
  readonly next_change_at?: string;
  readonly gates: readonly GateAnswer[];
}

/** `fairway gates stable`: every gate at once, exit code 4 while one is closed. */
export function addGates(program: Command): void {
  program
    .command('gates <channel>')
    .description('the gates of a channel for what wants in, and why not yet')
    .option('--commit <commit>', 'this revision instead of the newest of the channel before')
    .action(async (channel: string, { commit }: { commit?: string }, command: Command) => {
      const query = commit === undefined ? '' : `?${new URLSearchParams({ commit })}`;
      const answer = await client().get<GatesAnswer>(
        `/api/v1/channels/${encodeURIComponent(channel)}/gates${query}`,
      );
      print(formatOf(command), answer, () => gatesText(answer));
      if (!answer.eligible && !answer.already) process.exitCode = EXIT.blocked;
    });
}

const waitsForApproval = ({ gates }: GatesAnswer): boolean =>
  gates.every(({ gate, state }) => state === 'pass' || (gate === 'approvals' && state === 'pending'));

export function gatesText(answer: GatesAnswer): string {
  const rows = answer.gates.map((gate) => [
    gate.gate,
    gate.state === 'pass' ? gate.state : paint(gate.state === 'pending' ? 'yellow' : 'red', gate.state),
    gate.next_change_at ?? '-',
    gate.message,
  ]);
  const verdict = answer.already
    ? 'is there already'
    : answer.eligible
      ? answer.promotion === 'manual'
        ? `may go in: fairway promote ${answer.channel}`
        : 'goes in by itself'
      : waitsForApproval(answer)
        ? `waits for a person: fairway approve ${answer.channel}`
        : `may not go in yet${answer.next_change_at === undefined ? '' : `; can change at ${answer.next_change_at}`}`;
  return [
    `${short(answer.commit)} ${answer.subject}: ${answer.from} → ${answer.channel}: ${verdict}`,
    table(['GATE', 'STATE', 'CHANGES', 'WHY'], rows),
  ].join('\n');
}
