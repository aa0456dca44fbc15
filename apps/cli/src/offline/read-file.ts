import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { CommandError, EXIT } from '../exit-codes.js';

/** The text of a file; `-` reads standard input. */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CommandError(
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      EXIT.usage,
      'Check the path.',
    );
  }
}

/** A JSON or YAML file (`-` reads standard input) as plain data. */
export function readData(file: string): unknown {
  const text = readText(file);
  try {
    return parse(text, { maxAliasCount: 50 }) as unknown;
  } catch (error) {
    throw new CommandError(
      `${file}: ${(error as Error).message.trimEnd()}`,
      EXIT.usage,
      'Write JSON or YAML.',
    );
  }
}
