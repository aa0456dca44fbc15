import type { Budget } from '../budget.js';
import { toText, toBytes } from '../bytes.js';
import { callError } from '../errors.js';
import { formatFloat } from '../float-format.js';
import type { GoValue } from '../types.js';
import { asBytes, asFields, asNumber, inside, items, sortedEntries } from '../values.js';

const MAX_DEPTH = 100;

interface Entry {
  readonly key: string;
  readonly value: GoValue;
}

function entriesOf(value: GoValue): readonly Entry[] | undefined {
  if (value.t.kind === 'map') {
    return sortedEntries(value).map(([key, member]) => ({ key: String(key.v), value: member }));
  }
  if (value.t.kind !== 'struct') return undefined;
  return [...asFields(value)].map(([key, member]) => ({ key, value: member }));
}

const jsonFloat = (number: number): string => {
  if (!Number.isFinite(number))
    return callError(`json: unsupported value: ${formatFloat(number, 'g', -1, 64)}`);
  const size = Math.abs(number);
  if (size === 0 || (size >= 1e-6 && size < 1e21)) return formatFloat(number, 'f', -1, 64);
  return formatFloat(number, 'e', -1, 64).replace(/e-0(\d)$/, 'e-$1');
};

const jsonString = (bytes: string): string =>
  toBytes(
    JSON.stringify(toText(bytes)).replace(
      /[<>&\u2028\u2029]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  );

/** JSON as Go's `encoding/json` writes it: keys sorted, `< > &` escaped. */
export function toGoJson(value: GoValue, budget: Budget, depth = 0): string {
  if (depth > MAX_DEPTH) return callError('json: value is nested too deeply');
  budget.step();
  const { kind } = value.t;
  if (kind === 'ptr' || kind === 'interface') return toGoJson(inside(value), budget, depth + 1);
  const entries = entriesOf(value);
  if (entries) {
    if (value.v === null) return 'null';
    const members = entries.map(
      ({ key, value: member }) => `${jsonString(key)}:${toGoJson(member, budget, depth + 1)}`,
    );
    return `{${members.join(',')}}`;
  }
  switch (kind) {
    case 'invalid':
      return 'null';
    case 'string':
      budget.allocate(asBytes(value).length);
      return jsonString(asBytes(value));
    case 'slice':
    case 'array':
      if (value.v === null) return 'null';
      return `[${items(value)
        .map((item) => toGoJson(item, budget, depth + 1))
        .join(',')}]`;
    case 'float32':
    case 'float64':
      return jsonFloat(asNumber(value));
    case 'complex128':
    case 'func':
      return callError(`json: unsupported type: ${value.t.name}`);
    default:
      return String(value.v);
  }
}

const PLAIN = /^[A-Za-z0-9_./$%^*()+=;<>,~-][A-Za-z0-9_ ./$%^*()+=;<>,~:@#-]*$/;
const NOT_A_STRING =
  /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE|y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF|<<|=|[-+]?(?:0[xXbBoO][0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9_]+(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)|\d{4}-\d\d?-\d\d?.*)$/;
const INDICATOR = /^[-?:](?:\s|$)|^[,[\]{}#&*!|>'"%@`]/;

function yamlScalar(bytes: string, indent: string): string {
  const text = toText(bytes);
  if (text === '' || NOT_A_STRING.test(text)) return `"${bytes}"`;
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x08\x0b-\x1f\x7f\ufeff]/.test(text)) return jsonString(bytes);
  if (text.includes('\n') && !/^\s|[ \t]\n/.test(text)) {
    const chomp = !text.endsWith('\n') ? '-' : text.endsWith('\n\n') ? '+' : '';
    const lines = bytes.replace(/\n$/, '').split('\n');
    return `|${chomp}\n${lines.map((line) => (line === '' ? '' : `${indent}${line}`)).join('\n')}`;
  }
  if (text.includes('\n') || text.includes('\t')) return jsonString(bytes);
  const plain =
    (PLAIN.test(text) || !/^[\x00-\x7f]*$/.test(text)) &&
    !INDICATOR.test(text) &&
    !/: |:$| #|^\s|\s$|^---|^\.\.\./.test(text);
  return plain ? bytes : `'${bytes.replaceAll("'", "''")}'`;
}

function yamlLines(value: GoValue, indent: string, budget: Budget, depth: number): string {
  if (depth > MAX_DEPTH) return callError('yaml: value is nested too deeply');
  budget.step();
  const { kind } = value.t;
  if (kind === 'ptr' || kind === 'interface') return yamlLines(inside(value), indent, budget, depth + 1);
  const entries = entriesOf(value);
  const pad = `\n${indent}`;
  if (entries) {
    if (value.v === null) return ' null';
    if (entries.length === 0) return ' {}';
    return entries
      .map(
        ({ key, value: member }) =>
          `${pad}${yamlScalar(key, '')}:${nested(member, `${indent}  `, budget, depth + 1)}`,
      )
      .join('');
  }
  if (kind === 'slice' || kind === 'array') {
    const list = items(value);
    if (list.length === 0) return value.v === null ? ' null' : ' []';
    return list.map((item) => `${pad}-${inList(item, indent, budget, depth + 1)}`).join('');
  }
  if (kind === 'string') {
    budget.allocate(asBytes(value).length);
    return ` ${yamlScalar(asBytes(value), indent || '  ')}`;
  }
  return ` ${toGoJson(value, budget, depth)}`;
}

/** A map's member: lists are not indented below their key. */
function nested(value: GoValue, indent: string, budget: Budget, depth: number): string {
  let inner = value;
  while (inner.t.kind === 'ptr' || inner.t.kind === 'interface') inner = inside(inner);
  const isList = inner.t.kind === 'slice' || inner.t.kind === 'array';
  return yamlLines(inner, isList ? indent.slice(2) : indent, budget, depth);
}

/** A list's item: the first line of a map or list stands beside the dash. */
function inList(value: GoValue, indent: string, budget: Budget, depth: number): string {
  const lines = yamlLines(value, `${indent}  `, budget, depth);
  return lines.startsWith(`\n${indent}  `) ? ` ${lines.slice(indent.length + 3)}` : lines;
}

/** YAML as `sigs.k8s.io/yaml` writes it (Helm's `toYaml`): keys sorted, two blanks, no newline at the end. */
export function toGoYaml(value: GoValue, budget: Budget): string {
  const lines = yamlLines(value, '', budget, 0);
  return lines.replace(/^\n| /, '');
}
