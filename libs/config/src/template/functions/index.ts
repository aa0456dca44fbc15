import { AMOUNT_FUNCTIONS } from './amounts.js';
import { awsFunctions } from './aws.js';
import type { Lookups } from './aws.js';
import { CRYPTO_FUNCTIONS } from './crypto.js';
import { onBytes } from './define.js';
import type { FunctionTable } from './define.js';
import { SPRIG_FUNCTIONS } from './sprig.js';
import { STRING_FUNCTIONS } from './strings.js';

const PURE: FunctionTable = new Map([
  ...STRING_FUNCTIONS,
  ...AMOUNT_FUNCTIONS,
  ...CRYPTO_FUNCTIONS,
  ...SPRIG_FUNCTIONS,
]);

/** All functions of the dialect beside Go's own and those on node pools. `hash` is `manifestHash`. */
export const dialectFunctions = (lookups: Lookups, hash: (file: string) => string): FunctionTable =>
  new Map([...PURE, ...awsFunctions(lookups), ['manifestHash', onBytes(1, (file = '') => hash(file))]]);
