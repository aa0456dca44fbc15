import { describe, expect, it } from 'vitest';
import type { Pass } from '../pass/pass.js';
import { PassMemory } from '../pass/pass-memory.js';
import { storeGeneratedFiles } from './generated-files.js';

const FILE = {
  file: 'cluster/node-pools/master-default/files.yaml',
  bucket: 'b',
  key: 'k',
  keyOutput: 'MasterFilesEncryptionKey',
  text: 'files: [{ path: /etc/x, data: eA==, encrypted: true }]',
};

/** The names of the keys that were used. */
async function keysFor(output: string | undefined): Promise<readonly string[]> {
  const used: string[] = [];
  const outputs = output === undefined ? {} : { MasterFilesEncryptionKey: output };
  const pass = {
    desired: { generatedFiles: [FILE] },
    memory: new PassMemory({}),
    inputs: { clusterStackOutputs: outputs },
    intents: { perform: (_: unknown, act: () => Promise<unknown>) => act() },
    aws: {
      objectExists: () => Promise.resolve(false),
      encrypt: (key: string) => Promise.resolve(Buffer.from(String(used.push(key)))),
      putObject: () => Promise.resolve('etag'),
    },
  } as unknown as Pass;
  await storeGeneratedFiles(pass, 'control-plane', () => true);
  return used;
}

describe('files of nodes are encrypted under the key that the cluster stack gives', () => {
  it.each([
    'arn:aws:kms:eu-central-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    // What !Ref of an AWS::KMS::Key is.
    '1234abcd-12ab-34cd-56ef-1234567890ab',
    'mrk-1234abcd12ab34cd56ef1234567890ab',
  ])('%s', async (key) => expect(await keysFor(key)).toEqual([key]));

  it.each([undefined, '', '<not made yet>'])('refuses %o', (key) =>
    expect(keysFor(key)).rejects.toThrow('MasterFilesEncryptionKey'),
  );
});
