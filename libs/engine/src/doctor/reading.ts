import { seconds, toFailure, type Duration } from '#kernel';
import { read, unknown, type Reading } from '#upgrade';

/** A look that takes longer than this tells nothing: one slow part must not hide all others. */
const LIMIT: Duration = seconds(30);

/** Looks once. Whatever prevents the look becomes the reason why nothing is known. */
export async function attempt<T>(what: string, look: () => Promise<T>): Promise<Reading<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Reading<T>>((resolve) => {
    timer = setTimeout(() => resolve(unknown(`${what}: no answer within ${LIMIT / 1000} s`)), LIMIT);
  });
  const looked = look().then(read, (thrown: unknown): Reading<T> => unknown(`${what}: ${why(thrown)}`));
  return Promise.race([looked, late]).finally(() => clearTimeout(timer));
}

function why(thrown: unknown): string {
  const { code, message, hint } = toFailure(thrown);
  return `${message} (${code})${hint === undefined ? '' : `. ${hint}`}`;
}

/** A fact out of another one that may be unknown. */
export const derive = <T, R>(reading: Reading<T>, how: (value: T) => R): Reading<R> =>
  reading.state === 'read' ? read(how(reading.value)) : reading;
