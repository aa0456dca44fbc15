/** Objects as they come from an API: nothing about their shape is certain. */
export type Fields = Readonly<Record<string, unknown>>;

export const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

export const items = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(fields) : []);

export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The condition of that type, of `status.conditions`. */
export const condition = (object: Fields, type: string): Fields | undefined =>
  items(fields(object['status'])['conditions']).find((one) => one['type'] === type);
