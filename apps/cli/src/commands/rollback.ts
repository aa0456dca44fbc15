import type { Command } from 'commander';
import { print } from '../output.js';
import { followRequest, requestText, wholePath, type RequestAnswer } from './promote.js';
import { client, formatOf } from './session.js';

interface Options {
  readonly to?: string;
  readonly reason: string;
  readonly cluster?: boolean;
  readonly wait?: boolean;
}

export function addRollback(program: Command): void {
  program
    .command('rollback <target>')
    .description(
      'bring back what a channel (or with --cluster one cluster) ran before; promotion is on hold afterwards',
    )
    .requiredOption('--reason <text>', 'why')
    .option('--to <commit>', 'this revision instead of the last that ran well')
    .option('--cluster', 'the target is a cluster, by id or alias')
    .option('--no-wait', 'do not wait until it is done')
    .action(async (target: string, { to, reason, cluster, wait }: Options, command: Command) => {
      const api = client();
      const path =
        cluster === true || target.includes(':')
          ? `/api/v1/clusters/${encodeURIComponent(target)}/rollback`
          : wholePath(target, 'rollback');
      const asked = await api.post<RequestAnswer>(path, { to, reason });
      const done = wait === false ? asked : await followRequest(api, asked);
      print(formatOf(command), done, () => requestText(done));
    });
}
