/**
 * Polls until the condition holds; fails with the last error or `what` after the limit. The limit is for what hangs, not a
 * judgement of the machine's speed: one that another four times as slow could reach proves nothing.
 */
export async function eventually<T>(
  check: () => Promise<T> | T,
  what = 'the condition',
  limitMs = 60_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + limitMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== null && value !== false) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`${what} did not hold within ${limitMs} ms`, { cause: last });
    await new Promise((wake) => setTimeout(wake, 10));
  }
}
