import ipaddr from 'ipaddr.js';
import { callError } from '../errors.js';

/** An IPv4 or IPv6 network; `bytes` is its first address. */
export interface Network {
  readonly bytes: readonly number[];
  readonly prefix: number;
}

const V4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

function addressBytes(text: string): number[] | undefined {
  const v4 = V4.exec(text);
  if (v4) {
    const bytes = v4.slice(1).map(Number);
    return bytes.every((byte) => byte < 256) ? bytes : undefined;
  }
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  return ipaddr.IPv6.parse(text).toByteArray();
}

export function parseCidr(text: string): Network {
  const [address = '', mask = '', ...rest] = text.split('/');
  const bytes = addressBytes(address);
  const prefix = /^\d{1,3}$/.test(mask) ? Number(mask) : -1;
  if (!bytes || rest.length > 0 || prefix < 0 || prefix > bytes.length * 8) {
    return callError(`invalid CIDR address: ${text}`);
  }
  return {
    bytes: bytes.map((byte, at) => byte & (0xff00 >> Math.max(0, Math.min(8, prefix - at * 8))) & 0xff),
    prefix,
  };
}

function formatAddress(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  return mapped ? bytes.slice(12).join('.') : new ipaddr.IPv6([...bytes]).toRFC5952String();
}

export const formatNetwork = (network: Network): string =>
  `${formatAddress(network.bytes)}/${network.prefix}`;

/** The n-th address; as in CLM only the last byte counts, and it wraps. */
export function nthAddress(cidr: string, n: bigint): string {
  const { bytes } = parseCidr(cidr);
  const last = (bytes.at(-1) ?? 0) + Number(n > 0n ? n % 256n : 0n);
  return formatAddress([...bytes.slice(0, -1), last % 256]);
}

const toNumber = (bytes: readonly number[]): number => bytes.reduce((sum, byte) => sum * 256 + byte, 0);
const fromNumber = (value: number): number[] =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256);

/** Three /28 networks in the second quarter of a VPC, where STUPS puts its NAT gateways. */
export function stupsNatSubnets(cidr: string): string[] {
  const { bytes, prefix } = parseCidr(cidr);
  if (prefix === 0 || prefix > 24) {
    return callError(`invalid subnet, expecting at least /24: ${formatNetwork({ bytes, prefix })}`);
  }
  if (bytes.length !== 4) {
    return callError(`only ipv4 subnets are supported, got ${formatNetwork({ bytes, prefix })}`);
  }
  const quarter = toNumber(bytes) + 2 ** (32 - prefix - 2);
  return [0, 1, 2].map((index) => formatNetwork({ bytes: fromNumber(quarter + index * 16), prefix: 28 }));
}

export interface PortRange {
  readonly from: bigint;
  readonly to: bigint;
}

export function portRange(fromText: string, toText: string, firstText: string, input: string): PortRange {
  const parse = (text: string, which: string): bigint =>
    /^[+-]?\d{1,18}$/.test(text)
      ? BigInt(text.replace(/^\+/, ''))
      : callError(`invalid ${which} port: ${which === 'start' ? firstText : toText} in input: ${input}`);
  const from = parse(fromText, 'start');
  const to = parse(toText, 'end');
  if (from > to || to > 65535n || from < 0n) return callError(`port range ${from}-${to} is invalid`);
  return { from, to };
}

/** Go's `net.SplitHostPort`. */
export function splitHostPort(text: string): { readonly host: string; readonly port: string } {
  const failed = (why: string): never => callError(`address ${text}: ${why}`);
  const colon = text.lastIndexOf(':');
  if (colon < 0) return failed('missing port in address');
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    if (end < 0) return failed("missing ']' in address");
    if (end + 1 === text.length) return failed('missing port in address');
    if (end + 1 !== colon)
      return failed(text[end + 1] === ':' ? 'too many colons in address' : 'missing port in address');
    if (text.indexOf('[', 1) >= 0) return failed("unexpected '[' in address");
    if (text.indexOf(']', end + 1) >= 0) return failed("unexpected ']' in address");
    return { host: text.slice(1, end), port: text.slice(colon + 1) };
  }
  const host = text.slice(0, colon);
  if (host.includes(':')) return failed('too many colons in address');
  if (text.includes('[')) return failed("unexpected '[' in address");
  if (text.includes(']')) return failed("unexpected ']' in address");
  return { host, port: text.slice(colon + 1) };
}

/** Host name of an endpoint as Go's `url.Parse` finds it. */
export function endpointHost(given: string): string {
  const endpoint = given.startsWith('http') ? given : `http://${given}`;
  const failed = (why: string): never =>
    callError(`unable to parse endpoint '${endpoint}': parse "${endpoint}": ${why}`);
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(endpoint)) return failed('net/url: invalid control character in URL');
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/.exec(endpoint)?.[1];
  if (authority === undefined) return '';
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(host) ?? [];
  if (port !== undefined && !/^\d*$/.test(port)) return failed(`invalid port ":${port}" after host`);
  if (bracketed === undefined && plain === undefined)
    return failed(`invalid port "${host.slice(host.lastIndexOf(':'))}" after host`);
  if (/[ "<>\\^`{|}]/.test(host))
    return failed(`invalid character "${/[ "<>\\^`{|}]/.exec(host)?.[0] ?? ''}" in host name`);
  return bracketed ?? plain ?? '';
}
