import http from 'node:http';
import https from 'node:https';
import {
  FailureError,
  milliseconds,
  minutes,
  seconds,
  systemClock,
  type Clock,
  type Duration,
  type Instant,
} from '#kernel';
import type { AwsAccess, AwsPort } from '#ports';
import { AccountCredentials, accountNumber, type AwsCredentials } from './account-credentials.js';
import { AwsAdapter } from './aws.adapter.js';
import { SdkClients, type SdkOptions } from './sdk-clients.js';
import type { ChangeSetUse } from './stack-changes.js';

export interface AwsAccessOptions {
  /** Undefined: the SDK's standard environment (AWS_ENDPOINT_URL and its kin) and AWS itself. */
  readonly endpoint?: string | undefined;
  /** Role assumed in every account (FAIRWAY_AWS_ROLE_NAME); undefined: the own credentials are used as they are. */
  readonly roleName?: string | undefined;
  readonly externalId?: string | undefined;
  /** Fixed credentials of an account, for estates without STS. */
  readonly credentialsFor?: ((account: string) => AwsCredentials | undefined) | undefined;
  /** Bucket for templates over 51,200 bytes. */
  readonly templateBucket?: ((account: string, region: string) => string | undefined) | undefined;
  /** Create the bucket that `putObject` or a template names when it is missing [true]. */
  readonly createMissingBuckets?: boolean;
  /** Protect stacks from deletion before they are executed [true]; false for emulators that cannot. */
  readonly protectStacks?: boolean;
  /**
   * How stacks are changed [always by change set]. `auto` does without change sets where the endpoint is not AWS,
   * `never` everywhere.
   */
  readonly changeSets?: ChangeSetUse;
  /** Refuse to work when the credentials belong to another account [true]. */
  readonly verifyIdentity?: boolean;
  /** Tries per call [2]; the engine tries again by itself. */
  readonly maxAttempts?: number;
  /** Per account, region and service [20 a second, 40 at once]. */
  readonly requestsPerSecond?: number;
  readonly burst?: number;
  readonly connectTimeout?: Duration;
  readonly requestTimeout?: Duration;
  readonly changeSetTimeout?: Duration;
  /** Time before the second look at a change set; grows by half each time, up to 2 s. */
  readonly firstPoll?: Duration;
  readonly clock?: Clock;
  /** An action that the endpoint lacks and Fairway does without, once per account and region. */
  readonly onUnsupported?: (action: string, reason: string) => void;
}

/** An identity is looked at again after this long: credentials can be exchanged under us. */
const TRUST_IDENTITY: Duration = minutes(15);

/** Ports by account (`123456789012` or `aws:123456789012`) and region, with their SDK clients; shared by all passes. */
export function createAwsAccess(options: AwsAccessOptions = {}): AwsAccess & { close(): void } {
  const clock = options.clock ?? systemClock;
  const agents = {
    httpAgent: new http.Agent({ keepAlive: true, maxSockets: 50 }),
    httpsAgent: new https.Agent({ keepAlive: true, maxSockets: 50 }),
  };
  const { roleName, externalId, credentialsFor, endpoint } = options;
  const credentials = new AccountCredentials({ roleName, externalId, credentialsFor, endpoint, clock });
  const ports = new Map<string, AwsPort>();
  const identities = new Identities(clock);
  return {
    async connect(given, region) {
      const account = accountNumber(given);
      const key = `${account}/${region}`;
      let port = ports.get(key);
      if (!port) {
        port = openPort(options, {
          account,
          region,
          credentials: credentials.for(account, region),
          agents,
          clock,
        });
        ports.set(key, port);
      }
      if (options.verifyIdentity !== false) await identities.verify(account, port);
      return port;
    },
    close() {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
      ports.clear();
    },
  };
}

type Place = Pick<SdkOptions, 'account' | 'region' | 'credentials' | 'agents' | 'clock'>;

function openPort(options: AwsAccessOptions, place: Place): AwsPort {
  const s3Endpoint = customS3Endpoint(options.endpoint);
  const sdk = new SdkClients({
    ...place,
    endpoint: options.endpoint,
    forcePathStyle: s3Endpoint !== undefined,
    maxAttempts: options.maxAttempts ?? 2,
    connectTimeout: options.connectTimeout ?? seconds(5),
    requestTimeout: options.requestTimeout ?? seconds(30),
    requestsPerSecond: options.requestsPerSecond ?? 20,
    burst: options.burst ?? 40,
    onUnsupported: options.onUnsupported,
  });
  const stacks = {
    templateBucket: options.templateBucket?.(place.account, place.region),
    s3Endpoint,
    changeSetTimeout: options.changeSetTimeout ?? seconds(30),
    firstPoll: options.firstPoll ?? milliseconds(200),
    changeSets: options.changeSets ?? 'always',
    protectStacks: options.protectStacks ?? true,
    createMissingBuckets: options.createMissingBuckets ?? true,
  };
  return new AwsAdapter(sdk, stacks, place.clock);
}

/** The caller's identity must equal the account, or nothing is done there. */
class Identities {
  readonly #verified = new Map<string, Instant>();
  readonly #asking = new Map<string, Promise<void>>();

  constructor(private readonly clock: Clock) {}

  verify(account: string, port: AwsPort): Promise<void> {
    const at = this.#verified.get(account);
    if (at !== undefined && this.clock.now() - at < TRUST_IDENTITY) return Promise.resolve();
    let asking = this.#asking.get(account);
    if (!asking) {
      asking = this.#ask(account, port).finally(() => this.#asking.delete(account));
      this.#asking.set(account, asking);
    }
    return asking;
  }

  async #ask(account: string, port: AwsPort): Promise<void> {
    const actual = await port.callerAccount();
    if (actual === account) {
      this.#verified.set(account, this.clock.now());
      return;
    }
    throw new FailureError({
      class: 'denied',
      code: 'account-mismatch',
      message: `the credentials for account ${account} belong to account ${actual}`,
      hint: 'Configure the role name (FAIRWAY_AWS_ROLE_NAME) that Fairway assumes in each account.',
    });
  }
}

/** S3 on anything but AWS has no host names per bucket. */
function customS3Endpoint(endpoint: string | undefined): string | undefined {
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS } = process.env;
  const fromEnvironment =
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true' ? undefined : (AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL);
  const custom = endpoint ?? fromEnvironment;
  return custom === undefined || custom === '' ? undefined : custom.replace(/\/+$/, '');
}
