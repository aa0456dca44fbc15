import type { Command } from 'commander';
import { CommandError, EXIT } from '../exit-codes.js';
import { print, table } from '../output.js';
import { client, formatOf } from './session.js';

interface DeliveryAnswer {
  readonly id: string;
  readonly route: string;
  readonly type: string;
  readonly state: string;
  readonly attempt: number;
  readonly due_at: string;
  readonly reason?: string;
}

const BASE = '/api/v1/notifications';

export function addNotify(program: Command): void {
  const notify = program.command('notify').description('notifications and their deliveries');
  notify
    .command('test')
    .description('send one message to every route')
    .option('--channel <channel>', 'as if it were about this channel')
    .action(async ({ channel }: { channel?: string }, command: Command) => {
      const answer = await client().post<{ routes: string[] }>(`${BASE}/test`, { channel });
      print(
        formatOf(command),
        answer,
        () => `on its way to: ${answer.routes.join(', ') || 'nobody, no route is configured'}`,
      );
    });
  notify
    .command('deliveries')
    .description('the delivery log; --state dead shows what never arrived')
    .option('--state <state>', 'pending, delivered or dead')
    .option('--route <route>', 'only this route')
    .action(async (filters: Record<string, string>, command: Command) => {
      const answer = await client().get<{ items: DeliveryAnswer[] }>(
        `${BASE}/deliveries?${new URLSearchParams(filters)}`,
      );
      print(formatOf(command), answer.items, () =>
        table(
          ['ID', 'ROUTE', 'EVENT', 'STATE', 'TRIES', 'DUE', 'REASON'],
          answer.items.map((one) => [
            one.id,
            one.route,
            one.type,
            one.state,
            String(one.attempt),
            one.due_at,
            one.reason ?? '',
          ]),
        ),
      );
    });
  addReplay(notify);
}

function addReplay(notify: Command): void {
  notify
    .command('replay [id]')
    .description('send a delivery again, or with --route all dead ones of a route')
    .option('--route <route>', 'all dead deliveries of this route; it is enabled again')
    .action(async (id: string | undefined, { route }: { route?: string }, command: Command) => {
      if ((id === undefined) === (route === undefined))
        throw new CommandError('name a delivery or --route', EXIT.usage);
      const answer = await client().post<{ replayed: number }>(
        `${BASE}/replay`,
        id === undefined ? { route } : { id },
      );
      print(formatOf(command), answer, () => `${answer.replayed} will be sent again`);
    });
}
