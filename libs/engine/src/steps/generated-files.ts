import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { parse } from 'yaml';
import { fail } from '#kernel';
import type { GeneratedFile, StepKind } from '#fleet';
import type { Pass } from '../pass/pass.js';

interface RemoteFile {
  readonly path: string;
  /** Base64. */
  readonly data: string;
  readonly permissions?: number;
  readonly encrypted?: boolean;
}

/**
 * Stores the files that user data downloads, before the stacks that name them: one gzipped tar per rendered `files.yaml`,
 * entries marked `encrypted` as KMS cipher text with `.enc` behind their name (as cluster-lifecycle-manager packs them).
 * Keys are hashes of the content, so what is there is right.
 */
export async function storeGeneratedFiles(
  pass: Pass,
  step: StepKind,
  wanted: (file: GeneratedFile) => boolean,
): Promise<void> {
  for (const file of (pass.desired.generatedFiles ?? []).filter(wanted)) {
    const stored = `files/${file.bucket}`;
    if (pass.memory.text(`${stored}/${file.file}`) === file.key) continue;
    if (!(await pass.aws.objectExists(file.bucket, file.key))) await store(pass, step, file);
    pass.memory.set(`${stored}/${file.file}`, file.key);
  }
}

async function store(pass: Pass, step: StepKind, file: GeneratedFile): Promise<void> {
  const archive = await packFiles(file, (clear) => encrypt(pass, file, clear));
  await pass.intents.perform({ step, target: `s3://${file.bucket}/${file.key}`, verb: 'put-object' }, () =>
    pass.aws.putObject(file.bucket, file.key, archive),
  );
}

async function packFiles(
  file: GeneratedFile,
  encryptEntry: (clear: Uint8Array) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const archive = pack();
  for (const entry of entriesOf(file)) {
    const clear = Buffer.from(entry.data, 'base64');
    const body = entry.encrypted ? Buffer.from(await encryptEntry(clear)) : clear;
    const name = entry.encrypted ? `${entry.path}.enc` : entry.path;
    // No time of ours in it: equal content gives equal bytes.
    archive.entry({ name, mode: entry.permissions ?? 0o644, mtime: new Date(0) }, body);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}

function entriesOf(file: GeneratedFile): readonly RemoteFile[] {
  const document = parse(file.text, { maxAliasCount: 50 }) as { files?: unknown } | null;
  const entries = Array.isArray(document?.files) ? (document.files as unknown[]) : undefined;
  if (entries?.every(isRemoteFile)) return entries;
  return fail({
    class: 'invalid',
    code: 'files-invalid',
    message: 'files.yaml must render to a list "files" of entries with path and data (base64)',
    place: { file: file.file, field: 'files' },
  });
}

function isRemoteFile(value: unknown): value is RemoteFile {
  const entry = value as Partial<RemoteFile> | null;
  return typeof entry?.path === 'string' && typeof entry.data === 'string';
}

const KEY_NAME = /^(arn:|alias\/|mrk-|[0-9a-f]{8}-)[^\s<>]+$/;

function encrypt(pass: Pass, file: GeneratedFile, clear: Uint8Array): Promise<Uint8Array> {
  const key =
    file.keyOutput === undefined
      ? pass.inputs.etcdKmsKeyArn
      : pass.inputs.clusterStackOutputs?.[file.keyOutput];
  // An ARN, or the bare id that `!Ref` of an AWS::KMS::Key gives.
  if (key !== undefined && KEY_NAME.test(key)) return pass.aws.encrypt(key, clear);
  const source =
    file.keyOutput === undefined
      ? 'the alias alias/etcd-cluster'
      : `the output ${file.keyOutput} of the cluster stack`;
  return fail({
    class: 'invalid',
    code: 'files-key-missing',
    message: `an entry is marked encrypted, and ${source} names no KMS key`,
    hint: 'Add the key, or leave the entry unencrypted.',
    place: { file: file.file },
  });
}
