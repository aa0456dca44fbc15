import type { InstanceTypeFacts } from '#fleet';
import { FLOAT64, INT32, INT64, STRING } from '../template/types.js';
import type { GoMethod, GoType, GoValue } from '../template/types.js';
import { asBigInt, asFields, asNumber, int32, int64, str, struct } from '../template/values.js';

const number = (info: GoValue, name: string): bigint => asBigInt(asFields(info).get(name) as GoValue);

const METHODS: ReadonlyMap<string, GoMethod> = new Map<string, GoMethod>([
  [
    'AvailableStorage',
    {
      params: [FLOAT64, INT64, FLOAT64],
      call: (info, [storeFactor, rootSize, rootFactor]) => {
        const devices = number(info, 'InstanceStorageDevices');
        const bytes =
          devices === 0n
            ? Number(asBigInt(rootSize as GoValue)) * asNumber(rootFactor as GoValue)
            : asNumber(storeFactor as GoValue) * Number(devices * number(info, 'InstanceStorageDeviceSize'));
        return int64(BigInt(Math.trunc(bytes)));
      },
    },
  ],
  [
    'MemoryFraction',
    {
      params: [INT64],
      call: (info, [percent]) => int64((asBigInt(percent as GoValue) * number(info, 'Memory')) / 100n),
    },
  ],
]);

const FIELDS: ReadonlyMap<string, GoType> = new Map([
  ['InstanceType', STRING],
  ['VCPU', INT32],
  ['Memory', INT64],
  ['InstanceStorageDevices', INT64],
  ['InstanceStorageDeviceSize', INT64],
  ['Architecture', STRING],
]);
const INSTANCE: GoType = { kind: 'struct', name: 'config.Instance', fields: () => FIELDS, methods: METHODS };

/** `.Values.InstanceInfo`: of several types, the least of each. Undefined where a type is unknown; `missing` names it. */
export function instanceInfo(
  types: readonly string[],
  facts: Readonly<Record<string, InstanceTypeFacts>>,
): { readonly value: GoValue } | { readonly missing: string } {
  const missing = types.find((type) => !Object.hasOwn(facts, type));
  if (missing !== undefined || types.length === 0) return { missing: missing ?? '' };
  const all = types.map((type) => facts[type] as InstanceTypeFacts);
  const least = (of: (fact: InstanceTypeFacts) => number): number => Math.min(...all.map(of));
  const storage = least((fact) => fact.storageBytes);
  return {
    value: struct(
      INSTANCE,
      new Map([
        ['InstanceType', str(types.length === 1 ? (types[0] as string) : '<multiple>')],
        ['VCPU', int32(least((fact) => fact.vcpus))],
        ['Memory', int64(least((fact) => fact.memoryBytes))],
        ['InstanceStorageDevices', int64(storage > 0 ? 1 : 0)],
        ['InstanceStorageDeviceSize', int64(storage)],
        ['Architecture', str((all[0] as InstanceTypeFacts).architecture)],
      ]),
    ),
  };
}
