import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/**
 * A minimal X.509 v3 writer: just enough DER to make a CA and one server certificate at start, because neither Node nor
 * our dependencies can, and openssl may not be on the machine. P-256 keys, ECDSA with SHA-256. For loopback servers of
 * simulations only.
 */
interface Issued {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface ServerIdentity {
  readonly caPem: string;
  readonly server: Issued;
}

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utc: 0x17,
  sequence: 0x30,
  set: 0x31,
};

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  if (body.length < 128) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const bytes: number[] = [];
  for (let rest = body.length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length, ...bytes]), body]);
}

const sequence = (...items: readonly Buffer[]): Buffer => der(TAG.sequence, ...items);
const integer = (bytes: Buffer): Buffer =>
  der(TAG.integer, (bytes[0] as number) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
const bitString = (bytes: Buffer): Buffer => der(TAG.bits, Buffer.from([0]), bytes);

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let high = part >>> 7; high > 0; high >>>= 7) groups.unshift((high & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(TAG.oid, Buffer.from(bytes));
}

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const commonName = (name: string): Buffer =>
  sequence(der(TAG.set, sequence(oid('2.5.4.3'), der(TAG.utf8, Buffer.from(name)))));

/** UTCTime covers the years to 2049. */
const utcTime = (at: Date): Buffer =>
  der(TAG.utc, Buffer.from(at.toISOString().replace(/^\d\d|[-:T]|\.\d+/g, '')));

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [der(TAG.boolean, Buffer.from([0xff]))] : []), der(TAG.octets, value));

const keyIdentifier = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();

const pem = (label: string, body: Buffer): string =>
  `-----BEGIN ${label}-----\n${(body.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;

interface Request {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly issuerKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

const DAY = 86_400_000;

function certificate(request: Request): string {
  const now = Date.now();
  const serial = randomBytes(16);
  serial[0] = ((serial[0] as number) & 0x7f) | 0x01;
  const extensions = [
    ...request.extensions,
    extension('2.5.29.14', false, der(TAG.octets, keyIdentifier(request.publicKey))),
    extension('2.5.29.35', false, sequence(der(0x80, keyIdentifier(request.issuerKey)))),
  ];
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    ECDSA_SHA256,
    commonName(request.issuer),
    sequence(utcTime(new Date(now - DAY)), utcTime(new Date(now + 3650 * DAY))),
    commonName(request.subject),
    request.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, request.signingKey);
  return pem('CERTIFICATE', sequence(body, ECDSA_SHA256, bitString(signature)));
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

const USES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };

/** A fresh CA for loopback servers and those who talk to them. */
export class LoopbackAuthority {
  readonly caPem: string;
  private readonly keys = newKeys();

  constructor(private readonly name: string) {
    const { publicKey, privateKey } = this.keys;
    this.caPem = certificate({
      subject: name,
      issuer: name,
      publicKey,
      signingKey: privateKey,
      issuerKey: publicKey,
      extensions: [
        extension('2.5.29.19', true, sequence(der(TAG.boolean, Buffer.from([0xff])))),
        extension('2.5.29.15', true, der(TAG.bits, Buffer.from([2, 0x84]))), // digitalSignature, keyCertSign
      ],
    });
  }

  /** A certificate for 127.0.0.1, ::1 and localhost. */
  issue(subject: string, uses: readonly (keyof typeof USES)[]): Issued {
    const { publicKey, privateKey } = newKeys();
    const names = sequence(
      der(0x82, Buffer.from('localhost')),
      der(0x87, Buffer.from([127, 0, 0, 1])),
      der(0x87, Buffer.from([...Array<number>(15).fill(0), 1])),
    );
    const certificatePem = certificate({
      subject,
      issuer: this.name,
      publicKey,
      signingKey: this.keys.privateKey,
      issuerKey: this.keys.publicKey,
      extensions: [
        extension('2.5.29.19', true, sequence()),
        extension('2.5.29.15', true, der(TAG.bits, Buffer.from([7, 0x80]))), // digitalSignature
        extension('2.5.29.37', false, sequence(...uses.map((use) => oid(USES[use])))),
        extension('2.5.29.17', false, names),
      ],
    });
    return { certificatePem, keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }
}

/** A fresh CA, and a server certificate of it for 127.0.0.1, ::1 and localhost. */
export function issueServerIdentity(): ServerIdentity {
  const authority = new LoopbackAuthority('fairway simulated clusters');
  return { caPem: authority.caPem, server: authority.issue('kube-apiserver', ['server']) };
}
