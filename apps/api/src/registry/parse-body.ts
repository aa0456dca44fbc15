import type { z } from 'zod';
import { nearest } from '#config';
import { RESERVED } from '#fleet';
import { badRequest, type FieldFault } from '../errors/api-error.js';

/** A body or query of the expected shape, or a 400 that names every field. */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.infer<T> {
  const reserved = reservedKeys(body);
  if (reserved.length > 0) throw badRequest(reserved);
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  throw badRequest(
    parsed.error.issues.map((issue) => ({ field: fieldPath(issue.path), message: issue.message })),
  );
}

/**
 * The body of a PATCH. Fields that nobody here knows are passed over, as clients of the contract expect who send back what
 * they read; one that is a letter away from a field that is not there was meant to change it.
 */
export function parsePatch<T extends z.ZodObject>(schema: T, body: unknown): z.infer<T> {
  const parsed = parseBody(schema, body);
  const sent = Object.keys(body ?? {});
  const known = Object.keys(schema.shape);
  const absent = known.filter((field) => !sent.includes(field));
  const unknown = sent.filter((field) => !known.includes(field) && field.length > 4);
  const faults = unknown.flatMap((field): readonly FieldFault[] => {
    const near = nearest(field, absent, 1);
    return near === undefined ? [] : [{ field, message: `is no field of the record; did you mean ${near}?` }];
  });
  if (faults.length > 0) throw badRequest(faults);
  return parsed;
}

/** Names that mean something to JavaScript objects, at any depth: schemas pass over some of them silently. */
function reservedKeys(body: unknown): readonly FieldFault[] {
  const faults: FieldFault[] = [];
  const pending: { readonly value: unknown; readonly path: readonly PropertyKey[] }[] = [
    { value: body, path: [] },
  ];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { value, path } = next;
    if (typeof value !== 'object' || value === null) continue;
    // Deeper than any record of ours; nothing below is read.
    if (path.length > 8) continue;
    for (const [key, member] of Object.entries(value)) {
      const at = [...path, Array.isArray(value) ? Number(key) : key];
      if (RESERVED.has(key)) faults.push({ field: fieldPath(at), message: 'the key is reserved' });
      else pending.push({ value: member, path: at });
    }
  }
  return faults;
}

/** `node_pools[1].min_size` */
function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    '',
  );
}

/** A path parameter against its pattern of the registry contract. */
export function checkPath(name: string, value: string, pattern: RegExp): string {
  const faults: readonly FieldFault[] = [{ field: name, message: `must match ${pattern.source}` }];
  if (!pattern.test(value) || RESERVED.has(value)) throw badRequest(faults);
  return value;
}
