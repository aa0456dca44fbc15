/**
 * Readers for loosely typed input: query parameters (all strings) and template properties (numbers and
 * strings mixed) have the same names and nesting in AWS, so both go through here.
 */
export type Props = Readonly<Record<string, unknown>>;

export const isProps = (value: unknown): value is Props =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const props = (value: unknown): Props => (isProps(value) ? value : {});

export const text = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return undefined;
};

export const integer = (value: unknown): number | undefined => {
  const raw = text(value);
  if (raw === undefined) return undefined;
  const number = Number(raw);
  return Number.isFinite(number) ? Math.trunc(number) : undefined;
};

export const bool = (value: unknown): boolean | undefined => {
  const raw = text(value)?.toLowerCase();
  return raw === undefined ? undefined : raw === 'true';
};

export const list = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === '' ? [] : [value];

export const texts = (value: unknown): readonly string[] =>
  list(value).flatMap((item) => {
    const one = text(item);
    return one === undefined ? [] : [one];
  });

/** `[{Key, Value}]` as a record. */
export const tagRecord = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    list(value).map((item) => [text(props(item)['Key']) ?? '', text(props(item)['Value']) ?? '']),
  );

export const tagList = (tags: Readonly<Record<string, string>>): { Key: string; Value: string }[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
