import type { Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from '../api-client.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { print, short } from '../output.js';
import { gatesText } from './gates.js';
import { client, formatOf } from './session.js';

export interface RequestAnswer {
  readonly id: string;
  readonly kind: string;
  readonly channel: string;
  readonly state: string;
  readonly message?: string;
}

const TRIES = 60;
const EVERY_MS = 1_000;

/** Waits until a worker did what was asked for. Exit code 4 where it was refused. */
export async function followRequest(api: ApiClient, asked: RequestAnswer): Promise<RequestAnswer> {
  let now = asked;
  for (let tries = 0; now.state === 'open' && tries < TRIES; tries += 1) {
    await delay(EVERY_MS);
    now = await api.get<RequestAnswer>(`/api/v1/requests/${encodeURIComponent(asked.id)}`);
  }
  if (now.state === 'refused') process.exitCode = EXIT.blocked;
  return now;
}

export const requestText = (request: RequestAnswer): string =>
  `${request.channel}: ${request.kind} ${request.state}${request.message === undefined ? '' : `: ${request.message}`}`;

export const wholePath = (channel: string, rest: string): string =>
  `/api/v1/channels/${encodeURIComponent(channel)}/${rest}`;

interface Wish {
  readonly commit?: string;
  readonly reason?: string;
  readonly wait?: boolean;
  readonly expiresIn?: string;
}

export function addPromote(program: Command): void {
  program
    .command('promote <channel>')
    .description('bring what stands in the channel before into this one, when its gates are open')
    .requiredOption('--reason <text>', 'why')
    .option('--commit <commit>', 'this revision instead of the newest')
    .option('--no-wait', 'do not wait until it is done')
    .action(async (channel: string, { commit, reason, wait }: Wish, command: Command) => {
      const api = client();
      const asked = await api.post<RequestAnswer>(wholePath(channel, 'promotions'), { commit, reason });
      const done = wait === false ? asked : await followRequest(api, asked);
      print(formatOf(command), done, () => requestText(done));
    });
  addDecision(program, 'approve', 'say that a revision may enter the channel');
  addDecision(program, 'reject', 'say that a revision must not enter the channel: one rejection stops it');
  addBreakGlass(program);
}

interface DecisionAnswer {
  readonly by: string;
  readonly decision: string;
  readonly gates: Parameters<typeof gatesText>[0];
}

function addDecision(program: Command, decision: 'approve' | 'reject', description: string): void {
  const command = program
    .command(`${decision} <channel>`)
    .description(description)
    .option('--commit <commit>', 'this revision instead of the newest');
  if (decision === 'reject') command.requiredOption('--reason <text>', 'why');
  else command.option('--reason <text>', 'why');
  command.action(async (channel: string, { commit, reason }: Wish, self: Command) => {
    const body = { decision, commit, reason };
    const answer = await client().post<DecisionAnswer>(wholePath(channel, 'approvals'), body);
    print(formatOf(self), answer, () =>
      [`${decision === 'approve' ? 'approved' : 'rejected'} by ${answer.by}`, gatesText(answer.gates)].join(
        '\n',
      ),
    );
  });
}

function addBreakGlass(program: Command): void {
  program
    .command('break-glass <channel>')
    .description('let what is held on the channel roll out without its evidence; everybody is told')
    .requiredOption('--reason <text>', 'why')
    .requiredOption('--confirm <channel>', 'the name of the channel once more')
    .option('--commit <commit>', 'this revision instead of the newest')
    .option('--expires-in <duration>', 'how long it may be used, at most 7d', '24h')
    .action(async (channel: string, wish: Wish & { readonly confirm: string }, command: Command) => {
      if (wish.confirm !== channel)
        throw new CommandError(`--confirm says ${wish.confirm}, not ${channel}`, EXIT.usage);
      const body = { commit: wish.commit, reason: wish.reason, expires_in: wish.expiresIn };
      const answer = await client().post<{ commit: string; expires_at: string }>(
        wholePath(channel, 'break-glass'),
        body,
      );
      print(
        formatOf(command),
        answer,
        () => `${channel}: the glass is broken for ${short(answer.commit)} until ${answer.expires_at}`,
      );
    });
}
