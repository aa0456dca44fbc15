import { X509Certificate } from 'node:crypto';
import type { KubernetesObject } from '#fleet';
import type { ConnectionCertificate } from '#ports';
import type { CertificateView } from '#upgrade';
import { fields, items, text } from './fields.js';

const NAMES: Readonly<Record<ConnectionCertificate['role'], string>> = {
  server: 'certificate of the API server',
  client: "Fairway's own client certificate",
  authority: 'CA of the API server',
};

export const ofConnection = (shown: readonly ConnectionCertificate[]): readonly CertificateView[] =>
  shown.map(({ role, notAfter }) => ({ name: NAMES[role], notAfter }));

export const ofWebhooks = (objects: readonly KubernetesObject[]): readonly CertificateView[] =>
  objects.flatMap((object) =>
    items(object['webhooks']).flatMap((hook) =>
      bundle(
        fields(hook['clientConfig'])['caBundle'],
        `CA of webhook ${object.metadata.name}: ${text(hook['name'])}`,
      ),
    ),
  );

export const ofAggregatedApis = (objects: readonly KubernetesObject[]): readonly CertificateView[] =>
  objects.flatMap((object) =>
    bundle(fields(object['spec'])['caBundle'], `CA of apiservice ${object.metadata.name}`),
  );

/** A bundle is as good as the youngest certificate in it: old ones stay there while they are replaced. */
function bundle(value: unknown, name: string): readonly CertificateView[] {
  const pem = Buffer.from(text(value), 'base64').toString('latin1');
  const ends = (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).flatMap(end);
  return ends.length === 0 ? [] : [{ name, notAfter: Math.max(...ends) }];
}

function end(pem: string): readonly number[] {
  try {
    return [Date.parse(new X509Certificate(pem).validTo)];
  } catch {
    // The API server did not mind it either: it is not ours to judge.
    return [];
  }
}
