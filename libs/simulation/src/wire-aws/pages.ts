import { AwsError } from '../aws/aws-error.js';
import { integer, text } from '../aws/props.js';
import type { WireRequest } from './handler.js';

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

/** One page of a list. The token says where the next one begins. */
export function page<T>(
  request: WireRequest,
  all: readonly T[],
  tokenName: string,
  sizeName: string,
  defaultSize: number,
): Page<T> {
  const wanted = integer(request.params[sizeName]) ?? defaultSize;
  const size = Math.max(1, Math.min(wanted, request.pageLimit ?? wanted));
  const start = decode(text(request.params[tokenName]));
  const end = start + size;
  return { items: all.slice(start, end), next: end < all.length ? encode(end) : undefined };
}

const encode = (start: number): string => Buffer.from(`from:${start}`).toString('base64url');

function decode(token: string | undefined): number {
  if (token === undefined) return 0;
  const [, start] = /^from:(\d+)$/.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  if (start === undefined) throw new AwsError('InvalidNextToken', 'The token is not valid.');
  return Number(start);
}
