import { parse } from 'yaml';
import { yamlExcess } from '../yaml/bounds.js';
import { toText } from '../template/bytes.js';
import { named, pointerTo, sliceOf, STRING, STRINGS } from '../template/types.js';
import type { GoType, GoValue } from '../template/types.js';
import { nilOf, pointer, slice, str, strings, struct } from '../template/values.js';

const OPERATOR = named('v1.NodeSelectorOperator', 'string');
const FIELDS: ReadonlyMap<string, GoType> = new Map([
  ['Key', pointerTo(STRING)],
  ['Operator', pointerTo(OPERATOR)],
  ['Values', STRINGS],
]);

export const REQUIREMENT: GoType = {
  kind: 'struct',
  name: 'v1.NodeSelectorRequirementApplyConfiguration',
  fields: () => FIELDS,
};
const LIST = sliceOf(REQUIREMENT);

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;

function requirement(entry: unknown): GoValue | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const of = (name: string): unknown =>
    Object.hasOwn(entry, name) ? (entry as Record<string, unknown>)[name] : undefined;
  const key = textOf(of('key'));
  const operator = textOf(of('operator'));
  const values = of('values');
  return struct(
    REQUIREMENT,
    new Map([
      ['Key', key === undefined ? nilOf(pointerTo(STRING)) : pointer(str(key))],
      [
        'Operator',
        operator === undefined ? nilOf(pointerTo(OPERATOR)) : pointer({ ...str(operator), t: OPERATOR }),
      ],
      [
        'Values',
        Array.isArray(values) ? strings(values.map((value) => textOf(value) ?? '')) : nilOf(STRINGS),
      ],
    ]),
  );
}

const MAX_LENGTH = 20_000;

/** The pool's config item `requirements`, a YAML list of {key, operator, values}; what is no such list is none, as in CLM. */
export function requirements(bytes: string): GoValue {
  try {
    const text = toText(bytes);
    if (text.length > MAX_LENGTH || yamlExcess(text)) return nilOf(LIST);
    const parsed: unknown = parse(text, { maxAliasCount: 0 });
    return Array.isArray(parsed)
      ? slice(
          LIST,
          parsed.flatMap((entry) => requirement(entry) ?? []),
        )
      : nilOf(LIST);
  } catch {
    return nilOf(LIST);
  }
}
