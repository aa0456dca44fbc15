import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { callError } from '../errors.js';
import { onBytes } from './define.js';
import type { FunctionTable } from './define.js';

function pemBody(pem: string): Buffer | undefined {
  const block = /-----BEGIN ([^-\n]+)-----\r?\n([\s\S]*?)-----END \1-----/.exec(pem);
  if (!block) return undefined;
  const body = (block[2] as string).replace(/^(?:[^\n:]+:[^\n]*\n)+\r?\n/, '');
  return Buffer.from(body.replace(/\s+/g, ''), 'base64');
}

const orError = <T>(make: () => T, message: string): T => {
  try {
    return make();
  } catch {
    return callError(message);
  }
};

/** PKCS#1 is a sequence of numbers; PKCS#8, which OpenSSL would take as well, has a sequence after its version. */
function isPkcs1(der: Buffer): boolean {
  const length = der[1] ?? 0;
  const body = der.subarray(2 + (length < 0x80 ? 0 : length & 0x7f));
  return der[0] === 0x30 && body[0] === 2 && body[1] === 1 && body[3] === 2;
}

/** PKCS#1 private key → PKIX public key. */
function publicKey(pem: string): string {
  const der = pemBody(pem);
  if (!der) return callError('no PEM data found');
  const refused = 'failed to parse private key: not a PKCS#1 RSA private key';
  if (!isPkcs1(der)) return callError(refused);
  const key = orError(() => createPrivateKey({ key: der, format: 'der', type: 'pkcs1' }), refused);
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
}

function certificateExpiry(pem: string): string {
  const der = pemBody(pem);
  if (!der) return callError('no PEM data found');
  const certificate = orError(() => new X509Certificate(der), 'x509: malformed certificate');
  return new Date(certificate.validTo).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** JSON as Go indents it: four blanks, `< > &` escaped. */
const goJson = (value: unknown): string =>
  JSON.stringify(value, null, 4).replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);

function jwks(pem: string): string {
  const der = pemBody(pem);
  if (!der) return callError('Error decoding serviceAccountKey');
  const key: KeyObject = orError(
    () => createPublicKey({ key: der, format: 'der', type: 'spki' }),
    'failed to parse public key: not a PKIX public key',
  );
  if (key.asymmetricKeyType !== 'rsa') return callError('Public key was not RSA');
  const jwk = key.export({ format: 'jwk' }) as Record<string, unknown>;
  const spki = key.export({ type: 'spki', format: 'der' });
  const kid = createHash('sha256').update(spki).digest('base64url');
  const entry = (id: string): object => ({
    alg: 'RS256',
    e: jwk['e'],
    kid: id,
    kty: 'RSA',
    n: jwk['n'],
    use: 'sig',
  });
  // Old tokens carry no key id, hence the second, nameless entry.
  return goJson({ keys: [entry(kid), entry('')] });
}

const discovery = (issuer: string): string =>
  goJson({
    issuer,
    authorization_endpoint: 'urn:kubernetes:programmatic_authorization',
    jwks_uri: `${issuer}/openid-configuration/keys.json`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    claims_supported: ['sub', 'iss'],
  });

export const CRYPTO_FUNCTIONS: FunctionTable = new Map([
  ['publicKey', onBytes(1, (pem) => publicKey(pem as string))],
  ['certificateExpiry', onBytes(1, (pem) => certificateExpiry(pem as string))],
  ['generateJWKSDocument', onBytes(1, (pem) => jwks(pem as string))],
  ['generateOIDCDiscoveryDocument', onBytes(1, (issuer) => discovery(issuer as string))],
]);
