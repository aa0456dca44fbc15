import { callError } from '../errors.js';
import { INT, INT64, STRING, STRING_MAP } from '../types.js';
import type { GoType, GoValue } from '../types.js';
import { asMap, bytesValue, int } from '../values.js';
import { arg, bytesArg, define, intArg, onBytes, wrapped } from './define.js';
import type { FunctionTable } from './define.js';
import { formatQuantity, wholeQuantity } from './quantity.js';

/** What functions look up outside the configuration; all answers come from the inputs lock. Byte strings. */
export interface Lookups {
  /** Throws CallError where there is not exactly one. */
  readonly amiId: (name: string, owner: string) => string;
  readonly instanceType: (name: string) => { readonly vcpus: number; readonly memoryBytes: number };
}

const ALL_ZONES = '*';

function accountId(account: string): string {
  const parts = account.split(':');
  return parts.length === 2
    ? (parts[1] as string)
    : callError(`invalid account (expected type:id): ${account}`);
}

function asgSize(args: readonly GoValue[]): GoValue {
  const groups = intArg(args, 1);
  if (groups === 0n) return callError('runtime error: integer divide by zero');
  const size = intArg(args, 0);
  return size % groups === 0n
    ? int(size / groups)
    : callError(`pool size must be an exact multiple of ${groups}`);
}

function maskInRange(mask: bigint): void {
  if (mask < 24n || mask > 28n) callError(`invalid value for maskSize: ${mask}`);
}

function maxNodes(podMask: bigint, mask: bigint, reserved: bigint): GoValue {
  if (podMask < 14n || podMask > 16n) return callError(`invalid for podCIDRMaskSize: ${podMask}`);
  maskInRange(mask);
  return wrapped((2n << (mask - podMask - 1n)) - reserved);
}

function maxPods(mask: bigint, extra: bigint): GoValue {
  maskInRange(mask);
  const pods = (2n << (32n - mask - 2n)) + extra;
  return wrapped(pods > 110n ? 110n : pods);
}

const int64s = (count: number): GoType[] => Array.from({ length: count }, () => INT64);

export const awsFunctions = (lookups: Lookups): FunctionTable =>
  new Map([
    ['amiID', onBytes(2, (name = '', owner = '') => lookups.amiId(name, owner))],
    [
      'getAWSAccountID',
      onBytes(1, (account = '') => {
        const id = account.split(':')[1];
        return id ?? callError('runtime error: index out of range [1] with length 1');
      }),
    ],
    ['accountID', onBytes(1, (account = '') => accountId(account))],
    ['azID', onBytes(1, (zone = '') => zone.slice(zone.lastIndexOf('-') + 1))],
    [
      'azCount',
      define([STRING_MAP], (args) =>
        int([...asMap(arg(args, 0)).keys()].filter((zone) => zone !== ALL_ZONES).length),
      ),
    ],
    ['asgSize', define([INT64, INT], asgSize)],
    ['awsValidID', onBytes(1, (id = '') => id.replaceAll(':', '__'))],
    ['nodeCIDRMaxNodes', define(int64s(2), (args) => maxNodes(16n, intArg(args, 0), intArg(args, 1)))],
    [
      'nodeCIDRMaxNodesPodCIDR',
      define(int64s(3), (args) => maxNodes(intArg(args, 0), intArg(args, 1), intArg(args, 2))),
    ],
    ['nodeCIDRMaxPods', define(int64s(2), (args) => maxPods(intArg(args, 0), intArg(args, 1)))],
    [
      'instanceTypeCPUQuantity',
      define([STRING], (args) => bytesValue(String(lookups.instanceType(bytesArg(args, 0)).vcpus))),
    ],
    [
      'instanceTypeMemoryQuantity',
      define([STRING], (args) =>
        bytesValue(
          formatQuantity(wholeQuantity(BigInt(lookups.instanceType(bytesArg(args, 0)).memoryBytes))),
        ),
      ),
    ],
  ]);
