import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import { print, table } from '../output.js';
import type { PruneAnswer } from './manifest-answers.js';
import { client, formatOf } from './session.js';

export function addPrune(program: Command): void {
  const prune = program.command('prune').description('objects that left Git and are still in a cluster');
  prune
    .command('list <cluster>')
    .description('what is kept, why, and what would let it go')
    .action(async (name: string, _options: object, command: Command) => {
      const answer = await client().get<PruneAnswer>(`/api/v1/clusters/${encodeURIComponent(name)}/prune`);
      print(formatOf(command), answer, () => pruneText(name, answer));
      if (answer.confirmable > 0) process.exitCode = EXIT.blocked;
    });
  prune
    .command('confirm <cluster>')
    .description('let exactly the set of objects go that prune list shows under this digest')
    .requiredOption('--digest <digest>', 'as prune list shows it')
    .requiredOption('--reason <text>', 'why')
    .action(async (name: string, options: { digest: string; reason: string }) => {
      const path = `/api/v1/clusters/${encodeURIComponent(name)}/prune/confirm`;
      const { objects } = await client().post<{ objects: number }>(path, options);
      process.stdout.write(`confirmed: ${objects} objects of ${name} will be deleted\n`);
    });
}

function pruneText(name: string, { digest, confirmable, items }: PruneAnswer): string {
  if (items.length === 0) return 'nothing is kept';
  const rows = items.map(({ object, component, reason, remedy }) => [object, component, reason, remedy]);
  const lines = [table(['OBJECT', 'COMPONENT', 'WHY', 'REMEDY'], rows)];
  if (confirmable > 0)
    lines.push('', `${confirmable} wait for: fairway prune confirm ${name} --digest ${digest} --reason …`);
  return lines.join('\n');
}
