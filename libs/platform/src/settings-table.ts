import { SETTINGS } from './settings.schema.js';

/** The settings as a Markdown table, for docs/configuration.md. */
export function settingsTable(): string {
  const rows = Object.entries(SETTINGS).map(([name, schema]) => {
    const fallback = schema.safeParse(undefined);
    const shown = fallback.success ? shownDefault(name) : 'required';
    return `| \`${name}\` | ${shown} | ${schema.description ?? ''} |`;
  });
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

function shownDefault(name: string): string {
  let definition: unknown = SETTINGS[name as keyof typeof SETTINGS];
  for (let depth = 0; depth < 5; depth += 1) {
    const inner = (definition as { _zod?: { def?: Record<string, unknown> } } | undefined)?._zod?.def;
    if (inner === undefined) return '';
    if (inner['type'] === 'default') return `\`${String(inner['defaultValue'])}\``;
    definition = inner['innerType'] ?? inner['in'];
  }
  return '';
}
