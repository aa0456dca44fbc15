import { stringify } from 'yaml';
import { formatDuration } from '#kernel';

export type Format = 'table' | 'json' | 'yaml';

const isTerminal = (): boolean => process.stdout.isTTY === true;

/** Rows under headings, columns as wide as their widest cell. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => visibleLength(row[column] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === cells.length - 1
          ? cell
          : cell + ' '.repeat((widths[column] ?? 0) - visibleLength(cell) + 2),
      )
      .join('')
      .trimEnd();
  return [line(headings), ...rows.map(line)].join('\n');
}

// Colour codes take no room on the screen.
// eslint-disable-next-line no-control-regex
const visibleLength = (text: string): number => text.replace(/\u001b\[[0-9;]*m/g, '').length;

/** Time left, and what that counts on. */
export const etaText = (leftMs: number, condition: string | undefined): string =>
  `about ${formatDuration(leftMs)} left${condition === undefined ? '' : ` if ${condition}`}`;

/** Prints a value as asked; the table only for people. */
export function print(format: Format, value: unknown, asTable: () => string): void {
  const text =
    format === 'json'
      ? JSON.stringify(value, undefined, 2)
      : format === 'yaml'
        ? stringify(value).trimEnd()
        : asTable();
  process.stdout.write(`${text}\n`);
}

const COLOURS = { red: 31, green: 32, yellow: 33, blue: 34, grey: 90 } as const;

/** Colour on terminals that want it; the words carry the meaning without it. */
export function paint(colour: keyof typeof COLOURS, text: string): string {
  if (!isTerminal() || process.env['NO_COLOR'] !== undefined) return text;
  return `\u001b[${COLOURS[colour]}m${text}\u001b[0m`;
}

export const short = (commit: string | undefined): string => commit?.slice(0, 10) ?? '-';
