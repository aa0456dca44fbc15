import { isAlias, isMap, isScalar, LineCounter, Pair, parseAllDocuments, Scalar, YAMLMap } from 'yaml';
import type { Alias, CollectionTag, Document, ScalarTag, Tags, YAMLSeq } from 'yaml';
import type { ConfigProblem } from '#fleet';
import { problem } from '../problems.js';
import { duplicateKeys, yamlExcess } from '../yaml/bounds.js';
import type { YamlFault } from '../yaml/bounds.js';
import { readSimpleYaml } from '../yaml/fast-reader.js';
import type { RenderedFile } from './file-renderer.js';

export interface YamlDocument {
  /** Plain data; objects have no prototype surprises because `__proto__` is refused as a key. */
  readonly value: unknown;
  /** Line of the template at which the document's content begins. */
  readonly line: number;
  /** Line of the template of a top-level key. */
  readonly lineOfKey: (key: string) => number;
}

const MAX_ALIASES = 50;
const UNSAFE: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Kubernetes and CloudFormation readers take `0644` for an octal number; YAML 1.2 itself would say 644. */
const octal: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^0[0-7]+$/,
  resolve: (text) => Number.parseInt(text, 8),
  stringify: ({ value }) => `0${(value as number).toString(8)}`,
};

const INTRINSICS = [
  'Ref',
  'Condition',
  'And',
  'Base64',
  'Cidr',
  'Equals',
  'FindInMap',
  'ForEach',
  'GetAtt',
  'GetAZs',
  'If',
  'ImportValue',
  'Join',
  'Length',
  'Not',
  'Or',
  'Select',
  'Split',
  'Sub',
  'ToJsonString',
  'Transform',
] as const;
const longName = (name: string): string => (name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`);
const attribute = (name: string, text: string): unknown =>
  name === 'GetAtt' ? [text.slice(0, text.indexOf('.')), text.slice(text.indexOf('.') + 1)] : text;

/** CloudFormation's short forms, as their long forms: `!Ref X` is {Ref: X}. */
const cloudFormationTags: readonly (ScalarTag | CollectionTag)[] = INTRINSICS.flatMap((name) => [
  {
    tag: `!${name}`,
    resolve: (text: string) => ({ [longName(name)]: attribute(name, text) }),
  } satisfies ScalarTag,
  {
    tag: `!${name}`,
    collection: 'seq',
    resolve: (node: YAMLMap.Parsed | YAMLSeq.Parsed) => wrap(name, node as YAMLSeq),
  } satisfies CollectionTag,
  {
    tag: `!${name}`,
    collection: 'map',
    resolve: (node: YAMLMap.Parsed | YAMLSeq.Parsed) => wrap(name, node as YAMLMap),
  } satisfies CollectionTag,
]);

/** The collection as the value of a one-pair map, so that what is inside it is read like anything else. */
function wrap(name: string, node: YAMLMap | YAMLSeq): YAMLMap {
  const map = new YAMLMap();
  map.items.push(new Pair(new Scalar(longName(name)), node));
  return map;
}

export interface ReadOptions {
  readonly cloudFormation?: boolean;
  readonly duplicateKeys?: 'error' | 'warning' | undefined;
}

const customTags =
  (options: ReadOptions) =>
  (tags: Tags): Tags => [octal, ...tags, ...(options.cloudFormation ? cloudFormationTags : [])];

interface Parsed {
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
}

function parseText(text: string, options: ReadOptions): Parsed {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    version: '1.2',
    merge: true,
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
    customTags: customTags(options),
    logLevel: 'silent',
  });
  return { documents: Array.isArray(parsed) ? parsed : [], lines };
}

const simpleDocuments = ({ text, map }: RenderedFile): readonly YamlDocument[] | undefined =>
  readSimpleYaml(text)?.map(({ value, line, keyLines }) => ({
    value,
    line: map.sourceLine(line),
    lineOfKey: (key: string) => map.sourceLine(keyLines.get(key) ?? line),
  }));

/** Everything that is wrong with the YAML of a rendered file, or its documents. Empty documents are left out. */
export function readDocuments(
  rendered: RenderedFile,
  options: ReadOptions = {},
): { readonly documents: readonly YamlDocument[]; readonly problems: readonly ConfigProblem[] } {
  const { file, map } = rendered;
  const simple = options.cloudFormation ? undefined : simpleDocuments(rendered);
  if (simple) return { documents: simple, problems: [] };
  const excess = yamlExcess(rendered.text);
  if (excess) return { documents: [], problems: [excessProblem(rendered, excess)] };
  const parsed = parseText(rendered.text, options);
  const { lines } = parsed;
  const severity = options.duplicateKeys ?? 'error';
  const documents: YamlDocument[] = [];
  const problems: ConfigProblem[] = [];
  const lineAt = (offset: number): number => map.sourceLine(lines.linePos(offset).line);
  const report = (message: string, offset: number, hint?: string, how: 'error' | 'warning' = 'error') => {
    const { line, col } = lines.linePos(offset);
    const place = { file, line: map.sourceLine(line), column: col };
    problems.push(
      problem('invalid-yaml', `${message} (line ${line} of the rendered file)`, place, hint, how),
    );
  };
  for (const document of parsed.documents) {
    for (const { code, message, pos } of document.errors) report(message, pos[0], hintOf(code));
    const twice = duplicateKeys(document);
    for (const { message, at, hint } of twice) report(message, at, hint, severity);
    if (document.errors.length > 0 || (twice.length > 0 && severity === 'error')) continue;
    const fault = unsafe(document);
    if (fault)
      problems.push(problem(fault.code, fault.message, { file, line: lineAt(fault.at) }, fault.hint));
    else addDocument(document, file, lineAt, documents, problems);
  }
  return { documents, problems };
}

const hintOf = (code: string): string | undefined =>
  code === 'TAB_AS_INDENT' ? 'Indent with blanks.' : undefined;

function excessProblem({ file, text, map }: RenderedFile, fault: YamlFault): ConfigProblem {
  const line = text.slice(0, fault.at).split('\n').length;
  return problem(fault.code, fault.message, { file, line: map.sourceLine(line) }, fault.hint);
}

function addDocument(
  document: Document.Parsed,
  file: string,
  lineAt: (offset: number) => number,
  documents: YamlDocument[],
  problems: ConfigProblem[],
): void {
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return;
  const line = lineAt(contents.range[0]);
  try {
    const value = document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown;
    documents.push({
      value,
      line,
      lineOfKey: (key) => lineAt(offsetOfKey(document, key) ?? contents.range[0]),
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    problems.push(
      problem('invalid-yaml', message, { file, line }, 'Write the value out instead of using aliases.'),
    );
  }
}

function offsetOfKey(document: Document.Parsed, key: string): number | undefined {
  if (!isMap(document.contents)) return undefined;
  const pair = document.contents.items.find((item) => isScalar(item.key) && item.key.value === key);
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
}

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly at: number;
  readonly hint: string;
}

interface Visit {
  readonly node: unknown;
  /** Anchored nodes around it. */
  readonly within: readonly unknown[];
}

/** Keys that would reach into JavaScript objects, and aliases that contain themselves. */
function unsafe(document: Document.Parsed): Fault | undefined {
  const stack: Visit[] = [{ node: document.contents, within: [] }];
  let aliases = 0;
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { node, within } = top;
    if (isAlias(node)) {
      aliases++;
      const fault = aliasFault(document, node, within, aliases);
      if (fault) return fault;
    }
    const items = (node as { items?: readonly unknown[] } | null)?.items;
    if (!Array.isArray(items)) continue;
    const inner = (node as { anchor?: string }).anchor === undefined ? within : [...within, node];
    for (const item of items as readonly unknown[]) {
      const pair = item as { key?: unknown; value?: unknown };
      const fault = keyFault(pair.key);
      if (fault) return fault;
      stack.push({ node: isMap(node) ? pair.value : item, within: inner });
    }
  }
  return undefined;
}

function aliasFault(
  document: Document.Parsed,
  alias: Alias,
  within: readonly unknown[],
  count: number,
): Fault | undefined {
  const at = alias.range?.[0] ?? 0;
  const target = alias.resolve(document);
  if (target === undefined || within.includes(target)) {
    const message = `the alias *${alias.source} contains itself`;
    return { code: 'cyclic-yaml', message, at, hint: 'Write the value out.' };
  }
  if (count <= MAX_ALIASES) return undefined;
  return {
    code: 'too-many-aliases',
    message: `more than ${MAX_ALIASES} aliases`,
    at,
    hint: 'Write the values out.',
  };
}

function keyFault(key: unknown): Fault | undefined {
  if (!isScalar(key) || !UNSAFE.has(String(key.value))) return undefined;
  const message = `the key ${String(key.value)} is refused`;
  return { code: 'refused-key', message, at: key.range?.[0] ?? 0, hint: 'Use another key.' };
}
