import type { Budget } from '../budget.js';
import { asBytes, bytesValue, int64, INVALID } from '../values.js';
import type { GoFunction, GoType, GoValue } from '../types.js';
import { STRING } from '../types.js';

export type FunctionTable = ReadonlyMap<string, GoFunction>;

/** A function whose arguments already fit `params`. */
export const define = (
  params: readonly GoType[],
  call: (args: readonly GoValue[], budget: Budget) => GoValue,
  variadic = false,
): GoFunction => ({ params, call, variadic });

/** A function from byte strings to a byte string. */
export const onBytes = (count: number, call: (...args: string[]) => string): GoFunction => ({
  params: Array.from({ length: count }, () => STRING),
  call: (args, budget) => {
    const out = call(...args.map(asBytes));
    budget.allocate(out.length);
    return bytesValue(out);
  },
});

export const arg = (args: readonly GoValue[], at: number): GoValue => args[at] ?? INVALID;
export const bytesArg = (args: readonly GoValue[], at: number): string => asBytes(arg(args, at));
export const intArg = (args: readonly GoValue[], at: number): bigint => arg(args, at).v as bigint;
export const numberArg = (args: readonly GoValue[], at: number): number => arg(args, at).v as number;

/** int64 arithmetic wraps around in Go. */
export const wrapped = (value: bigint): GoValue => int64(BigInt.asIntN(64, value));
