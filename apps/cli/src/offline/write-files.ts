import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import type { RenderedText } from '#config';
import { CommandError } from '../exit-codes.js';

/** Writes below a directory, which is made; files of other names that lie there stay. */
export function writeFiles(directory: string, files: readonly RenderedText[]): void {
  const root = resolve(directory);
  for (const { path, text } of files) {
    const target = resolve(root, path);
    const inside = relative(root, target);
    // Names of pools come from files that anybody may have written.
    if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`)) {
      throw new CommandError(`${path} would be written outside of ${directory}`);
    }
    try {
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, text);
    } catch (error) {
      throw new CommandError(
        `${target} cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      );
    }
  }
}
