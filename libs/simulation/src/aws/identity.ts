import { hours, type Duration, type Instant } from '#kernel';
import type { Scheduler } from '../time/scheduler.js';
import type { SeededRandom } from '../time/seeded-random.js';
import { AwsError } from './aws-error.js';

export interface Principal {
  readonly account: string;
  /** `arn:aws:iam::<account>:user/<name>` or `arn:aws:sts::<account>:assumed-role/<role>/<session>`. */
  readonly arn: string;
  readonly userId: string;
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiresAt?: Instant;
}

interface Credential {
  readonly key: AccessKey;
  readonly principal: Principal;
}

/** IAM users' keys and STS sessions: which account a signed request belongs to. */
export class Identity {
  private readonly credentials = new Map<string, Credential>();
  private readonly roles = new Map<string, ReadonlySet<string> | 'any'>();

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: SeededRandom,
  ) {}

  /** `roles`: names that may be assumed in the account; by default every name. */
  addAccount(account: string, key: AccessKey, roles: readonly string[] | 'any' = 'any'): void {
    const principal = {
      account,
      arn: `arn:aws:iam::${account}:user/operator`,
      userId: `AIDA${this.upperHex(17)}`,
    };
    this.credentials.set(key.accessKeyId, { key, principal });
    this.roles.set(account, roles === 'any' ? 'any' : new Set(roles));
  }

  /** Who signed with the key. Throws the codes that AWS answers for unknown and expired keys. */
  authenticate(accessKeyId: string | undefined): Principal {
    const credential = this.credentials.get(accessKeyId ?? '');
    if (!credential)
      throw new AwsError(
        'InvalidClientTokenId',
        'The security token included in the request is invalid.',
        403,
      );
    const { expiresAt } = credential.key;
    if (expiresAt !== undefined && expiresAt <= this.scheduler.now()) {
      throw new AwsError('ExpiredToken', 'The security token included in the request is expired', 403);
    }
    return credential.principal;
  }

  secretOf(accessKeyId: string): string | undefined {
    return this.credentials.get(accessKeyId)?.key.secretAccessKey;
  }

  assumeRole(
    caller: Principal,
    roleArn: string,
    session: string,
    duration: Duration = hours(1),
  ): { key: Required<AccessKey>; principal: Principal } {
    const [, account, name] = /^arn:aws:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(roleArn) ?? [];
    const allowed = this.roles.get(account ?? '');
    if (!account || !name || !allowed || (allowed !== 'any' && !allowed.has(name))) {
      throw new AwsError(
        'AccessDenied',
        `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
        403,
      );
    }
    const roleId = `AROA${this.upperHex(17)}`;
    const principal = {
      account,
      arn: `arn:aws:sts::${account}:assumed-role/${name}/${session}`,
      userId: `${roleId}:${session}`,
    };
    const key = {
      accessKeyId: `ASIA${this.upperHex(16)}`,
      secretAccessKey: this.random.hex(40),
      sessionToken: this.random.hex(64),
      expiresAt: this.scheduler.now() + duration,
    };
    this.credentials.set(key.accessKeyId, { key, principal });
    return { key, principal };
  }

  private upperHex(length: number): string {
    return this.random.hex(length).toUpperCase();
  }
}
