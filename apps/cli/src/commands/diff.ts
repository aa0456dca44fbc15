import type { Command } from 'commander';
import type { FieldChange } from '#fleet';
import { EXIT } from '../exit-codes.js';
import { paint, print, short } from '../output.js';
import type { DiffAnswer } from './manifest-answers.js';
import { client, formatOf } from './session.js';

export function addDiff(program: Command): void {
  program
    .command('diff <cluster>')
    .description(
      'objects of a cluster, field by field: what the running update changes, and what differs from Git',
    )
    .action(async (name: string, _options: object, command: Command) => {
      const answer = await client().get<DiffAnswer>(`/api/v1/clusters/${encodeURIComponent(name)}/diff`);
      print(formatOf(command), answer, () => diffText(answer));
      const open = answer.drift.some(({ state }) => state !== 'accepted');
      if (answer.objects.length > 0 || open) process.exitCode = EXIT.changesPending;
    });
}

function diffText({ objects, drift, commit }: DiffAnswer): string {
  const lines: string[] = [];
  if (objects.length > 0) lines.push(`the update to ${short(commit)} changes:`);
  for (const { object, component, action, fields } of objects) {
    lines.push(`  ${action} ${object} (${component})`, ...fields.flatMap(fieldLines));
  }
  if (drift.length > 0) lines.push('differs from Git:');
  for (const { object, path, change, live, git, manager, state } of drift) {
    const by = manager === undefined ? '' : ` by ${manager}`;
    lines.push(`  ${object}${by} (${state})`);
    const field = {
      path: path === '' ? '(the whole object)' : path,
      change,
      ...(live !== undefined && { before: live }),
      ...(git !== undefined && { after: git }),
    };
    lines.push(...fieldLines(field));
  }
  return lines.length === 0 ? 'nothing differs' : lines.join('\n');
}

/** The sign says the same as the colour. */
function fieldLines({ path, before, after }: FieldChange): readonly string[] {
  return [
    `    ${path}`,
    ...(before === undefined ? [] : [paint('red', `    - ${before}`)]),
    ...(after === undefined ? [] : [paint('green', `    + ${after}`)]),
  ];
}
