import { AsyncLocalStorage } from 'node:async_hooks';

/** Rejects (`lease-lost`) when its holder may not write any more. */
export type WriteFence = () => Promise<unknown>;

const fences = new AsyncLocalStorage<WriteFence>();

/** Runs a deed so that adapters ask the fence before every try of every call that it makes. */
export const behindFence = <T>(fence: WriteFence, deed: () => Promise<T>): Promise<T> =>
  fences.run(fence, deed);

/**
 * For adapters, as the last thing before a call leaves: a call can wait in the process for long after it was decided on
 * (a rate limit, a server that asks for patience, a second try, a process that was asleep), and the lease that allowed it
 * may be somebody else's by then. Outside of a deed nothing is asked.
 */
export async function passFence(): Promise<void> {
  await fences.getStore()?.();
}
