import { randomIds, systemClock, type Outcome } from '#kernel';
import type { StackTemplate } from '#fleet';
import type { AwsPort, EtcdAccess, LeasePort, UpdateStorePort } from '#ports';
import { DEFAULT_ENGINE_SETTINGS, type EngineSettings } from '../../../libs/engine/src/engine-ports.js';
import { IntentLog } from '../../../libs/engine/src/pass/intent-log.js';
import { LeaseKeeper } from '../../../libs/engine/src/pass/lease-keeper.js';
import { PassMemory } from '../../../libs/engine/src/pass/pass-memory.js';
import type { Pass, PassReport } from '../../../libs/engine/src/pass/pass.js';
import { etcdStep } from '../../../libs/engine/src/steps/etcd.step.js';
import type { Life } from './etcd-life.js';

export const ACCOUNT = '111111111111';
export const REGION = 'eu-central-1';
const CLUSTER = `aws:${ACCOUNT}:${REGION}:kube-1`;

export const SETTINGS: EngineSettings = {
  ...DEFAULT_ENGINE_SETTINGS,
  leaseTtl: 40,
  pollInterval: 100,
  roll: { lookAfterAction: 20 },
};

/** What one process has for one pass: what outlives it, and its connections. */
export interface EtcdPassWorld {
  readonly life: Life;
  readonly leases: LeasePort;
  readonly store: UpdateStorePort;
  readonly aws: AwsPort;
  readonly etcd: EtcdAccess;
  readonly template: StackTemplate;
  readonly items: Readonly<Record<string, string>>;
  readonly report: PassReport;
  remembered(): Promise<Readonly<Record<string, unknown>>>;
  remember(memory: Record<string, unknown>): Promise<void>;
}

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: console.error };

/** One pass of one process: what it stores is what the next one knows. */
export async function runEtcdPass(world: EtcdPassWorld): Promise<Outcome> {
  const { life, report } = world;
  const name = `cluster/${CLUSTER}`;
  const lease = await LeaseKeeper.acquire(world.leases, systemClock, name, SETTINGS.leaseTtl);
  if (!lease) return { kind: 'waiting', for: 'the lease', recheckIn: 10 };
  const memory = new PassMemory(await world.remembered());
  const updates = life.updates(world.store);
  const identity = { updateId: 'update-1', clusterId: CLUSTER };
  const intents = new IntentLog(updates, systemClock, randomIds, lease.current, memory, identity);
  // No backup policy: the gate of backups has its own stories.
  const configs = { effectiveConfig: async () => undefined };
  const etcd = life.etcd(world.etcd);
  const ports = { clock: systemClock, ids: randomIds, log: silent, updates, configs, etcd };
  const pass = {
    ports,
    settings: SETTINGS,
    cluster: { id: CLUSTER, channel: 'dev', lifecycleStatus: 'ready', configItems: {} },
    update: { id: identity.updateId },
    lease,
    memory,
    intents,
    aws: life.aws(world.aws),
    holds: [],
    report,
    inputs: {},
    desired: { etcdStack: world.template, etcdItems: world.items, generatedFiles: [] },
  } as unknown as Pass;
  const outcome = await etcdStep.run(pass);
  if (outcome.kind === 'done') await intents.settleLeftOpen('etcd');
  await life.call('updates.commitPass', async () => {
    await lease.current();
    await world.remember(memory.toJson());
  });
  await lease.release();
  return outcome;
}
