import { props, text } from '../aws/props.js';
import type { Actions } from './handler.js';

const bytes = (value: unknown): Uint8Array => Buffer.from(text(value) ?? '', 'base64');
const base64 = (value: Uint8Array): string => Buffer.from(value).toString('base64');
const context = (value: unknown): Record<string, string> => props(value) as Record<string, string>;

/** JSON 1.1: blobs travel as base64. */
export const kmsActions: Actions = {
  Encrypt: ({ home, params }) => {
    const { key, ciphertext } = home.kms.encrypt(
      text(params['KeyId']) ?? '',
      bytes(params['Plaintext']),
      context(params['EncryptionContext']),
    );
    return { CiphertextBlob: base64(ciphertext), KeyId: key.arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
  },
  Decrypt: ({ home, params }) => {
    const { key, plaintext } = home.kms.decrypt(
      bytes(params['CiphertextBlob']),
      context(params['EncryptionContext']),
    );
    return { Plaintext: base64(plaintext), KeyId: key.arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
  },
  DescribeKey: ({ home, params }) => {
    const key = home.kms.find(text(params['KeyId']) ?? '');
    return {
      KeyMetadata: {
        KeyId: key.id,
        Arn: key.arn,
        AWSAccountId: home.account,
        Enabled: true,
        KeyState: 'Enabled',
      },
    };
  },
  CreateKey: ({ home }) => {
    const key = home.kms.createKey();
    return {
      KeyMetadata: {
        KeyId: key.id,
        Arn: key.arn,
        AWSAccountId: home.account,
        Enabled: true,
        KeyState: 'Enabled',
      },
    };
  },
};
