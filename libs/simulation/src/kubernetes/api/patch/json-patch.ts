import { ApiError, badRequest } from '../api-error.js';
import { clone, isJsonObject, sameJson } from '../object.js';

interface Operation {
  readonly op: string;
  readonly path: readonly string[];
  readonly from: readonly string[];
  readonly value: unknown;
}

/** RFC 6902. Returns a new value. Throws 400 for a malformed patch and 422 for one that does not fit the object. */
export function applyJsonPatch(document: unknown, patch: readonly unknown[]): unknown {
  let current = clone(document);
  for (const raw of patch) current = applyOperation(current, parse(raw));
  return current;
}

const misfit = (text: string): ApiError =>
  new ApiError(422, 'Invalid', `the server rejected our request due to an error in our request: ${text}`);

function parse(raw: unknown): Operation {
  if (!isJsonObject(raw) || typeof raw['op'] !== 'string' || typeof raw['path'] !== 'string') {
    throw badRequest('error decoding patch: json patch operations need op and path');
  }
  const from = typeof raw['from'] === 'string' ? pointer(raw['from']) : [];
  return { op: raw['op'], path: pointer(raw['path']), from, value: raw['value'] };
}

const pointer = (text: string): readonly string[] =>
  text === ''
    ? []
    : text
        .split('/')
        .slice(1)
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

function applyOperation(document: unknown, operation: Operation): unknown {
  const { op, path, from, value } = operation;
  switch (op) {
    case 'add':
      return put(document, path, value, true);
    case 'replace':
      read(document, path);
      return put(document, path, value, false);
    case 'remove':
      return remove(document, path);
    case 'move': {
      const moved = read(document, from);
      return put(remove(document, from), path, moved, true);
    }
    case 'copy':
      return put(document, path, clone(read(document, from)), true);
    case 'test':
      if (!sameJson(read(document, path), value)) {
        throw misfit(`testing value /${path.join('/')} failed: test failed`);
      }
      return document;
    default:
      throw badRequest(`error decoding patch: unexpected kind: ${op}`);
  }
}

function read(document: unknown, path: readonly string[]): unknown {
  let current = document;
  for (const part of path) {
    const next = Array.isArray(current)
      ? current[Number(part)]
      : isJsonObject(current)
        ? current[part]
        : undefined;
    if (next === undefined) throw misfit(`missing path /${path.join('/')}: missing value`);
    current = next;
  }
  return current;
}

function put(document: unknown, path: readonly string[], value: unknown, insert: boolean): unknown {
  if (path.length === 0) return value;
  const parent = read(document, path.slice(0, -1));
  const last = path.at(-1) as string;
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : Number(last);
    if (!Number.isInteger(index) || index < 0 || index > parent.length)
      throw misfit(`index ${last} is out of range`);
    parent.splice(index, insert ? 0 : 1, value);
  } else if (isJsonObject(parent)) parent[last] = value;
  else throw misfit(`/${path.join('/')} does not lead into an object`);
  return document;
}

function remove(document: unknown, path: readonly string[]): unknown {
  read(document, path);
  const parent = read(document, path.slice(0, -1));
  const last = path.at(-1) as string;
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (isJsonObject(parent)) delete parent[last];
  return document;
}
