import type { ConfigProblem } from '#fleet';
import { REMEDIES } from './remedies.js';
import { TemplateError } from './template/errors.js';
import type { Spent } from './template/render-budget.js';

export interface ProblemPlace {
  readonly file: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly field?: string | undefined;
}

/** Every problem says what to do about it: in its own words, or in those for all of its kind. */
export function problem(
  code: keyof typeof REMEDIES,
  message: string,
  place: ProblemPlace,
  hint?: string,
  severity?: ConfigProblem['severity'],
): ConfigProblem;
export function problem(
  code: string,
  message: string,
  place: ProblemPlace,
  hint: string,
  severity?: ConfigProblem['severity'],
): ConfigProblem;
export function problem(
  code: string,
  message: string,
  place: ProblemPlace,
  ownHint?: string,
  severity: ConfigProblem['severity'] = 'error',
): ConfigProblem {
  const hint =
    ownHint ?? (Object.hasOwn(REMEDIES, code) ? REMEDIES[code as keyof typeof REMEDIES] : undefined);
  return {
    severity,
    code,
    message,
    file: place.file,
    ...(place.line !== undefined && { line: place.line }),
    ...(place.column !== undefined && { column: place.column }),
    ...(place.field !== undefined && { field: place.field }),
    ...(hint !== undefined && { hint }),
  };
}

const MESSAGE_LIMIT = 600;
const cut = (text: string): string =>
  text.length > MESSAGE_LIMIT ? `${text.slice(0, MESSAGE_LIMIT)}…` : text;

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /^map has no entry for key "etcd_kms_key_arn"/,
    'The inputs hold no key for alias/etcd-cluster: create the alias in the account, then refresh the inputs.',
  ],
  [
    /^map has no entry for key "([^"]+)"/,
    'Add the key to cluster/config-defaults.yaml or to the cluster, or read it with `index`.',
  ],
  [/^function "([^"]+)" not defined/, 'See the list of template functions in the documentation.'],
  [/^nil data; no entry for key/, 'The value before the dot is nothing here.'],
  [/unexpected EOF/, 'An {{if}}, {{range}}, {{with}} or {{define}} has no {{end}}.'],
];

/** A failed template as a problem of its file. */
function templateProblem(error: TemplateError): ConfigProblem {
  const { file, line, column, context } = error.place;
  const code =
    error.kind === 'limit' ? 'template-limit' : error.kind === 'parse' ? 'template-syntax' : 'template-error';
  const at = context === undefined ? '' : ` at <${context}>`;
  const hint =
    error.kind === 'limit' ? undefined : HINTS.find(([pattern]) => pattern.test(error.reason))?.[1];
  return problem(
    code,
    cut(`${error.reason}${at}`),
    { file, line, column },
    withOthers(hint, error.alsoMissing),
  );
}

/** The file stops at its first missing key: without the others each would cost a try of its own. */
function withOthers(hint: string | undefined, others: readonly string[]): string | undefined {
  if (hint === undefined || others.length === 0) return hint;
  return `${hint} Not there either, of what this file names: ${cut([...others].sort().join(', '))}.`;
}

/** Of a file that takes more than a render may. */
export const limitProblem = (message: string, place: ProblemPlace): ConfigProblem =>
  problem('template-limit', message, place);

const NAMED = 5;

/** Said once, at the file that used up what all files share. */
export function notRenderedProblem({ file, reason }: Spent, files: readonly string[]): ConfigProblem {
  const named = files.slice(0, NAMED).join(', ');
  const count = files.length === 1 ? '1 more file was' : `${files.length} more files were`;
  return problem(
    'not-rendered',
    `${count} not rendered after ${file} (${reason}): ${named}${files.length > NAMED ? ', …' : ''}`,
    { file, line: 1 },
    'Mend this file and validate again: the others may have errors of their own.',
  );
}

/** Collects everything that is wrong, so that an author sees it all at once. */
export class ProblemList {
  private readonly found: ConfigProblem[] = [];

  add(...problems: readonly ConfigProblem[]): void {
    this.found.push(...problems);
  }

  get all(): readonly ConfigProblem[] {
    return [...this.found];
  }

  /** Errors, without those that only follow from others. */
  get errors(): readonly ConfigProblem[] {
    const errors = this.found.filter(({ severity }) => severity === 'error');
    const noDefaults = errors.some(
      ({ file, code }) => file === DEFAULTS_FILE && code !== 'unknown-config-item',
    );
    return sorted(errors.filter((one) => !follows(one, noDefaults)));
  }

  get warnings(): readonly ConfigProblem[] {
    return sorted(this.found.filter(({ severity }) => severity === 'warning'));
  }

  /** Runs a part; a template error becomes a problem and the part has no result. */
  attempt<T>(part: () => T): T | undefined {
    try {
      return part();
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      // Told once for all files that other files kept from being rendered.
      if (error.kind !== 'skipped') this.add(templateProblem(error));
      return undefined;
    }
  }
}

const DEFAULTS_FILE = 'cluster/config-defaults.yaml';

/** A missing config item while the defaults are broken, or a sibling's own error met through `manifestHash`. */
const follows = (one: ConfigProblem, noDefaults: boolean): boolean =>
  one.code === 'template-error' &&
  (/^error calling manifestHash: template: /.test(one.message) ||
    (noDefaults &&
      one.file !== DEFAULTS_FILE &&
      /ConfigItems/.test(one.message) &&
      /^map has no entry for key/.test(one.message)));

const order = (a: ConfigProblem, b: ConfigProblem): number =>
  a.file < b.file
    ? -1
    : a.file > b.file
      ? 1
      : (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);

/** By place; what several renders of one file report alike is said once. */
export function sorted(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const seen = new Set<string>();
  return [...problems].sort(order).filter((one) => {
    const key = JSON.stringify([
      one.severity,
      one.code,
      one.file,
      one.line,
      one.column,
      one.field,
      one.message,
    ]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
