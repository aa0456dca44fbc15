import {
  CreateBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type BucketLocationConstraint,
} from '@aws-sdk/client-s3';
import { awsError, failureCode } from './classify.js';
import type { SdkClients } from './sdk-clients.js';

/** Objects in S3. Keys are content-addressed by the caller, so writing one twice changes nothing. */
export class Objects {
  constructor(
    private readonly sdk: SdkClients,
    private readonly createMissingBuckets: boolean,
  ) {}

  async exists(bucket: string, key: string): Promise<boolean> {
    try {
      await this.sdk.s3.send(
        new HeadObjectCommand({ Bucket: bucket, Key: key, ExpectedBucketOwner: this.sdk.account }),
      );
      return true;
    } catch (thrown) {
      // HEAD answers without a body: a missing key and a missing bucket both are a bare 404.
      const { name } = awsError(thrown);
      if (name === 'NotFound' || name === 'NoSuchKey' || name === 'NoSuchBucket') return false;
      throw thrown;
    }
  }

  /** Returns `s3://<bucket>/<key>`. A bucket that is missing is created: S3 makes new ones private and encrypted. */
  async put(bucket: string, key: string, body: Uint8Array): Promise<string> {
    await this.inBucket(bucket, () => this.#put(bucket, key, body));
    return `s3://${bucket}/${key}`;
  }

  /** Does it once more with a new bucket where there was none. */
  async inBucket<T>(bucket: string, write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (thrown) {
      if (awsError(thrown).name !== 'NoSuchBucket' || !this.createMissingBuckets) throw thrown;
      await this.#create(bucket);
      return write();
    }
  }

  async #put(bucket: string, key: string, body: Uint8Array): Promise<void> {
    await this.sdk.s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        // A bucket of that name in somebody else's account must not get our user data.
        ExpectedBucketOwner: this.sdk.account,
      }),
    );
  }

  async #create(bucket: string): Promise<void> {
    const region = this.sdk.region;
    try {
      await this.sdk.s3.send(
        new CreateBucketCommand({
          Bucket: bucket,
          // us-east-1 is the one region that must not be named.
          ...(region !== 'us-east-1' && {
            CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint },
          }),
        }),
      );
    } catch (thrown) {
      if (failureCode(thrown) !== 'already-exists') throw thrown;
    }
  }
}
