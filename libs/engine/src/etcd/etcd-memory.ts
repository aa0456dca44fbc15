import { EMPTY_ETCD_MEMORY, type EtcdMemory } from '#upgrade';
import type { PassMemory } from '../pass/pass-memory.js';
import type { EtcdSeen } from './observe-etcd.js';

const MEMORY = 'etcd/memory';
const SEEN = 'etcd/seen';

/** What was remembered, in the shape of today: an older Fairway may have written it. */
export function readEtcdMemory(memory: PassMemory): EtcdMemory {
  const value = memory.get(MEMORY);
  if (typeof value !== 'object' || value === null) return EMPTY_ETCD_MEMORY;
  const { baseline, condemned, added, waiting } = value as Partial<EtcdMemory>;
  return {
    baseline: typeof baseline === 'object' ? baseline : {},
    condemned: Array.isArray(condemned) ? condemned : [],
    added: Array.isArray(added) ? added : [],
    ...(typeof waiting === 'object' && { waiting }),
  };
}

export const writeEtcdMemory = (memory: PassMemory, value: EtcdMemory): void => memory.set(MEMORY, value);

export function readEtcdSeen(memory: PassMemory): EtcdSeen {
  const { sick = {}, well = {} } = (memory.get(SEEN) ?? {}) as Partial<EtcdSeen>;
  return { sick, well };
}

export const writeEtcdSeen = (memory: PassMemory, seen: EtcdSeen): void => memory.set(SEEN, seen);
