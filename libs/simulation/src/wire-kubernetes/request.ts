import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { parse as parseYaml, parseAllDocuments } from 'yaml';
import { ApiError, badRequest } from '../kubernetes/api/api-error.js';
import { isJsonObject, type JsonObject } from '../kubernetes/api/object.js';
import { decodeProtobuf } from './protobuf.js';

const MAX_BODY = 3 * 1024 * 1024;

/** Throws 413 above 3 MiB, as kube-apiserver. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new ApiError(413, 'RequestEntityTooLarge', `limit is ${MAX_BODY}`);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

export const mediaType = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? '';

/** JSON, YAML or protobuf by content type. Throws 400 for what does not parse and 415 for formats that are not served. */
export function parseBody(body: Buffer, type: string): unknown {
  if (body.length === 0) return undefined;
  if (type === 'application/vnd.kubernetes.protobuf') return decodeProtobuf(body);
  if (type.includes('cbor')) throw unsupportedMedia(type);
  const text = body.toString('utf8');
  try {
    return type.includes('yaml') ? parseOneDocument(text) : JSON.parse(text);
  } catch (error) {
    throw badRequest(
      `couldn't parse the request body: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function parseOneDocument(text: string): unknown {
  if (text.trimStart().startsWith('{')) return JSON.parse(text);
  const documents = parseAllDocuments(text);
  if (documents.length > 1) throw new Error('more than one document');
  return parseYaml(text) as unknown;
}

export const unsupportedMedia = (type: string): ApiError =>
  new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml (got ${type})`,
  );

export function objectBody(value: unknown): JsonObject {
  if (!isJsonObject(value)) throw badRequest('the request body must be an object');
  return value;
}
