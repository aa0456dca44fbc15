import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, readSettings, type Settings } from '#platform';
import { startApi, newToken, type RunningApi } from '#apps/api';
import { startWorker, type RunningWorker } from '#apps/worker';
import {
  createEstate,
  ScaledScheduler,
  startGitServer,
  type Estate,
  type EstateEndpoints,
  type GitServer,
} from '#simulation';
import { CredentialWriter } from './credential-writer.js';
import { seedRepository } from './seed-repository.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './servers/embedded-postgres.js';

export interface SandboxOptions {
  /** How much faster than real time the estate lives. */
  readonly speed: number;
  readonly seed: number;
  readonly logLevel: Settings['FAIRWAY_LOG_LEVEL'];
  /** Directory of the configuration repository's first commit. */
  readonly configDir: string;
  /** Replaces fairway.yaml of that commit: the sandbox's soaks are seconds. */
  readonly policyFile?: string;
  readonly accounts: readonly string[];
  /** Port of the API; a free one if absent. */
  readonly port?: number;
  /** PostgreSQL and Redis of others instead of the embedded database. */
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  /** False: only the estate and the API; workers are started by somebody else with `environment`. */
  readonly worker?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The whole service and the world around it, in one process. */
export interface Sandbox {
  readonly apiUrl: string;
  readonly token: string;
  readonly repositoryUrl: string;
  /** One directory per cluster with token, ca.crt and kubeconfig. */
  readonly credentialsDir: string;
  readonly stateDir: string;
  readonly estate: Estate;
  readonly endpoints: EstateEndpoints;
  readonly git: GitServer;
  readonly api: RunningApi;
  readonly worker?: RunningWorker;
  /** With this environment a worker or an API of another process joins in. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export const ROLE_NAME = 'fairway';
const REPOSITORY = 'config';
const REGION = 'eu-central-1';

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const stateDir = await mkdtemp(join(tmpdir(), 'fairway-sandbox-'));
  const closers: (() => Promise<unknown>)[] = [() => rm(stateDir, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const closer of closers.reverse()) await closer().catch(() => undefined);
  };
  try {
    return await start(options, stateDir, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: SandboxOptions,
  stateDir: string,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Sandbox> {
  const world = await startWorld(options, stateDir, closers);
  const { endpoints, repositoryUrl } = world;
  const credentialsDir = join(stateDir, 'clusters');
  mkdirSync(credentialsDir, { mode: 0o700 });
  const token = newToken();
  const environment = environmentOf(options, { ...world, stateDir, credentialsDir, token });
  Object.assign(process.env, awsEnvironment(endpoints, options));
  const settings = settingsOf(environment);
  const log = createLog(options.logLevel, { role: 'sandbox' });
  const api = await startApi(settings, log);
  closers.push(() => api.close());
  const credentials = new CredentialWriter(api.runtime, endpoints, credentialsDir);
  closers.push(() => credentials.close());
  const worker = options.worker === false ? undefined : await startWorker(settings, log);
  if (worker) closers.push(() => worker.close());
  // As a Git host calls its webhook after a push.
  world.hooks.pushed = () =>
    void api.runtime.doorbell.ring(`repository/${repositoryUrl}`).catch(() => undefined);
  const { estate, git } = world;
  const servers = {
    apiUrl: api.url,
    token,
    repositoryUrl,
    credentialsDir,
    stateDir,
    estate,
    endpoints,
    git,
    api,
  };
  return { ...servers, ...(worker && { worker }), environment, close };
}

interface World {
  readonly database: EmbeddedPostgres | undefined;
  readonly estate: Estate;
  readonly endpoints: EstateEndpoints;
  readonly git: GitServer;
  readonly repositoryUrl: string;
  readonly hooks: { pushed?: () => void };
}

/** What an installation finds there: a database, AWS with clusters, and Git. */
async function startWorld(
  options: SandboxOptions,
  stateDir: string,
  closers: (() => Promise<unknown>)[],
): Promise<World> {
  const database = options.databaseUrl === undefined ? await startEmbeddedPostgres({}) : undefined;
  if (database) closers.push(() => database.stop());
  const estate = createEstate({
    seed: options.seed,
    scheduler: new ScaledScheduler(options.speed),
    accounts: options.accounts.map((id) => ({ id, roles: [ROLE_NAME] })),
  });
  // Accounts that run clusters of this kind have it: files of nodes are encrypted under it.
  for (const id of options.accounts) estate.aws.region(id, REGION).kms.createKey('alias/etcd-cluster');
  const endpoints = await estate.start();
  closers.push(() => estate.close());
  const hooks: World['hooks'] = {};
  const git = await startGitServer({ root: join(stateDir, 'git'), onPush: () => hooks.pushed?.() });
  closers.push(() => git.close());
  const { configDir, policyFile } = options;
  const repositoryUrl = await seedRepository(git, REPOSITORY, configDir, policyFile, stateDir);
  return { database, estate, endpoints, git, repositoryUrl, hooks };
}

interface Started {
  readonly stateDir: string;
  readonly credentialsDir: string;
  readonly token: string;
  readonly repositoryUrl: string;
  readonly endpoints: EstateEndpoints;
  readonly database: EmbeddedPostgres | undefined;
}

function environmentOf(options: SandboxOptions, started: Started): Readonly<Record<string, string>> {
  return {
    FAIRWAY_DATABASE_URL: options.databaseUrl ?? (started.database as EmbeddedPostgres).url,
    ...(options.redisUrl !== undefined && { FAIRWAY_REDIS_URL: options.redisUrl }),
    FAIRWAY_PORT: String(options.port ?? 0),
    FAIRWAY_WORKER_PORT: '0',
    FAIRWAY_REPOSITORY: started.repositoryUrl,
    FAIRWAY_GIT_DIR: join(started.stateDir, 'mirrors'),
    FAIRWAY_CLUSTER_CREDENTIALS_DIR: started.credentialsDir,
    FAIRWAY_AWS_ROLE_NAME: ROLE_NAME,
    // The simulated AWS makes them as AWS does.
    FAIRWAY_AWS_CHANGE_SETS: 'always',
    FAIRWAY_AWS_TEMPLATE_BUCKET: 'fairway-sandbox-templates',
    FAIRWAY_BOOTSTRAP_TOKEN: started.token,
    FAIRWAY_GIT_WEBHOOK_SECRET: randomBytes(24).toString('hex'),
    FAIRWAY_GIT_POLL_INTERVAL: '10s',
    FAIRWAY_LEASE_TTL: '15s',
    FAIRWAY_POLL_INTERVAL: '500ms',
    FAIRWAY_ROLL_MIN_READY: '500ms',
    FAIRWAY_ROLL_DRAINED_QUIET: '200ms',
    FAIRWAY_ROLL_DEREGISTRATION_CAP: '500ms',
    FAIRWAY_ROLL_LOOK_AFTER_ACTION: '150ms',
    FAIRWAY_DECOMMISSION_GRACE: '5s',
    FAIRWAY_NOTIFY_ALLOW_PRIVATE: 'true',
    FAIRWAY_LOG_LEVEL: options.logLevel,
    ...awsEnvironment(started.endpoints, options),
    ...options.environment,
  };
}

/** The SDK's own variables: only they differ from a worker that talks to AWS. */
function awsEnvironment(
  endpoints: EstateEndpoints,
  options: SandboxOptions,
): Readonly<Record<string, string>> {
  const key = endpoints.credentials(options.accounts[0] as string);
  return {
    AWS_ENDPOINT_URL: endpoints.awsUrl,
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_REGION: REGION,
  };
}

function settingsOf(environment: Readonly<Record<string, string>>): Settings {
  const settings = readSettings(environment);
  if (settings.ok) return settings.value;
  throw new Error(`the sandbox's settings are wrong:\n${settings.error.join('\n')}`);
}
