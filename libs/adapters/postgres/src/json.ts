/**
 * JSON for a `jsonb` parameter. Postgres refuses NUL and lone surrogates, both of which appear in output of foreign
 * programs; they are replaced, because a strange character must not stop an update.
 */
export function toJsonb(value: unknown): string {
  const text = JSON.stringify(value ?? null);
  // JSON.stringify escapes exactly these two kinds, so the texts tell whether the slow way is needed.
  if (!text.includes('\\u0000') && !/\\ud[89a-f]/.test(text)) return text;
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'string' ? storableText(member) : member,
  );
}

/** The same for a `text` parameter. The encoder writes U+FFFD for a lone surrogate. */
export const storableText = (text: string): string =>
  Buffer.from(text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text, 'utf8').toString('utf8');

/** Removes members that are null: absent values are undefined in the domain. */
export function withoutNulls<T extends object>(row: T): { [K in keyof T]: Exclude<T[K], null> } {
  const copy = { ...row };
  for (const key of Object.keys(copy) as (keyof T)[]) if (copy[key] === null) delete copy[key];
  return copy as { [K in keyof T]: Exclude<T[K], null> };
}

/** A row without the columns that the domain does not know, and without members that are null. */
export function domainRow<T extends object, K extends keyof T>(
  row: T,
  ...columns: readonly K[]
): Omit<{ [M in keyof T]: Exclude<T[M], null> }, K> {
  const copy = withoutNulls(row);
  for (const column of columns) delete (copy as Partial<T>)[column];
  return copy;
}
