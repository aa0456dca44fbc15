import { parseDocument } from 'yaml';
import { duplicateKeys, yamlExcess } from '../../yaml/bounds.js';
import type { Budget } from '../budget.js';
import { toBytes, toText } from '../bytes.js';
import { callError } from '../errors.js';
import { quoteString } from '../quote.js';
import { ANY, BOOL, STRING } from '../types.js';
import type { GoValue } from '../types.js';
import { bool, bytesValue, fromJson, isTrue, unbox } from '../values.js';
import { arg, bytesArg, define, onBytes } from './define.js';
import type { FunctionTable } from './define.js';
import { textOf } from './strings.js';
import { toGoJson, toGoYaml } from './serialise.js';

const MAX_ALIASES = 50;

function fromYaml(bytes: string, budget: Budget): GoValue {
  const text = toText(bytes);
  budget.step(2 * text.length);
  const excess = yamlExcess(text);
  if (excess) return callError(toBytes(excess.message));
  const document = parseDocument(text, { uniqueKeys: false, merge: true });
  const fault = document.errors[0] ?? duplicateKeys(document)[0];
  if (fault) return callError(`invalid YAML: ${toBytes(fault.message)}`);
  try {
    return fromJson(document.toJS({ maxAliasCount: MAX_ALIASES }));
  } catch (error) {
    return callError(`invalid YAML: ${toBytes((error as Error).message)}`);
  }
}

/** Sprig's idea of empty: false, zero, nothing, or without elements. */
const empty = (value: GoValue): boolean => !isTrue(value);

function required(args: readonly GoValue[]): GoValue {
  const value = arg(args, 1);
  if (value.t.kind === 'invalid' || (value.t.kind === 'string' && value.v === ''))
    return callError(bytesArg(args, 0));
  return value;
}

/** Case of ASCII and all other letters, on bytes. */
const cased = (change: (text: string) => string) => onBytes(1, (text = '') => toBytes(change(toText(text))));

/** Functions of Fairway's own that behave as in Sprig and Helm. */
export const SPRIG_FUNCTIONS: FunctionTable = new Map([
  ['toYaml', define([ANY], (args, budget) => bytesValue(toGoYaml(arg(args, 0), budget)))],
  ['fromYaml', define([STRING], (args, budget) => fromYaml(bytesArg(args, 0), budget))],
  ['toJson', define([ANY], (args, budget) => bytesValue(toGoJson(arg(args, 0), budget)))],
  [
    'quote',
    define(
      [ANY],
      (args, budget) =>
        bytesValue(
          args
            .filter((value) => value.t.kind !== 'invalid')
            .map((value) => quoteString(textOf(value, budget)))
            .join(' '),
        ),
      true,
    ),
  ],
  [
    'default',
    define(
      [ANY, ANY],
      (args) => (args.length < 2 || empty(arg(args, 1)) ? arg(args, 0) : arg(args, 1)),
      true,
    ),
  ],
  ['required', define([STRING, ANY], required)],
  ['lower', cased((text) => text.toLowerCase())],
  ['upper', cased((text) => text.toUpperCase())],
  ['trim', cased((text) => text.trim())],
  [
    'replace',
    define([STRING, STRING, STRING], (args, budget) => {
      const [from, to, text] = [bytesArg(args, 0), bytesArg(args, 1), bytesArg(args, 2)];
      budget.allocate(text.length + (text.length + 1) * to.length);
      return bytesValue(text.replaceAll(from, () => to));
    }),
  ],
  ['contains', define([STRING, STRING], (args) => bool(bytesArg(args, 1).includes(bytesArg(args, 0))))],
  ['ternary', define([ANY, ANY, BOOL], (args) => unbox(arg(args, arg(args, 2).v === true ? 0 : 1)))],
]);
