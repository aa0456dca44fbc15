import { X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import type { Duration } from '#kernel';
import type { ConnectionCertificate } from '#ports';
import type { TlsMaterial } from './credentials.js';

/** The certificate that the server shows now, and those that we hold. The server must be trusted, as for every request. */
export async function connectionCertificates(
  url: URL,
  material: TlsMaterial,
  limit: Duration,
): Promise<readonly ConnectionCertificate[]> {
  if (url.protocol !== 'https:') return [];
  const server = await shown(url, material, limit);
  return [
    described('server', server),
    ...(material.cert === undefined ? [] : [described('client', new X509Certificate(material.cert))]),
    ...(material.ca === undefined ? [] : [described('authority', new X509Certificate(material.ca))]),
  ];
}

/** A handshake of its own: a resumed session shows no certificate. */
function shown(url: URL, material: TlsMaterial, limit: Duration): Promise<X509Certificate> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host,
      port: url.port === '' ? 443 : Number(url.port),
      ...material,
      ...(material.servername === undefined && !/^[\d.]+$|:/.test(host) && { servername: host }),
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    });
    socket.setTimeout(limit, () =>
      socket.destroy(Object.assign(new Error('the handshake took too long'), { code: 'ETIMEDOUT' })),
    );
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      socket.end();
      if (certificate) resolve(certificate);
      else reject(Object.assign(new Error('the server showed no certificate'), { code: 'EPROTO' }));
    });
  });
}

const described = (
  role: ConnectionCertificate['role'],
  certificate: X509Certificate,
): ConnectionCertificate => ({
  role,
  subject: certificate.subject.replaceAll('\n', ', '),
  notAfter: Date.parse(certificate.validTo),
});
