import { STSClient } from '@aws-sdk/client-sts';
import { minutes, systemClock, type Clock, type Instant } from '#kernel';
import { AccountCredentials, accountNumber, type AccountCredentialsOptions } from './account-credentials.js';

/** The signature is good for the time it names; EKS accepts the token for 15 minutes. */
const SIGNED_FOR_SECONDS = 60;
const GOOD_FOR = minutes(14);

export interface EksCluster {
  readonly account: string;
  readonly region: string;
  /** The name of the EKS cluster, which the token is bound to. */
  readonly name: string;
}

export type EksTokens = (
  cluster: EksCluster,
) => Promise<{ readonly token: string; readonly expiresAt: Instant }>;

/**
 * Bearer tokens for EKS: a presigned `sts:GetCallerIdentity` that the cluster's authenticator replays.
 * Source: aws-iam-authenticator, "API Authorization from Outside a Cluster".
 */
export function createEksTokens(options: Partial<AccountCredentialsOptions> = {}): EksTokens {
  const clock: Clock = options.clock ?? systemClock;
  const credentials = new AccountCredentials({ endpoint: undefined, ...options, clock });
  return async ({ account, region, name }) => {
    const sts = new STSClient({ region, credentials: credentials.for(accountNumber(account), region) });
    const signer = (await sts.config.signer()) as unknown as Presigner;
    const hostname = `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
    const signed = await signer.presign(
      {
        method: 'GET',
        protocol: 'https:',
        hostname,
        path: '/',
        query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
        headers: { host: hostname, 'x-k8s-aws-id': name },
      },
      {
        expiresIn: SIGNED_FOR_SECONDS,
        signingDate: new Date(clock.now()),
        signableHeaders: new Set(['host', 'x-k8s-aws-id']),
        // Headers move into the query by default; the authenticator sends this one as a header.
        unhoistableHeaders: new Set(['x-k8s-aws-id']),
      },
    );
    const query = new URLSearchParams(signed.query as Record<string, string>);
    const url = `https://${hostname}/?${query.toString()}`;
    sts.destroy();
    return {
      token: `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`,
      expiresAt: clock.now() + GOOD_FOR,
    };
  };
}

/** The SDK's signer, as much of it as is used; its declared type leaves presigning out. */
interface Presigner {
  presign(
    request: {
      readonly method: string;
      readonly protocol: string;
      readonly hostname: string;
      readonly path: string;
      readonly query: Readonly<Record<string, string>>;
      readonly headers: Readonly<Record<string, string>>;
    },
    options: {
      readonly expiresIn: number;
      readonly signingDate: Date;
      readonly signableHeaders: ReadonlySet<string>;
      readonly unhoistableHeaders: ReadonlySet<string>;
    },
  ): Promise<{ readonly query?: Readonly<Record<string, unknown>> }>;
}
