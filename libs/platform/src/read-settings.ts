import { readFileSync } from 'node:fs';
import { err, ok, type Result } from '#kernel';
import { SETTINGS, settingsSchema, type Settings } from './settings.schema.js';

/** All settings, or every fault at once: one wrong value stops the boot with the whole list. */
export function readSettings(environment: NodeJS.ProcessEnv): Result<Settings, readonly string[]> {
  const faults: string[] = [];
  const values: Record<string, string> = {};
  for (const name of Object.keys(SETTINGS)) {
    const value = valueOf(environment, name, faults);
    if (value !== undefined && value !== '') values[name] = value;
  }
  faults.push(...unknownNames(environment));
  const parsed = settingsSchema.safeParse(values);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const name = issue.path.join('.');
      const missing = !(name in values);
      faults.push(missing ? `${name} is missing: ${descriptionOf(name)}` : `${name}: ${issue.message}`);
    }
  }
  return parsed.success && faults.length === 0 ? ok(parsed.data) : err(faults);
}

function valueOf(environment: NodeJS.ProcessEnv, name: string, faults: string[]): string | undefined {
  const path = environment[`${name}_FILE`];
  if (path === undefined || path === '') return environment[name];
  if (environment[name] !== undefined) faults.push(`${name} and ${name}_FILE are both set; keep one`);
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    faults.push(
      `${name}_FILE: cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
    );
    return undefined;
  }
}

/** A misspelt name would silently leave a default in force. */
function unknownNames(environment: NodeJS.ProcessEnv): readonly string[] {
  const known = new Set(Object.keys(SETTINGS).flatMap((name) => [name, `${name}_FILE`]));
  return Object.keys(environment)
    .filter((name) => name.startsWith('FAIRWAY_') && !known.has(name) && !name.startsWith('FAIRWAY_TEST_'))
    .filter((name) => !CLIENT_NAMES.has(name))
    .map((name) => `${name} is not a setting; see docs/configuration.md`);
}

/** Read by the command line, which may run in the same environment. */
const CLIENT_NAMES = new Set(['FAIRWAY_URL', 'FAIRWAY_TOKEN', 'FAIRWAY_HOME']);

const descriptionOf = (name: string): string =>
  SETTINGS[name as keyof typeof SETTINGS]?.description ?? 'see docs/configuration.md';
