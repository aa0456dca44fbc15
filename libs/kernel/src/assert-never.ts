/** Makes a switch exhaustive at compile time, and loud at run time if data lies about its type. */
export function assertNever(value: never): never {
  throw new Error(`unexpected variant: ${JSON.stringify(value)}`);
}
