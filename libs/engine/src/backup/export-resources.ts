import { createCipheriv, randomBytes } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { stringify } from 'yaml';
import type { KubernetesObject } from '#fleet';
import type { AwsPort, KubernetesPort, ListableKind } from '#ports';
import type { BackupPolicy } from '#upgrade';

export interface ResourceExport {
  readonly body: AsyncIterable<Uint8Array>;
  /** Complete when the body is. */
  readonly count: { objects: number };
}

type Rules = BackupPolicy['resources'];

/**
 * Every listable object of a cluster as a gzipped stream of YAML documents, kind by kind, page by page. Without secrets;
 * or encrypted as a whole under a data key that only the KMS key can open, where the policy asks for them.
 */
export async function exportResources(
  kubernetes: KubernetesPort,
  aws: Pick<AwsPort, 'encrypt'>,
  policy: Pick<BackupPolicy, 'resources' | 'kmsKey'>,
): Promise<ResourceExport> {
  const { resources: rules, kmsKey } = policy;
  const kinds = await kubernetes.listableKinds((group) => rules.exclude.includes(`*.${group}`));
  const wanted = kinds.filter((kind) => isWanted(kind, rules)).sort(byOrder);
  const count = { objects: 0 };
  const pack = (): AsyncIterable<Uint8Array> => gzipped(documents(kubernetes, wanted, count));
  if (rules.secrets === 'exclude' || kmsKey === undefined) return { body: pack(), count };
  return { body: await encrypted(pack, aws, kmsKey), count };
}

const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';

/** `deployments.apps`, `configmaps`, as `kubectl` names resources. */
const nameOf = ({ apiVersion, resource }: ListableKind): string => {
  const group = groupOf(apiVersion);
  return group === '' ? resource : `${resource}.${group}`;
};

/** Worth nothing in a restore, or not stored at all. */
const NEVER = new Set(['componentstatuses', 'nodes.metrics.k8s.io', 'pods.metrics.k8s.io']);

function isWanted(kind: ListableKind, { include, exclude, secrets }: Rules): boolean {
  const name = nameOf(kind);
  const matches = (patterns: readonly string[]): boolean =>
    patterns.some(
      (pattern) => pattern === '*' || pattern === name || pattern === `*.${groupOf(kind.apiVersion)}`,
    );
  if (NEVER.has(name) || (name === 'secrets' && secrets === 'exclude')) return false;
  return matches(include) && !matches(exclude);
}

/** What others need comes first, so that the file can be applied from its beginning to its end. */
const FIRST = [
  'customresourcedefinitions.apiextensions.k8s.io',
  'namespaces',
  'priorityclasses.scheduling.k8s.io',
];

const orderOf = (kind: ListableKind): number => {
  const index = FIRST.indexOf(nameOf(kind));
  return index < 0 ? FIRST.length : index;
};

const byOrder = (a: ListableKind, b: ListableKind): number =>
  orderOf(a) - orderOf(b) || (nameOf(a) < nameOf(b) ? -1 : 1);

async function* documents(
  kubernetes: KubernetesPort,
  kinds: readonly ListableKind[],
  count: { objects: number },
): AsyncGenerator<Uint8Array> {
  for (const kind of kinds) {
    for await (const page of kubernetes.listPages(kind)) {
      for (const object of page) {
        count.objects += 1;
        yield Buffer.from(`---\n${stringify(bare(object), { lineWidth: 0, aliasDuplicateObjects: false })}`);
      }
    }
  }
}

/** Who owns which field is the server's to say; often half of the bytes. */
function bare(object: KubernetesObject): KubernetesObject {
  const { apiVersion, kind, metadata: all, ...rest } = object;
  const { managedFields: _managed, ...metadata } = all;
  // In the order in which people look for them.
  return { apiVersion, kind, metadata, ...rest };
}

function gzipped(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const gzip = createGzip();
  // What the source throws destroys the gzip with it, and so reaches whoever reads.
  pipeline(Readable.from(source, { highWaterMark: 4 }), gzip, () => undefined);
  return gzip;
}

/**
 * One line of JSON (`key`: the data key under KMS, `iv`), then AES-256-CTR, which `openssl enc -d` reads. Intactness is
 * told by the SHA-256 of the stored object, which is kept apart from it.
 */
async function encrypted(
  pack: () => AsyncIterable<Uint8Array>,
  aws: Pick<AwsPort, 'encrypt'>,
  kmsKey: string,
): Promise<AsyncIterable<Uint8Array>> {
  const [key, iv] = [randomBytes(32), randomBytes(16)];
  const wrapped = Buffer.from(await aws.encrypt(kmsKey, key)).toString('base64');
  const header = { cipher: 'aes-256-ctr', kmsKey, key: wrapped, iv: iv.toString('hex') };
  return (async function* (): AsyncGenerator<Uint8Array> {
    const cipher = createCipheriv('aes-256-ctr', key, iv);
    yield Buffer.from(`${JSON.stringify(header)}\n`);
    for await (const chunk of pack()) yield cipher.update(chunk);
    yield cipher.final();
  })();
}
