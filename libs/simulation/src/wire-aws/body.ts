import type { IncomingMessage } from 'node:http';
import { AwsError } from '../aws/aws-error.js';

const LIMIT = 64 * 1024 * 1024;

/** The whole body; `aws-chunked` framing and its trailers are taken off. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > LIMIT)
      throw new AwsError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', 413);
    chunks.push(chunk as Buffer);
  }
  const body = Buffer.concat(chunks);
  const chunked = /aws-chunked/.test(String(request.headers['content-encoding'] ?? ''));
  const streaming = String(request.headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-');
  return chunked || streaming ? unchunk(body) : body;
}

function unchunk(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = body.indexOf('\r\n', at);
    if (lineEnd < 0) break;
    const size = Number.parseInt(body.subarray(at, lineEnd).toString('latin1'), 16);
    if (!(size > 0)) break;
    parts.push(body.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return Buffer.concat(parts);
}
