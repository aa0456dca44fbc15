import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { canonicalJson } from '#kernel';
import type { SeededRandom } from '../time/seeded-random.js';
import { AwsError } from './aws-error.js';

export interface KmsKey {
  readonly id: string;
  readonly arn: string;
  readonly aliases: Set<string>;
}

type EncryptionContext = Readonly<Record<string, string>>;

/** KMS of one account and region: symmetric keys, named by id, ARN or `alias/…`. */
export class KeyManagement {
  private readonly keys = new Map<string, KmsKey>();

  constructor(
    private readonly random: SeededRandom,
    readonly account: string,
    readonly region: string,
  ) {}

  all(): readonly KmsKey[] {
    return [...this.keys.values()];
  }

  createKey(alias?: string): KmsKey {
    const id = this.random.uuid();
    const key: KmsKey = {
      id,
      arn: `arn:aws:kms:${this.region}:${this.account}:key/${id}`,
      aliases: new Set(alias ? [alias] : []),
    };
    this.keys.set(id, key);
    return key;
  }

  find(name: string): KmsKey {
    const short = name.startsWith('arn:')
      ? name
          .split(':')
          .slice(5)
          .join(':')
          .replace(/^key\//, '')
      : name;
    const key = this.keys.get(short) ?? this.all().find(({ aliases }) => aliases.has(short));
    if (key && (!name.startsWith('arn:') || name.startsWith(`arn:aws:kms:${this.region}:${this.account}:`)))
      return key;
    throw new AwsError('NotFoundException', `Key '${name}' does not exist`);
  }

  encrypt(
    keyName: string,
    plaintext: Uint8Array,
    context: EncryptionContext = {},
  ): { key: KmsKey; ciphertext: Uint8Array } {
    const key = this.find(keyName);
    if (plaintext.length > 4096) {
      throw new AwsError(
        'ValidationException',
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
      );
    }
    const nonce = Buffer.from(this.random.hex(24), 'hex');
    const cipher = createCipheriv('aes-256-gcm', secretOf(key), nonce).setAAD(
      Buffer.from(canonicalJson(context)),
    );
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return { key, ciphertext: Buffer.concat([Buffer.from(key.id), nonce, cipher.getAuthTag(), sealed]) };
  }

  decrypt(ciphertext: Uint8Array, context: EncryptionContext = {}): { key: KmsKey; plaintext: Uint8Array } {
    const bytes = Buffer.from(ciphertext);
    const key = this.keys.get(bytes.subarray(0, 36).toString());
    if (!key) {
      throw new AwsError(
        'AccessDeniedException',
        'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
      );
    }
    try {
      const decipher = createDecipheriv('aes-256-gcm', secretOf(key), bytes.subarray(36, 48))
        .setAAD(Buffer.from(canonicalJson(context)))
        .setAuthTag(bytes.subarray(48, 64));
      return { key, plaintext: Buffer.concat([decipher.update(bytes.subarray(64)), decipher.final()]) };
    } catch {
      throw new AwsError('InvalidCiphertextException', '');
    }
  }
}

const secretOf = (key: KmsKey): Buffer => createHash('sha256').update(`simulated key ${key.arn}`).digest();
