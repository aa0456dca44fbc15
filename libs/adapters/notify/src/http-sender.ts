import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duration } from '#kernel';
import { guardAddress, type ResolvedAddress, type Resolve } from './address-guard.js';

export interface SenderOptions {
  readonly allowPrivate: boolean;
  /** For the whole exchange, looking up the name included. */
  readonly timeout: Duration;
  readonly maxResponseBytes: number;
  readonly resolve: Resolve;
  /** Characters of the answer that are kept, 200 if absent: enough for a log line. */
  readonly keepCharacters?: number;
}

export type SendResult =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly body: string;
      readonly retryAfter?: string;
    }
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** Not tried: the address is not one that we may talk to. */
  | { readonly kind: 'refused'; readonly reason: string };

/** How much of an answer is kept for the delivery log. */
const KEPT_CHARACTERS = 200;

/** Posts once. Follows no redirect, uses no proxy, and talks only to the one address that was checked. */
export const post = (
  target: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  options: SenderOptions,
): Promise<SendResult> => send(target, headers, body, options);

/** Gets once, under the same rules. */
export const get = (
  target: string,
  headers: Readonly<Record<string, string>>,
  options: SenderOptions,
): Promise<SendResult> => send(target, headers, undefined, options);

async function send(
  target: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
  options: SenderOptions,
): Promise<SendResult> {
  const signal = AbortSignal.timeout(options.timeout);
  const url = new URL(target);
  try {
    const guarded = await within(signal, guardAddress(url.hostname, options.allowPrivate, options.resolve));
    if (!guarded.ok) return { kind: 'refused', reason: guarded.reason };
    if (url.protocol !== 'https:' && guarded.isPublic) {
      return { kind: 'refused', reason: 'plain http is not allowed to public addresses' };
    }
    return await exchange(url, headers, body, guarded.address, signal, options);
  } catch (error) {
    if (signal.aborted)
      return { kind: 'unreachable', reason: `no answer within ${options.timeout / 1000} s` };
    return { kind: 'unreachable', reason: shortReason(error) };
  }
}

function exchange(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
  pinned: ResolvedAddress,
  signal: AbortSignal,
  limits: Pick<SenderOptions, 'maxResponseBytes' | 'keepCharacters'>,
): Promise<SendResult> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const lookup: LookupFunction = (_hostname, options, callback) => {
    if (options.all === true) callback(null, [{ ...pinned }]);
    else callback(null, pinned.address, pinned.family);
  };
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...headers,
          ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
        },
        lookup,
        // A connection of its own: one that is kept might go to an address that was checked for somebody else.
        agent: false,
        signal,
      },
      (response) => {
        read(response, limits).then(resolve, reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Reads no more than the limit; the status is what counts, also where the body is cut or breaks off. */
function read(
  response: IncomingMessage,
  { maxResponseBytes, keepCharacters }: Pick<SenderOptions, 'maxResponseBytes' | 'keepCharacters'>,
): Promise<SendResult> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (): void => {
      const after = response.headers['retry-after'];
      resolve({
        kind: 'answered',
        status: response.statusCode ?? 0,
        body: printable(Buffer.concat(chunks).toString('utf8'), keepCharacters ?? KEPT_CHARACTERS),
        ...(after !== undefined && { retryAfter: after }),
      });
    };
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxResponseBytes) {
        chunks.push(chunk);
        return;
      }
      finish();
      response.destroy();
    });
    response.on('end', finish);
    response.on('error', reject);
  });
}

function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('timeout')), { once: true });
    work.then(resolve, reject);
  });
}

/** What a stranger's server says, fit for a log line. */
const printable = (text: string, limit: number): string =>
  text
    .slice(0, limit)
    .replace(/\p{Cc}/gu, ' ')
    .trim();

/** The error's code alone: messages may hold the address, which may be a secret. */
function shortReason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return typeof code === 'string' ? `cannot be reached (${code})` : 'cannot be reached';
}
