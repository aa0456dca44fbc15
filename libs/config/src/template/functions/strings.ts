import { createHash } from 'node:crypto';
import type { Budget } from '../budget.js';
import { callError } from '../errors.js';
import { quoteString } from '../quote.js';
import { sprint } from '../sprintf.js';
import { ANY, ANYS, INT, INT64, STRING, STRINGS } from '../types.js';
import type { GoValue } from '../types.js';
import {
  anyMap,
  asBytes,
  asSlice,
  bool,
  box,
  bytesValue,
  int64,
  items,
  nilOf,
  slice,
  unbox,
} from '../values.js';
import { arg, bytesArg, define, intArg, onBytes } from './define.js';
import type { FunctionTable } from './define.js';

const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function base64Decode(bytes: string): string {
  const clean = bytes.replace(/[\r\n]/g, '');
  if (!base64Pattern.test(clean)) {
    const at = /^[A-Za-z0-9+/]*/.exec(clean)?.[0].length ?? 0;
    return callError(`illegal base64 data at input byte ${at}`);
  }
  return Buffer.from(clean, 'base64').toString('latin1');
}

/** A value as text, the way Sprig's functions see it. */
export function textOf(value: GoValue, budget: Budget): string {
  const inner = unbox(value);
  return inner.t.kind === 'string' ? asBytes(inner) : sprint([inner], budget);
}

function joinable(value: GoValue, budget: Budget): readonly string[] {
  const inner = unbox(value);
  if (inner.t.kind === 'invalid') return [];
  if (inner.t.kind !== 'slice' && inner.t.kind !== 'array') return [textOf(inner, budget)];
  return items(inner)
    .map(unbox)
    .filter((item) => item.t.kind !== 'invalid')
    .map((item) => textOf(item, budget));
}

function dict(args: readonly GoValue[], budget: Budget): GoValue {
  if (args.length === 0 || args.length % 2 !== 0) {
    return callError(`dict: invalid number of arguments: ${args.length}`);
  }
  const entries = new Map<string, GoValue>();
  for (let at = 0; at < args.length; at += 2) {
    const key = arg(args, at);
    if (key.t.name !== 'string') return callError(`dict: key argument ${at} must be string`);
    if (entries.has(asBytes(key))) return callError(`dict: duplicate key ${asBytes(key)}`);
    entries.set(asBytes(key), arg(args, at + 1));
  }
  budget.allocate(args.length * 16);
  return anyMap(entries);
}

function append(args: readonly GoValue[], budget: Budget): GoValue {
  const list = asSlice(arg(args, 0));
  budget.allocate(8 * (list.len + args.length));
  return slice(STRINGS, [...list.items.slice(0, list.len), ...args.slice(1)]);
}

function indexedList(args: readonly GoValue[], budget: Budget): GoValue {
  const template = bytesArg(args, 0);
  const count = intArg(args, 1);
  if (count < 0n) return callError(`expecting non-negative integer, got: ${count}`);
  const wanted = Number(count);
  budget.allocate(wanted * (template.length + 2));
  return bytesValue(
    Array.from({ length: wanted }, (_, at) => template.replaceAll('$', () => String(at))).join(','),
  );
}

function split(args: readonly GoValue[], budget: Budget): GoValue {
  const text = bytesArg(args, 0);
  if (text === '') return nilOf(STRINGS);
  budget.allocate(text.length * 2);
  return slice(STRINGS, splitLikeGo(text, bytesArg(args, 1)).map(bytesValue));
}

/** With an empty separator Go splits after each rune. */
function splitLikeGo(text: string, separator: string): string[] {
  if (separator !== '') return text.split(separator);
  return text.match(/[\x00-\x7f]|[\xc0-\xff][\x80-\xbf]*|[\x80-\xbf]/g) ?? [];
}

function parseInt64(text: string): GoValue {
  const failed = (why: string): never => callError(`strconv.ParseInt: parsing ${quoteString(text)}: ${why}`);
  if (!/^[+-]?[0-9]+$/.test(text)) return failed('invalid syntax');
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? int64(value) : failed('value out of range');
}

/** Strings and lists. Byte strings in, byte strings out. */
export const STRING_FUNCTIONS: FunctionTable = new Map([
  ['split', define([STRING, STRING], split)],
  [
    'join',
    define([STRING, ANY], (args, budget) => {
      const parts = joinable(arg(args, 1), budget);
      const separator = bytesArg(args, 0);
      budget.allocate(parts.reduce((sum, part) => sum + part.length + separator.length, 0));
      return bytesValue(parts.join(separator));
    }),
  ],
  [
    'indent',
    define([INT, STRING], (args, budget) => {
      const spaces = intArg(args, 0);
      if (spaces < 0n) return callError('strings: negative Repeat count');
      const text = bytesArg(args, 1);
      const lines = text.split('\n');
      budget.allocate(text.length + Number(spaces) * lines.length);
      const pad = ' '.repeat(Number(spaces));
      return bytesValue(lines.map((line) => pad + line).join('\n'));
    }),
  ],
  ['hasPrefix', define([STRING, STRING], (args) => bool(bytesArg(args, 0).startsWith(bytesArg(args, 1))))],
  ['hasSuffix', define([STRING, STRING], (args) => bool(bytesArg(args, 0).endsWith(bytesArg(args, 1))))],
  ['dict', define([ANY], dict, true)],
  ['list', define([ANY], (args) => slice(ANYS, args.map(box)), true)],
  ['append', define([STRINGS, STRING, STRING], append, true)],
  ['indexedList', define([STRING, INT64], indexedList)],
  ['base64', onBytes(1, (text) => Buffer.from(text as string, 'latin1').toString('base64'))],
  ['base64Decode', onBytes(1, (text) => base64Decode(text as string))],
  [
    'sha256',
    onBytes(1, (text) =>
      createHash('sha256')
        .update(Buffer.from(text as string, 'latin1'))
        .digest('hex'),
    ),
  ],
  ['parseInt64', define([STRING], (args) => parseInt64(bytesArg(args, 0)))],
  [
    'mountUnitName',
    onBytes(1, (path = '') =>
      path.startsWith('/') ? path.slice(1).replaceAll('/', '-') : callError(`not an absolute path: ${path}`),
    ),
  ],
]);
