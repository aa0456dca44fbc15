import {
  EntitySchema,
  type EntitySchemaColumnOptions,
  type QueryDeepPartialEntity,
  type ValueTransformer,
} from 'typeorm';
import { storableText, toJsonb } from '../json.js';

/** `Instant` (milliseconds) in the domain, `timestamptz` in the database. */
const instantTransformer: ValueTransformer = {
  to: (value: unknown) => (typeof value === 'number' ? new Date(value) : value),
  from: (value: unknown) => (value instanceof Date ? value.getTime() : value),
};

const jsonTransformer: ValueTransformer = {
  to: (value: unknown) => (value === null || value === undefined ? value : JSON.parse(toJsonb(value))),
  from: (value: unknown) => value,
};

const textTransformer: ValueTransformer = {
  to: (value: unknown) => (typeof value === 'string' ? storableText(value) : value),
  from: (value: unknown) => value,
};

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

type Column = EntitySchemaColumnOptions;

export const key = (): Column => ({ type: 'text', primary: true });
/** An identifier: what cannot be stored as it is, is refused. */
export const word = (): Column => ({ type: 'text' });
/** Text of others, for people: characters that cannot be stored are replaced. */
export const prose = (): Column => ({ type: 'text', transformer: textTransformer });
export const count = (): Column => ({ type: 'integer' });
export const small = (): Column => ({ type: 'smallint' });
export const flag = (): Column => ({ type: 'boolean' });
export const instant = (): Column => ({ type: 'timestamptz', transformer: instantTransformer });
export const json = (): Column => ({ type: 'jsonb', transformer: jsonTransformer });
export const big = (): Column => ({ type: 'bigint', transformer: bigTransformer });
export const optional = (column: Column): Column => ({ ...column, nullable: true });
export const named = (column: Column, name: string): Column => ({ ...column, name });
/** Numbered by the database. */
export const ordinal = (primary = false): Column => ({ ...big(), primary, generated: 'increment' });

const bigTransformer: ValueTransformer = {
  to: (value: unknown) => value,
  from: (value: unknown) => (value === null ? null : Number(value)),
};

/** A table; columns are the snake_case of the properties unless named otherwise. */
export function table<T extends object>(
  tableName: string,
  columns: { readonly [K in keyof Required<T>]: Column },
): EntitySchema<T> {
  const entries = Object.entries<Column>(columns).map(([property, column]) => [
    property,
    { ...column, name: column.name ?? snake(property) },
  ]);
  return new EntitySchema<T>({ name: tableName, tableName, columns: Object.fromEntries(entries) });
}

/** Every column with a value: absent members are written as NULL, so that a repeated write clears them. */
export function complete<T extends object>(schema: EntitySchema<T>, value: T): QueryDeepPartialEntity<T> {
  const row: Record<string, unknown> = {};
  for (const [property, column] of Object.entries<Column | undefined>(schema.options.columns)) {
    if (column?.generated) continue;
    row[property] = (value as Record<string, unknown>)[property] ?? null;
  }
  return row as QueryDeepPartialEntity<T>;
}
