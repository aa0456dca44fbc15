import type { Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient, StreamedEvent } from '../api-client.js';
import { CommandError } from '../exit-codes.js';
import { paint, print, type Format } from '../output.js';
import { client, formatOf } from './session.js';

interface EventOptions {
  readonly follow?: boolean;
  readonly channel?: string;
  readonly cluster?: string;
  readonly after?: string;
}

export function addEvents(program: Command): void {
  program
    .command('events')
    .description('what happened; --follow goes on as it happens')
    .option('-f, --follow', 'go on until interrupted')
    .option('--channel <channel>', 'only this channel')
    .option('--cluster <cluster>', 'only this cluster, by id or alias')
    .option('--after <id>', 'only events after this id')
    .action(async (options: EventOptions, command: Command) => {
      const { follow, ...filters } = options;
      const query = new URLSearchParams(Object.entries(filters) as [string, string][]);
      const format = formatOf(command);
      if (follow) return followEvents(client(), `/api/v1/events?${query}`, format);
      query.set('limit', '1000');
      if (options.after === undefined) query.set('newest', 'true');
      const answer = await client().get<{ items: StreamedEvent[] }>(`/api/v1/events?${query}`);
      print(format, answer.items, () => answer.items.map(eventLine).join('\n'));
    });
}

/** What trying again does not change: a token that was revoked or expired, a channel or cluster that went. */
const REFUSALS: ReadonlySet<number> = new Set([401, 403, 404]);

/** Goes on after the server was away, from where it stopped. */
async function followEvents(api: ApiClient, path: string, format: Format): Promise<void> {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  process.once('SIGTERM', () => controller.abort());
  let last: number | undefined;
  let connected = false;
  while (!controller.signal.aborted) {
    try {
      for await (const event of api.events(path, last, controller.signal)) {
        connected = true;
        last = event.id;
        process.stdout.write(`${format === 'table' ? eventLine(event) : JSON.stringify(event)}\n`);
      }
    } catch (error) {
      if (controller.signal.aborted) return;
      const known = error instanceof CommandError ? error : undefined;
      if (known && ((!connected && last === undefined) || REFUSALS.has(known.status ?? 0))) throw known;
    }
    await delay(1_000, undefined, { signal: controller.signal }).catch(() => undefined);
  }
}

function eventLine(event: StreamedEvent): string {
  const colour = event.severity === 'info' ? 'grey' : event.severity === 'warning' ? 'yellow' : 'red';
  return `${event.at.slice(11, 19)} ${paint(colour, event.type.padEnd(22))} ${event.subject.replace(/^cluster\//, '')}  ${event.message}`;
}
