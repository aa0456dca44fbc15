import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { STSClient } from '@aws-sdk/client-sts';
import type http from 'node:http';
import type https from 'node:https';
import { FailureError, type Clock, type Duration } from '#kernel';
import { passFence } from '#ports';
import { classify } from './classify.js';
import type { CredentialProvider } from './account-credentials.js';
import { TokenBucket } from './token-bucket.js';

export interface SdkOptions {
  readonly account: string;
  readonly region: string;
  readonly credentials: CredentialProvider;
  /** Undefined: the SDK's standard environment and configuration decide. */
  readonly endpoint: string | undefined;
  readonly forcePathStyle: boolean;
  readonly maxAttempts: number;
  readonly connectTimeout: Duration;
  readonly requestTimeout: Duration;
  readonly requestsPerSecond: number;
  readonly burst: number;
  readonly agents: { readonly httpAgent: http.Agent; readonly httpsAgent: https.Agent };
  readonly clock: Clock;
  /** Told once per account, region and action that Fairway does without, because the endpoint does not have it. */
  readonly onUnsupported?: ((action: string, reason: string) => void) | undefined;
}

/** The SDK clients of one account and region, made when first used. Whatever they throw is a classified FailureError. */
export class SdkClients {
  readonly #made = new Map<string, unknown>();
  readonly #lacking = new Set<string>();
  #stranger: string | undefined;

  constructor(private readonly options: SdkOptions) {}

  get account(): string {
    return this.options.account;
  }

  get region(): string {
    return this.options.region;
  }

  get autoScaling(): AutoScalingClient {
    return this.#client('autoscaling', () => new AutoScalingClient(this.#config()));
  }

  get cloudFormation(): CloudFormationClient {
    return this.#client('cloudformation', () => new CloudFormationClient(this.#config()));
  }

  get ec2(): EC2Client {
    return this.#client('ec2', () => new EC2Client(this.#config()));
  }

  get loadBalancing(): ElasticLoadBalancingV2Client {
    return this.#client('elbv2', () => new ElasticLoadBalancingV2Client(this.#config()));
  }

  get kms(): KMSClient {
    return this.#client('kms', () => new KMSClient(this.#config()));
  }

  get s3(): S3Client {
    const { forcePathStyle } = this.options;
    return this.#client('s3', () => new S3Client({ ...this.#config(), forcePathStyle }));
  }

  get serviceQuotas(): ServiceQuotasClient {
    return this.#client('servicequotas', () => new ServiceQuotasClient(this.#config()));
  }

  get sts(): STSClient {
    return this.#client('sts', () => new STSClient(this.#config()));
  }

  /** The host that answered last, where it is not AWS: an emulator, say. */
  get stranger(): string | undefined {
    return this.#stranger;
  }

  /** True for ever once {@link lacks} was called: the endpoint does not offer the action. */
  isLacking(action: string): boolean {
    return this.#lacking.has(action);
  }

  /** Notes that the endpoint lacks an action that can be done without. */
  lacks(action: string, thrown: unknown): void {
    if (this.#lacking.has(action)) return;
    this.#lacking.add(action);
    this.options.onUnsupported?.(
      action,
      thrown instanceof FailureError ? thrown.failure.message : String(thrown),
    );
  }

  #config() {
    const { region, credentials, endpoint, maxAttempts, connectTimeout, requestTimeout, agents } =
      this.options;
    return {
      region,
      credentials,
      maxAttempts,
      requestHandler: {
        connectionTimeout: connectTimeout,
        requestTimeout,
        throwOnRequestTimeout: true,
        ...agents,
      },
      ...(endpoint !== undefined && { endpoint }),
    };
  }

  #client<T extends { readonly middlewareStack: unknown }>(service: string, make: () => T): T {
    let client = this.#made.get(service) as T | undefined;
    if (!client) {
      client = make();
      this.#guard(service, client.middlewareStack as MiddlewareStack);
      this.#made.set(service, client);
    }
    return client;
  }

  /** Every attempt pays the service's bucket and passes the fence; every error leaves classified. */
  #guard(service: string, stack: MiddlewareStack): void {
    const { account, region, requestsPerSecond, burst, clock } = this.options;
    const bucket = new TokenBucket(requestsPerSecond, burst, clock);
    stack.add(
      (next) => async (args) => {
        this.#stranger = strangerOf(args);
        await bucket.take();
        await passFence();
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'fairwayRate' },
    );
    stack.add(
      (next, context) => async (args) => {
        try {
          return await next(args);
        } catch (thrown) {
          const command = (context.commandName ?? 'call').replace(/Command$/, '');
          const action = `${service} ${command} in ${account}/${region}`;
          throw thrown instanceof FailureError
            ? thrown
            : new FailureError(classify(thrown, action, this.#stranger), { cause: thrown });
        }
      },
      { step: 'initialize', priority: 'high', name: 'fairwayClassify' },
    );
  }
}

const AWS_HOSTS = /\.(amazonaws\.com(\.cn)?|api\.aws|amazonaws\.eu)$/;

/** Host and port of a request that does not go to AWS. */
function strangerOf(args: unknown): string | undefined {
  const { hostname = '', port } = ((args as { request?: unknown }).request ?? {}) as {
    hostname?: string;
    port?: number;
  };
  return hostname === '' || AWS_HOSTS.test(hostname)
    ? undefined
    : `${hostname}${port === undefined ? '' : `:${port}`}`;
}

type Next = (args: unknown) => Promise<unknown>;

/** As much of the SDK's middleware stack as is used; its own type is generic over each client's inputs. */
interface MiddlewareStack {
  add(
    middleware: (next: Next, context: { readonly commandName?: string }) => Next,
    options: {
      readonly step: 'finalizeRequest' | 'initialize';
      readonly priority: 'high' | 'low';
      readonly name: string;
    },
  ): void;
}
