import { createServer } from 'node:net';
import { systemClock, type Outcome } from '#kernel';
import { createAwsAccess } from '#adapters/aws';
import { createEtcdAccess } from '#adapters/etcd';
import type { PassReport } from '#engine';
import type { StackTemplate } from '#fleet';
import type { AwsPort, EtcdPort, Intent, Lease, LeasePort, NewIntent, UpdateStorePort } from '#ports';
import { AwsServer, AwsWorld, ScaledScheduler, SeededRandom, type LoggedCall } from '#simulation';
import { findEtcd } from '../../support/etcd-process.js';
import { EtcdMachineRoom, type EtcdImage } from './etcd-machine-room.js';
import { Life, type Fate } from './etcd-life.js';
import { ACCOUNT, REGION, runEtcdPass, SETTINGS } from './etcd-pass.js';
import { driveProcesses } from './etcd-processes.js';
import { MemoryStores } from './memory-stores.js';

export const OLD_IMAGE = 'ami-0a1310000000000a1';
export const NEW_IMAGE = 'ami-0a1310000000000a2';

export interface EtcdBedOptions {
  readonly size: number;
  readonly image: EtcdImage;
  readonly items?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

export interface Drive {
  readonly outcome: Outcome;
  readonly deaths: readonly string[];
  readonly passes: number;
  readonly report: PassReport;
}

/** The engine's etcd step with the shipped adapters, a simulated AWS behind its wire, and real etcd on its machines. */
export class EtcdBed {
  readonly intents: Intent[] = [];
  memory: Readonly<Record<string, unknown>> = {};
  nodeImage = OLD_IMAGE;
  items: Readonly<Record<string, string>>;
  private readonly leases: LeasePort = new MemoryStores(systemClock).leases;

  private constructor(
    private readonly options: EtcdBedOptions,
    readonly world: AwsWorld,
    readonly room: EtcdMachineRoom,
    private readonly server: AwsServer,
    private readonly access: ReturnType<typeof createAwsAccess>,
    private readonly aws: AwsPort,
    private readonly etcd: ReturnType<typeof createEtcdAccess>,
    private readonly network: Network,
    private readonly endpoint: string,
    private readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
  ) {
    const endpoints =
      options.image === 'volume'
        ? Array.from({ length: options.size }, (_, n) => `http://${network.prefix}.200.${n + 1}:2379`).join(
            ', ',
          )
        : 'http://{ip}:2379';
    const way = options.image === 'waits' ? 'member' : 'static';
    this.items = { etcd_endpoints: endpoints, etcd_replacement: way, etcd_settle: '2s', ...options.items };
  }

  static async open(options: EtcdBedOptions): Promise<EtcdBed> {
    const binary = findEtcd();
    if (binary === undefined) throw new Error('there is no etcd on this machine: install etcd-server');
    const network = await ownNetwork();
    const addressPrefix = network.prefix;
    const random = new SeededRandom(20_261_121);
    const world = new AwsWorld({ scheduler: new ScaledScheduler(300), random, addressPrefix });
    const { accessKeyId, secretAccessKey } = world.addAccount({ id: ACCOUNT });
    const server = new AwsServer(world);
    const endpoint = await server.listen();
    const credentials = { accessKeyId, secretAccessKey };
    const access = createAwsAccess({
      endpoint,
      credentialsFor: () => credentials,
      requestsPerSecond: 2_000,
      burst: 2_000,
      firstPoll: 5,
    });
    const { size, image, flags } = options;
    const room = await EtcdMachineRoom.open({
      world,
      binary,
      image,
      size,
      addressPrefix,
      ...(flags && { flags }),
    });
    const aws = await access.connect(ACCOUNT, REGION);
    const etcd = createEtcdAccess({ credentialsDirectory: '/nonexistent' });
    return new EtcdBed(options, world, room, server, access, aws, etcd, network, endpoint, credentials);
  }

  async close(): Promise<void> {
    await this.room.close();
    this.etcd.close();
    this.access.close();
    await this.server.close();
    await this.network.leave();
  }

  connect(): Promise<EtcdPort> {
    return this.room.connect();
  }

  /** Passes until one ends in this way; a process that dies is followed by a fresh one that knows only what was stored. */
  async drive(
    until: (outcome: Outcome) => boolean,
    limitMs: number,
    fateOf: (call: string, write: boolean) => Fate = () => 'lives',
  ): Promise<Drive> {
    const deadline = Date.now() + limitMs;
    const deaths: string[] = [];
    let passes = 0;
    let life = new Life(fateOf);
    let last: Outcome | undefined;
    for (;;) {
      const report: PassReport = { events: [], problems: [] };
      passes += 1;
      const ended = await Promise.race([this.pass(life, report), life.died.then(() => undefined)]);
      if (!ended) {
        deaths.push(await life.died);
        life = new Life(fateOf);
      }
      last = ended ?? last;
      if (ended && until(ended)) return { outcome: ended, deaths, passes, report };
      if (Date.now() > deadline) {
        throw new Error(
          `not there after ${limitMs} ms and ${passes} passes; the last: ${JSON.stringify(last)}; ${JSON.stringify(this.memory)}; room: ${this.room.problems.map(String).join('; ')}`,
        );
      }
      const rest = ended && 'recheckIn' in ended ? Math.min(ended.recheckIn, 100) : 0;
      await new Promise((wake) => setTimeout(wake, rest));
    }
  }

  terminations(since = 0): readonly LoggedCall[] {
    return this.world.calls
      .query({ since })
      .filter(({ action }) => action === 'TerminateInstanceInAutoScalingGroup');
  }

  private pass(life: Life, report: PassReport): Promise<Outcome> {
    return runEtcdPass({
      life,
      report,
      leases: this.leases,
      store: this.store(),
      aws: this.aws,
      etcd: this.etcd,
      template: this.template(),
      items: this.items,
      remembered: async () => this.memory,
      remember: async (memory) => void (this.memory = memory),
    });
  }

  /** The same by processes of the operating system; SIGKILL ends one at each point (`after etcd.addMember`). Returns where. */
  driveProcesses(limitMs: number, deadly: readonly string[]): Promise<readonly string[]> {
    const store = this.store();
    const answer = async (what: string, args: readonly unknown[]): Promise<unknown> => {
      if (what === 'remembered') return this.memory;
      if (what === 'remember') return void (this.memory = args[0] as Record<string, unknown>);
      const [port, method = ''] = what.split('.');
      const target: object = port === 'leases' ? this.leases : store;
      return (Reflect.get(target, method) as (...all: unknown[]) => unknown).apply(target, [...args]);
    };
    const { endpoint, credentials, items } = this;
    const orders = { endpoint, credentials, template: this.template(), items };
    return driveProcesses(orders, answer, deadly, limitMs);
  }

  /** The part of the store that a step uses; a lease that is not the newest may not write. */
  private store(): UpdateStorePort {
    const fenced = async (lease: Lease): Promise<void> => {
      if (!(await this.leases.renew(lease, SETTINGS.leaseTtl))) throw new Error('stale writer');
    };
    return {
      recordIntents: async (
        lease: Lease,
        intents: readonly NewIntent[],
        memory?: Record<string, unknown>,
      ) => {
        await fenced(lease);
        this.intents.push(...intents);
        if (memory) this.memory = structuredClone(memory);
      },
      settleIntents: async (lease: Lease, ids: readonly string[], result: string, now: number) => {
        await fenced(lease);
        for (const id of ids) {
          const at = this.intents.findIndex((intent) => intent.id === id);
          this.intents[at] = { ...(this.intents[at] as Intent), settledAt: now, result };
        }
      },
      unsettledIntents: async () => this.intents.filter(({ settledAt }) => settledAt === undefined),
    } as unknown as UpdateStorePort;
  }

  private template(): StackTemplate {
    const { size, image } = this.options;
    const { subnets } = this.world.region(ACCOUNT, REGION).network;
    const nodes = subnets.filter(({ role }) => role === 'nodes').map(({ id }) => id);
    const groups =
      image === 'volume'
        ? Array.from({ length: size }, (_, n) =>
            group(`Slot${n + 1}`, 1, [nodes[n % 3] as string], `m${n + 1}`),
          )
        : [group('AppServer', size, nodes)];
    return {
      name: 'etcd-kube-1',
      file: 'cluster/etcd/stack.yaml',
      parameters: {},
      tags: { application: 'kubernetes', component: 'etcd-cluster' },
      body: JSON.stringify({
        AWSTemplateFormatVersion: '2010-09-09',
        Resources: {
          LaunchTemplate: {
            Type: 'AWS::EC2::LaunchTemplate',
            Properties: {
              LaunchTemplateName: 'etcd-kube-1',
              LaunchTemplateData: { ImageId: this.nodeImage, InstanceType: 'm5.large' },
            },
          },
          ...Object.fromEntries(groups),
        },
      }),
    };
  }
}

function group(name: string, size: number, subnets: readonly string[], slot?: string) {
  const tags =
    slot === undefined ? [] : [{ Key: 'fairway.dev/etcd-member', Value: slot, PropagateAtLaunch: true }];
  return [
    name,
    {
      Type: 'AWS::AutoScaling::AutoScalingGroup',
      Properties: {
        MinSize: String(size),
        MaxSize: String(size),
        DesiredCapacity: String(size),
        LaunchTemplate: {
          LaunchTemplateId: { Ref: 'LaunchTemplate' },
          Version: { 'Fn::GetAtt': ['LaunchTemplate', 'LatestVersionNumber'] },
        },
        VPCZoneIdentifier: subnets,
        Tags: tags,
      },
    },
  ] as const;
}

let beds = 0;

interface Network {
  /** The first two bytes of its addresses. */
  readonly prefix: string;
  leave(): Promise<void>;
}

/** Addresses on loopback that nobody else has, of this run or another one on the machine: who listens there first has them. */
async function ownNetwork(): Promise<Network> {
  beds += 1;
  for (let tries = 0; tries < 200; tries += 1) {
    const prefix = `127.${16 + ((process.pid + beds * 61 + tries) % 200)}`;
    const guard = createServer();
    const got = await new Promise<boolean>((resolve) => {
      guard.once('error', () => resolve(false));
      guard.listen(2381, `${prefix}.255.1`, () => resolve(true));
    });
    if (got) return { prefix, leave: () => new Promise<void>((left) => void guard.close(() => left())) };
  }
  throw new Error('no network on loopback is free for an etcd cluster');
}
