import type { Document, LineCounter as Lines } from 'yaml';
import { LineCounter, isNode, isScalar, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { hours } from '#kernel';
import { err, ok, type Result } from '#kernel';
import type { ConfigProblem } from '#fleet';
import { DEFAULT_SUITES, DEFAULT_WAVE_PAUSE } from './default-policy.js';
import { nearest } from './nearest.js';
import type { ChannelPolicy, ConformanceSuite, FleetPolicy } from './policy.js';
import { policySchema, type PolicyInput } from './policy.schema.js';
import { keysAt } from './schema-keys.js';

type Path = readonly (string | number)[];

/** A fault before it knows its line. */
interface Fault {
  readonly path: Path;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** The line of the key itself rather than of its value. */
  readonly key?: string;
}

/**
 * Reads a `fairway.yaml`. All faults are returned together, with line and column; a policy with one fault is no policy.
 * `file` is only for the messages.
 */
export function parsePolicy(text: string, file: string): Result<FleetPolicy, readonly ConfigProblem[]> {
  const excess = tooMuch(text);
  if (excess !== undefined) return err([problem(file, 'policy-too-large', excess)]);
  const lines = new LineCounter();
  // The library's own search for repeated keys compares each with each.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, merge: false });
  const repeated = repeatedKeys(document);
  if (document.errors.length === 0 && repeated.length > 0) {
    return err(
      repeated
        .slice(0, MAX_FAULTS)
        .map(({ key, at }) =>
          problem(file, 'yaml-error', `key "${key}" is written twice`, lines.linePos(at)),
        ),
    );
  }
  if (document.errors.length > 0) {
    return err(
      document.errors.map((error) => {
        const place = lines.linePos(error.pos[0]);
        return problem(file, 'yaml-error', error.message.split('\n')[0] ?? error.code, place);
      }),
    );
  }
  const value = plainValue(document);
  if (!value.ok) return err([problem(file, 'yaml-error', value.error)]);
  const parsed = policySchema.safeParse(value.value);
  const faults = parsed.success ? crossFaults(parsed.data) : parsed.error.issues.flatMap(faultsOf);
  if (faults.length > 0 || !parsed.success) {
    return err(faults.slice(0, MAX_FAULTS).map((fault) => locate(fault, document, lines, file)));
  }
  return ok(complete(parsed.data));
}

/** A policy is written by people; what is larger or deeper than this is an attack on its reader. */
const MAX_BYTES = 256 * 1024;
const MAX_OPEN_BRACKETS = 100;
const MAX_INDENT = 400;
/** Nobody reads more at once. */
const MAX_FAULTS = 50;

function tooMuch(text: string): string | undefined {
  if (Buffer.byteLength(text) > MAX_BYTES)
    return `a policy is at most ${MAX_BYTES / 1024} KiB, this one has ${Math.ceil(Buffer.byteLength(text) / 1024)}`;
  if (deepestFlow(text) > MAX_OPEN_BRACKETS) return `brackets are nested more than ${MAX_OPEN_BRACKETS} deep`;
  if (/^[ \t?:-]{401}/m.test(text)) return `a line is indented by more than ${MAX_INDENT} characters`;
  return undefined;
}

function deepestFlow(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === '[' || character === '{') deepest = Math.max(deepest, (depth += 1));
    else if (character === ']' || character === '}') depth -= 1;
  }
  return deepest;
}

function repeatedKeys(document: Document): readonly { readonly key: string; readonly at: number }[] {
  const repeated: { readonly key: string; readonly at: number }[] = [];
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (seen.has(name)) repeated.push({ key: name, at: key.range?.[0] ?? 0 });
        seen.add(name);
      }
    },
  });
  return repeated;
}

function plainValue(document: Document): Result<unknown, string> {
  try {
    return ok(document.toJS({ maxAliasCount: 50 }) as unknown);
  } catch (error) {
    return err((error as Error).message);
  }
}

function faultsOf(issue: z.core.$ZodIssue): readonly Fault[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(policySchema, path);
    return issue.keys.slice(0, MAX_FAULTS).map((key) => {
      const near = nearest(key, known);
      return {
        path,
        key,
        code: 'unknown-key',
        message: `unknown key "${key}"`,
        hint: near === undefined ? `known here: ${known.join(', ')}` : `did you mean "${near}"?`,
      };
    });
  }
  return [{ path, code: 'invalid-policy', message: `${fieldName(path)} ${lowerFirst(issue.message)}` }];
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** `channels[1].gates.soak` */
const fieldName = (path: Path): string =>
  path.reduce<string>(
    (name, part) => (typeof part === 'number' ? `${name}[${part}]` : name === '' ? part : `${name}.${part}`),
    '',
  ) || 'the file';

/** What one field alone cannot tell: names that refer to one another. */
function crossFaults(input: PolicyInput): readonly Fault[] {
  const suites = [...Object.keys(DEFAULT_SUITES), ...Object.keys(input.suites)];
  return input.channels.flatMap((channel, index) => {
    const above = input.channels.slice(0, index);
    const at = (...rest: Path): Path => ['channels', index, ...rest];
    return [
      ...nameFaults(channel, above, at),
      ...fromFaults(channel, above, at),
      ...suiteFaults(channel, suites, at),
    ];
  });
}

type ChannelInput = PolicyInput['channels'][number];
type At = (...rest: Path) => Path;

function nameFaults(channel: ChannelInput, above: readonly ChannelInput[], at: At): readonly Fault[] {
  const branchOf = (one: ChannelInput): string => one.branch ?? one.name;
  const faults: Fault[] = [];
  if (above.some(({ name }) => name === channel.name)) {
    const message = `channel "${channel.name}" is there twice`;
    faults.push({ path: at('name'), code: 'duplicate-channel', message });
  }
  if (above.some((one) => branchOf(one) === branchOf(channel))) {
    const message = `branch "${branchOf(channel)}" belongs to two channels`;
    faults.push({ path: at(), code: 'duplicate-branch', message });
  }
  return faults;
}

function fromFaults(channel: ChannelInput, above: readonly ChannelInput[], at: At): readonly Fault[] {
  const { name, from, gates } = channel;
  if (from !== undefined) {
    if (above.some((one) => one.name === from)) return [];
    const message = `"${from}" is no channel above "${name}"`;
    return [
      { path: at('from'), code: 'unknown-channel', message, hint: 'list channels in the order of promotion' },
    ];
  }
  if (Object.keys(gates).every((gate) => gate === 'windows' || gate === 'freeze')) return [];
  const message = `"${name}" has gates but no "from": people push to it directly`;
  return [{ path: at('gates'), code: 'gates-without-from', message }];
}

function suiteFaults(channel: ChannelInput, suites: readonly string[], at: At): readonly Fault[] {
  return (channel.gates.conformance?.suites ?? []).flatMap((suite, place) => {
    if (suites.includes(suite)) return [];
    const near = nearest(suite, suites);
    const hint = near && `did you mean "${near}"?`;
    const path = at('gates', 'conformance', 'suites', place);
    return [
      {
        path,
        code: 'unknown-suite',
        message: `unknown suite "${suite}"`,
        ...(hint !== undefined && { hint }),
      },
    ];
  });
}

function complete(input: PolicyInput): FleetPolicy {
  const suites: Record<string, ConformanceSuite> = { ...DEFAULT_SUITES };
  for (const [name, suite] of Object.entries(input.suites)) {
    const base: ConformanceSuite = DEFAULT_SUITES[name] ?? {
      name,
      parallel: false,
      extraArgs: [],
      timeout: hours(2),
      expectedMin: 1,
    };
    suites[name] = { ...base, ...withoutUndefined(suite), name };
  }
  return { channels: input.channels.map(completeChannel), suites };
}

function completeChannel(channel: PolicyInput['channels'][number]): ChannelPolicy {
  const { branch, waves, wavePause, gates, ...rest } = channel;
  return withoutUndefined({
    ...rest,
    branch: branch ?? channel.name,
    waves: waves ?? [{ kind: 'percent', value: 100 }],
    wavePause: wavePause ?? DEFAULT_WAVE_PAUSE,
    gates: withoutUndefined(gates),
  }) as ChannelPolicy;
}

/** Optional members that are present but undefined do not fit exact optional types. */
function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function locate(fault: Fault, document: Document, lines: Lines, file: string): ConfigProblem {
  const offset =
    fault.key === undefined ? offsetOf(document, fault.path) : keyOffset(document, fault.path, fault.key);
  const place = offset === undefined ? undefined : lines.linePos(offset);
  return problem(file, fault.code, fault.message, place, fieldName(fault.path), fault.hint);
}

/** Where the value at the path starts, or the nearest enclosing one that is there. */
function offsetOf(document: Document, path: Path): number | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return undefined;
}

function keyOffset(document: Document, path: Path, key: string): number | undefined {
  const holder = document.getIn(path, true) as {
    items?: readonly { key?: { value?: unknown; range?: readonly number[] } }[];
  };
  const pair = holder?.items?.find((item) => String(item.key?.value) === key);
  return pair?.key?.range?.[0] ?? offsetOf(document, path);
}

function problem(
  file: string,
  code: string,
  message: string,
  place?: { readonly line: number; readonly col: number },
  field?: string,
  hint?: string,
): ConfigProblem {
  return {
    severity: 'error',
    code,
    message,
    file,
    ...(place && { line: place.line, column: place.col }),
    ...(field !== undefined && { field }),
    ...(hint !== undefined && { hint }),
  };
}
