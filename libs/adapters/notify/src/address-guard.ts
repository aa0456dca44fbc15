import { lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Resolves a name to all of its addresses. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export const systemResolve: Resolve = async (hostname) => {
  const found = await systemLookup(hostname, { all: true, verbatim: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};

export type Guarded =
  | { readonly ok: true; readonly address: ResolvedAddress; readonly isPublic: boolean }
  | { readonly ok: false; readonly reason: string };

/**
 * The one address to talk to, looked up once so that a second answer of DNS cannot lead elsewhere. Unless private ones are
 * allowed, a name with a single address that is not on the public internet is refused altogether.
 */
export async function guardAddress(
  hostname: string,
  allowPrivate: boolean,
  resolve: Resolve,
): Promise<Guarded> {
  const bare = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(bare);
  const found: readonly ResolvedAddress[] =
    family === 0 ? await resolve(bare) : [{ address: bare, family: family === 6 ? 6 : 4 }];
  const [first] = found;
  if (first === undefined) return { ok: false, reason: 'the name has no address' };
  const inner = found.find(({ address }) => !isPublicAddress(address));
  if (inner !== undefined && !allowPrivate) {
    return { ok: false, reason: `the address is ${rangeOf(inner.address)}, which is not allowed` };
  }
  if (found.some(({ address }) => isNeverAReceiver(address))) {
    return { ok: false, reason: `the address is ${rangeOf(first.address)}, which no receiver has` };
  }
  return { ok: true, address: first, isPublic: inner === undefined };
}

function normal(address: string): ipaddr.IPv4 | ipaddr.IPv6 {
  const parsed = ipaddr.process(address);
  // An IPv4 address in disguise is judged as what it is: NAT64 and the old compatible form.
  if (parsed instanceof ipaddr.IPv6 && (parsed.range() === 'rfc6052' || isCompatible(parsed))) {
    return new ipaddr.IPv4(parsed.toByteArray().slice(12));
  }
  return parsed;
}

const isCompatible = (address: ipaddr.IPv6): boolean =>
  address.parts.slice(0, 6).every((part) => part === 0) && (address.parts[6] ?? 0) !== 0;

function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && normal(address).range() === 'unicast';
}

const rangeOf = (address: string): string =>
  ipaddr.isValid(address) ? `in the range "${normal(address).range()}"` : 'not an address';

/** Even where private receivers are allowed: the metadata services of clouds hand out credentials to whoever asks. */
function isNeverAReceiver(address: string): boolean {
  const range = normal(address).range();
  if (range === 'linkLocal' || range === 'multicast' || range === 'broadcast' || range === 'unspecified')
    return true;
  return METADATA.has(normal(address).toString());
}

const METADATA = new Set(['169.254.169.254', 'fd00:ec2::254', '100.100.100.200', '192.0.0.192']);
