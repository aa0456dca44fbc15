import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { FailureError, minutes, type Clock, type Duration } from '#kernel';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

export type CredentialProvider = () => Promise<AwsCredentials>;

export interface AccountCredentialsOptions {
  /** Role that is assumed in every account; undefined: the caller's own credentials are used as they are. */
  readonly roleName?: string | undefined;
  /** What the roles' trust policies may ask for. */
  readonly externalId?: string | undefined;
  /** Credentials of an account that need no role, for estates without STS. */
  readonly credentialsFor?: ((account: string) => AwsCredentials | undefined) | undefined;
  readonly endpoint: string | undefined;
  readonly clock: Clock;
}

const ROLE_TTL_SECONDS = 3600;
const REFRESH_BEFORE: Duration = minutes(5);

/** Credentials per account, each cached until shortly before it expires and shared by all clients of the account. */
export class AccountCredentials {
  readonly #own: CredentialProvider;
  readonly #byAccount = new Map<string, CredentialProvider>();

  constructor(private readonly options: AccountCredentialsOptions) {
    this.#own = cached(fromNodeProviderChain(), options.clock);
  }

  for(account: string, region: string): CredentialProvider {
    let provider = this.#byAccount.get(account);
    if (!provider) {
      provider = this.#make(account, region);
      this.#byAccount.set(account, provider);
    }
    return provider;
  }

  #make(account: string, region: string): CredentialProvider {
    const given = this.options.credentialsFor?.(account);
    if (given) return async () => given;
    const { roleName, externalId, endpoint, clock } = this.options;
    if (roleName === undefined || roleName === '') return this.#own;
    const assume = fromTemporaryCredentials({
      masterCredentials: this.#own,
      params: {
        RoleArn: `arn:${partitionOf(region)}:iam::${account}:role/${roleName}`,
        RoleSessionName: 'fairway',
        DurationSeconds: ROLE_TTL_SECONDS,
        ...(externalId !== undefined && { ExternalId: externalId }),
      },
      clientConfig: { region, maxAttempts: 2, ...(endpoint !== undefined && { endpoint }) },
    });
    return cached(assume, clock);
  }
}

export const partitionOf = (region: string): string =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';

/** `123456789012` from that or from `aws:123456789012`. */
export function accountNumber(account: string): string {
  const digits = account.replace(/^aws:/, '');
  if (/^\d{12}$/.test(digits)) return digits;
  throw new FailureError({
    class: 'invalid',
    code: 'account-id-invalid',
    message: `${account} is no AWS account id`,
    hint: 'An account id has twelve digits.',
    place: { field: 'infrastructure_account' },
  });
}

/** One call to the provider at a time; its answer is kept until {@link REFRESH_BEFORE} it expires. */
export function cached(provider: CredentialProvider, clock: Clock): CredentialProvider {
  let known: AwsCredentials | undefined;
  let asking: Promise<AwsCredentials> | undefined;
  return async () => {
    const expires = known?.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
    if (known && expires - clock.now() > REFRESH_BEFORE) return known;
    asking ??= provider()
      .then((fresh) => {
        known = fresh;
        return fresh;
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };
}
