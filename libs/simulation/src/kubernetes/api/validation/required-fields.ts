import type { StatusCause } from '../api-error.js';
import { isJsonObject } from '../object.js';
import type { Schema } from '../schema/schema.js';
import { required } from './faults.js';

/** Required text that may well be empty. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set(['value', 'message', 'reason', 'request', 'description']);

/** Missing required fields below a value, by the schema. Status is the business of controllers. */
export function requiredFaults(value: unknown, schema: Schema, path = ''): readonly StatusCause[] {
  if (schema.kind === 'list' && Array.isArray(value)) {
    return value.flatMap((item, index) => requiredFaults(item, schema.item, `${path}[${index}]`));
  }
  if (schema.kind === 'map' && isJsonObject(value)) {
    return Object.entries(value).flatMap(([key, item]) =>
      requiredFaults(item, schema.value, `${path}[${key}]`),
    );
  }
  if (schema.kind !== 'struct' || !isJsonObject(value)) return [];
  const faults: StatusCause[] = [];
  for (const [name, field] of schema.fields) {
    if (path === '' && (name === 'status' || name === 'metadata')) continue;
    const here = path === '' ? name : `${path}.${name}`;
    const member = value[name];
    const empty = member === undefined || member === null || (member === '' && !MAY_BE_EMPTY.has(name));
    if (field.required && empty) faults.push(required(here));
    else if (member !== undefined) faults.push(...requiredFaults(member, field.schema, here));
  }
  return faults;
}
