import type { NodePool } from '#fleet';
import { parseTaint, TAINT } from './taint.model.js';
import { INT64, pointerTo, sliceOf, STRING, STRING_MAP, STRINGS } from '../template/types.js';
import type { GoMethod, GoType, GoValue } from '../template/types.js';
import {
  asBytes,
  asFields,
  asMap,
  asSlice,
  bool,
  bytesValue,
  inside,
  int64,
  nilOf,
  pointer,
  slice,
  str,
  stringMap,
  strings,
  struct,
} from '../template/values.js';
import { requirements, REQUIREMENT } from './requirement.model.js';

const field = (pool: GoValue, name: string): GoValue => asFields(pool).get(name) as GoValue;
const text = (pool: GoValue, name: string): string => asBytes(field(pool, name));
/** A config item of a pool value, undefined where it has none. */
export const poolItem = (pool: GoValue, key: string): string | undefined => {
  const item = asMap(field(pool, 'ConfigItems')).get(key);
  return item && asBytes(item);
};

const getter = (call: (pool: GoValue) => GoValue): GoMethod => ({ params: [], call });

function karpenterStrategy(pool: GoValue): GoValue {
  const types = asSlice(field(pool, 'InstanceTypes'));
  const only = types.len === 1 ? asBytes(types.items[0] as GoValue) : '';
  return bytesValue(only === 'not-specified' || only === 'default-for-karpenter' ? only : 'custom');
}

const METHODS: ReadonlyMap<string, GoMethod> = new Map([
  ['IsSpot', getter((pool) => bool(['spot', 'spot_max_price'].includes(text(pool, 'DiscountStrategy'))))],
  ['IsMaster', getter((pool) => bool(text(pool, 'Profile').includes('master')))],
  ['IsKarpenter', getter((pool) => bool(isKarpenterProfile(text(pool, 'Profile'))))],
  [
    'Taints',
    getter((pool) => {
      const type = sliceOf(pointerTo(TAINT));
      const item = poolItem(pool, 'taints');
      if (item === undefined) return nilOf(type);
      return slice(
        type,
        item
          .split(',')
          .flatMap((one) => parseTaint(one) ?? [])
          .map(pointer),
      );
    }),
  ],
  [
    'KarpenterRequirements',
    getter((pool) => {
      const item = poolItem(pool, 'requirements');
      return item === undefined ? nilOf(sliceOf(REQUIREMENT)) : requirements(item);
    }),
  ],
  ['KarpenterInstanceTypeStrategy', getter(karpenterStrategy)],
]);

const FIELDS: ReadonlyMap<string, GoType> = new Map([
  ['DiscountStrategy', STRING],
  ['InstanceTypes', STRINGS],
  ['Name', STRING],
  ['Profile', STRING],
  ['MinSize', INT64],
  ['MaxSize', INT64],
  ['ConfigItems', STRING_MAP],
  ['InstanceType', STRING],
]);

export const NODE_POOL: GoType = {
  kind: 'struct',
  name: 'config.NodePool',
  fields: () => FIELDS,
  methods: METHODS,
};
const NODE_POOL_POINTER = pointerTo(NODE_POOL);
export const NODE_POOLS = sliceOf(NODE_POOL_POINTER);

const KARPENTER_PROFILE = 'worker-karpenter';
export const isKarpenterProfile = (profile: string): boolean => profile === KARPENTER_PROFILE;

/** `.NodePool`: a pointer to the pool with its effective config items. */
export function nodePoolValue(pool: NodePool, items: Readonly<Record<string, string>> | GoValue): GoValue {
  return pointer(
    struct(
      NODE_POOL,
      new Map([
        ['DiscountStrategy', str(pool.discountStrategy)],
        ['InstanceTypes', strings(pool.instanceTypes)],
        ['Name', str(pool.name)],
        ['Profile', str(pool.profile)],
        ['MinSize', int64(pool.minSize)],
        ['MaxSize', int64(pool.maxSize)],
        ['ConfigItems', isGoValue(items) ? items : stringMap(items)],
        ['InstanceType', str('')],
      ]),
    ),
  );
}

const isGoValue = (value: Readonly<Record<string, string>> | GoValue): value is GoValue =>
  typeof value['t'] === 'object' && value['t'] !== null;

/** Pools of a `[]*NodePool` value. */
export const poolsOf = (value: GoValue): readonly GoValue[] =>
  asSlice(value).items.slice(0, asSlice(value).len).map(inside);
export const poolProfile = (pool: GoValue): string => text(pool, 'Profile');
