import type { AdmissionHooks } from './admission.js';
import type { KubeObject } from './object.js';
import type { Storage } from './storage.js';
import type { TypeCatalog } from './type-catalog.js';

/** Structural: any scheduler of the simulation fits. Times in milliseconds. */
export interface StoreScheduler {
  now(): number;
  after(ms: number, fn: () => void): () => void;
}

/** What the parts of the store share. */
export interface StoreContext {
  readonly storage: Storage;
  readonly catalog: TypeCatalog;
  readonly admission: AdmissionHooks;
  readonly scheduler: StoreScheduler;
  readonly random: () => number;
}

/** RFC 3339 with seconds, as metav1.Time. */
export const timestamp = (context: StoreContext): string =>
  new Date(context.scheduler.now()).toISOString().replace(/\.\d+Z$/, 'Z');

export function newUid(random: () => number): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16));
  hex[12] = '4';
  hex[16] = '89ab'[Math.floor(random() * 4)] as string;
  const text = hex.join('');
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join(
    '-',
  );
}

const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const MAX_BASE = 58;

/** The name for a `generateName` base. */
export const generatedName = (base: string, random: () => number): string =>
  base.slice(0, MAX_BASE) +
  Array.from({ length: 5 }, () => SUFFIX_ALPHABET[Math.floor(random() * SUFFIX_ALPHABET.length)]).join('');

export const isTerminating = (object: KubeObject): boolean => object.metadata.deletionTimestamp !== undefined;
