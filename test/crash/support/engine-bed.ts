import { join } from 'node:path';
import { minutes, randomIds, systemClock } from '#kernel';
import {
  DEFAULT_ENGINE_SETTINGS,
  reconcileRepository,
  revisionIdOf,
  type EnginePorts,
  type EngineSettings,
} from '#engine';
import { createAwsAccess } from '#adapters/aws';
import { createGit } from '#adapters/git';
import { createKubernetesAccess } from '#adapters/kubernetes';
import { createPostgresStores } from '#adapters/postgres';
import { CredentialWriter } from '../../../apps/sandbox/src/credential-writer.js';
import { ROLE_NAME } from '../../../apps/sandbox/src/sandbox.js';
import { startBed, type Bed } from '../../acceptance/support/bed.js';
import type { Fate, PortCall } from './incarnation.js';
import { Lives, type FateOf, type Life } from './lives.js';

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Rhythm of a process that lives among simulations at high speed. */
const SETTINGS: EngineSettings = {
  ...DEFAULT_ENGINE_SETTINGS,
  leaseTtl: 60,
  pollInterval: 25,
  roll: { minReady: 20, drainedQuiet: 10, maxDeregistrationDelay: 20, lookAfterAction: 5 },
};

export interface EngineBed extends Bed {
  /** Enters the repository's heads and admits the cluster to what dev has. */
  admit(clusterId: string): Promise<string>;
  /** Reconciles, dying and being born again as `fateOf` says, until the cluster is ready at the commit. */
  live(clusterId: string, commit: string, fateOf: FateOf, limitMs: number): Promise<Life>;
}

/** The engine itself, with real stores and adapters and without the roles around it. */
export async function startEngineBed(speed: number): Promise<EngineBed> {
  const bed = await startBed({ worker: false, speed });
  const { sandbox, databaseUrl } = bed;
  const stores = await createPostgresStores({ url: databaseUrl, clock: systemClock, notificationRoutes: [] });
  await stores.channels.syncChannels([
    { name: 'dev', branch: 'dev', repository: sandbox.repositoryUrl, position: 0 },
  ]);
  const git = createGit({ mirrorsDir: join(sandbox.stateDir, 'mirrors') });
  const kubernetes = createKubernetesAccess({ credentialsDirectory: sandbox.credentialsDir });
  const aws = createAwsAccess({ roleName: ROLE_NAME, requestsPerSecond: 2_000, burst: 2_000, firstPoll: 5 });
  const doorbell = { ring: async () => undefined };
  const clock = systemClock;
  const log = process.env['FAIRWAY_TEST_LOG_LEVEL'] ? console : silent;
  const real: EnginePorts = { ...stores, doorbell, git, aws, kubernetes, clock, ids: randomIds, log };
  const credentials = new CredentialWriter(sandbox.api.runtime, sandbox.endpoints, sandbox.credentialsDir);
  const admit = async (clusterId: string): Promise<string> => {
    await credentials.writeMissing();
    await reconcileRepository(real, SETTINGS, sandbox.repositoryUrl);
    const [dev] = await stores.channels.listChannels();
    const commit = dev?.headCommit as string;
    const lease = await stores.leases.acquire('channel/dev', minutes(5));
    if (!lease) throw new Error('somebody else holds the channel');
    const revisionId = revisionIdOf(sandbox.repositoryUrl, commit);
    await stores.channels.commitChannel(lease, {
      channel: 'dev',
      admit: [{ clusterId, revisionId }],
      runs: [],
      events: [],
    });
    await stores.leases.release(lease);
    return commit;
  };
  const live: EngineBed['live'] = async (clusterId, commit, fateOf, limitMs) => {
    const lives = new Lives(real, SETTINGS, fateOf);
    const deadline = Date.now() + limitMs;
    for (;;) {
      const reconcile = lives.born();
      let alive = true;
      while (alive) {
        if (Date.now() > deadline) throw await stuck(bed, clusterId, lives.deaths);
        const ended = await reconcile(clusterId);
        const runtime = await stores.updates.runtime(clusterId);
        lives.observe(runtime?.memory);
        const status = runtime?.status;
        if (status?.phase === 'ready' && status.currentVersion === commit && ended) return lives.over();
        alive = ended !== undefined;
        await new Promise((wake) => setTimeout(wake, alive ? restOf(ended) : 0));
      }
    }
  };
  const close = async (): Promise<void> => {
    await credentials.close();
    await git.close();
    kubernetes.close();
    aws.close();
    await stores.close();
    await bed.close();
  };
  return { ...bed, admit, live, close };
}

/** Until the pass wants to be woken, but never longer than what the estate needs to move. */
function restOf(result: Awaited<ReturnType<ReturnType<Lives['born']>>>): number {
  if (result?.kind !== 'passed' || result.nextDueAt === undefined) return 10;
  return Math.min(25, Math.max(0, result.nextDueAt - Date.now()));
}

async function stuck(
  bed: Bed,
  clusterId: string,
  deaths: readonly (PortCall & { fate: Fate })[],
): Promise<Error> {
  const row = await bed.api.cluster(clusterId);
  const last = deaths.slice(-5).map(({ fate, key }) => `${fate} ${key}`.slice(0, 200));
  return new Error(
    `${clusterId} did not become ready after ${deaths.length} deaths, the last:\n${last.join('\n')}\nit says: ${JSON.stringify(row)}`,
  );
}
