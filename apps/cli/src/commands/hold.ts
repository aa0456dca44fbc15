import type { Command } from 'commander';
import { CommandError, EXIT } from '../exit-codes.js';
import { print, table } from '../output.js';
import { client, formatOf } from './session.js';

interface HoldAnswer {
  readonly id: string;
  readonly scope: Readonly<Record<string, string>>;
  readonly reason: string;
  readonly owner: string;
  readonly created_at: string;
  readonly expires_at?: string;
}

interface Options {
  readonly reason: string;
  readonly expiresIn?: string;
  readonly pool?: string;
}

export function addHold(program: Command): void {
  program
    .command('hold <scope>')
    .description(
      'stop work on fleet, channel/<name>, cluster/<id or alias> (with --pool one pool of it) or pool/<id or alias>/<pool>',
    )
    .requiredOption('--reason <text>', 'why')
    .option('--expires-in <duration>', 'ends by itself, e.g. 2h')
    .option('--pool <pool>', 'only this pool of the cluster')
    .action(async (scope: string, { reason, expiresIn, pool }: Options, command: Command) => {
      const body = { scope: scopeOf(scope, pool), reason, expires_in: expiresIn };
      const hold = await client().post<HoldAnswer>('/api/v1/holds', body);
      print(formatOf(command), hold, () => `${scopeText(hold.scope)} is held (${hold.id})`);
    });
  program
    .command('holds')
    .description('what is held, by whom and why')
    .action(async (_options: object, command: Command) => {
      const answer = await client().get<{ items: HoldAnswer[] }>('/api/v1/holds');
      print(formatOf(command), answer.items, () =>
        table(
          ['ID', 'SCOPE', 'OWNER', 'EXPIRES', 'REASON'],
          answer.items.map((hold) => [
            hold.id,
            scopeText(hold.scope),
            hold.owner,
            hold.expires_at ?? '-',
            hold.reason,
          ]),
        ),
      );
    });
  addRelease(program);
}

function addRelease(program: Command): void {
  program
    .command('release <hold>')
    .description(
      'end a hold, by its id or all of a scope: fleet, channel/<name>, cluster/<id or alias> or pool/<id or alias>/<pool>',
    )
    .action(async (hold: string) => {
      for (const { id, reason } of await holdsNamed(hold)) {
        await client().delete(`/api/v1/holds/${encodeURIComponent(id)}`);
        process.stdout.write(`${id} is released${reason === '' ? '' : ` (${reason})`}\n`);
      }
    });
}

async function holdsNamed(name: string): Promise<readonly Pick<HoldAnswer, 'id' | 'reason'>[]> {
  if (name !== 'fleet' && !name.includes('/')) return [{ id: name, reason: '' }];
  const { items } = await client().get<{ items: HoldAnswer[] }>('/api/v1/holds');
  const meant = await withClusterId(name);
  const found = items.filter(({ scope }) => scopeText(scope) === meant);
  if (found.length > 0) return found;
  throw new CommandError(`nothing holds ${name}`, EXIT.error, 'fairway holds lists what is held.');
}

/** `cluster/playground` and `pool/playground/workers` with the id, which is what holds are kept under. */
async function withClusterId(scope: string): Promise<string> {
  const [kind, cluster, ...pool] = scope.split('/');
  if ((kind !== 'cluster' && kind !== 'pool') || cluster === undefined) return scope;
  const { id } = await client().get<{ id: string }>(`/api/v1/clusters/${encodeURIComponent(cluster)}`);
  return [kind, id, ...pool].join('/');
}

function scopeOf(text: string, pool: string | undefined): Readonly<Record<string, string>> {
  if (text === 'fleet') return { kind: 'fleet' };
  const [kind, ...rest] = text.split('/');
  const name = rest.join('/');
  if (kind === 'channel' && name !== '') return { kind, channel: name };
  if (kind === 'cluster' && name !== '')
    return pool === undefined ? { kind, cluster: name } : { kind: 'pool', cluster: name, pool };
  const [cluster, ...pools] = rest;
  if (kind === 'pool' && cluster !== undefined && pools.length === 1 && pools[0] !== '')
    return { kind, cluster, pool: pools[0] as string };
  throw new CommandError(
    `"${text}" is no scope`,
    EXIT.usage,
    'Write fleet, channel/<name>, cluster/<id or alias> or pool/<id or alias>/<pool>.',
  );
}

const scopeText = ({ kind, ...names }: Readonly<Record<string, string>>): string =>
  [kind, ...Object.values(names)].join('/');
