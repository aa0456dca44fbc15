import type { z } from 'zod';
import { RESERVED } from '#fleet';
import { badRequest, type FieldFault } from '../errors/api-error.js';

/** A body or query of the expected shape, or a 400 that names every field. */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.infer<T> {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  throw badRequest(
    parsed.error.issues.map((issue) => ({ field: fieldPath(issue.path), message: issue.message })),
  );
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
