import { digestOfValue, milliseconds, minutes, seconds, toFailure, type Clock, type Outcome } from '#kernel';
import type { Component, DesiredState, KubernetesObject, Update } from '#fleet';
import { createKubernetesAccess } from '#adapters/kubernetes';
import type { EnginePorts } from '#engine';
import type { KubernetesPort, ManifestRequest, UpdateStorePort } from '#ports';
import { IntentLog } from '../../libs/engine/src/pass/intent-log.js';
import { LeaseKeeper } from '../../libs/engine/src/pass/lease-keeper.js';
import { PassMemory } from '../../libs/engine/src/pass/pass-memory.js';
import type { Pass, PassReport } from '../../libs/engine/src/pass/pass.js';
import { planObjects, type ObjectsPlan } from '../../libs/engine/src/plan/plan-objects.js';
import { manifestsStep } from '../../libs/engine/src/steps/manifests.step.js';
import { pruneStep } from '../../libs/engine/src/steps/prune.step.js';
import { freshStores } from './database.js';
import { account, cluster as clusterRecord, status } from './records.js';

/** Of every bed: each has its own database. */
export const CLUSTER_ID = 'aws:123456789012:eu-central-1:kube-1';

/** The process dies: nothing of it reaches the outside any more. */
export class Killed extends Error {}

export interface PassResult {
  readonly manifests: Outcome;
  /** Absent where the manifests step was not done. */
  readonly prune?: Outcome;
  readonly report: PassReport;
}

interface Commit {
  readonly components: readonly Component[];
  readonly deletions?: DesiredState['deletions'];
}

/** Parts of a component that tests vary. */
export type ComponentInput = {
  readonly name: string;
  readonly objects: readonly KubernetesObject[];
} & Partial<Component['settings']>;

export const component = ({ name, objects, ...settings }: ComponentInput): Component => ({
  name,
  digest: digestOfValue(objects),
  objects: objects.map((object, at) => ({
    object,
    file: `cluster/manifests/${name}/all.yaml`,
    line: at + 1,
  })),
  settings: {
    dependsOn: [],
    wave: 0,
    timeoutMs: minutes(10),
    health: 'wait',
    prune: true,
    removed: false,
    ignore: [],
    ...settings,
  },
});

export const configMap = (
  name: string,
  data: Record<string, string> = { a: '1' },
  namespace = 'default',
): KubernetesObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data });

/** Where the API server is. */
export interface BedTarget {
  readonly kubeconfig: () => string;
  readonly server: string;
}

/** The manifests and prune steps on real stores, and on any API server. */
export class StepsBed {
  readonly clusterId = CLUSTER_ID;
  readonly #clock = { offset: 0 };
  readonly clock: Clock = { now: () => Date.now() + this.#clock.offset };
  configItems: Record<string, string> = {};
  holds: Pass['holds'] = [];
  #access: ReturnType<typeof createKubernetesAccess> | undefined;
  #commit: Commit = { components: [] };
  #update: Update | undefined;
  #budget: { left: number } | undefined;
  #serial = 0;

  protected constructor(
    private readonly target: BedTarget,
    readonly stores: Awaited<ReturnType<typeof freshStores>>,
  ) {}

  static async on(target: BedTarget): Promise<StepsBed> {
    return new StepsBed(target, await bedStores());
  }

  async close(): Promise<void> {
    this.#access?.close();
    await this.stores.drop();
  }

  advance(ms: number): void {
    this.#clock.offset += ms;
  }

  /** A new revision: the next pass opens a new update for it. */
  commit(components: readonly ComponentInput[], deletions?: DesiredState['deletions']): void {
    this.#commit = { components: components.map(component), ...(deletions && { deletions }) };
    this.#update = undefined;
  }

  /** A new process: caches and connections are gone. */
  restart(): void {
    this.#access?.close();
    this.#access = undefined;
    this.#budget = undefined;
  }

  /** The process dies after this many more calls of the API server and the database. */
  dieAfter(calls: number): void {
    this.#budget = { left: calls };
  }

  async plan(): Promise<ObjectsPlan> {
    return this.#leased((pass) => planObjects(pass));
  }

  /** One pass of both steps; throws {@link Killed} where the process died. */
  async pass(): Promise<PassResult> {
    return this.#leased(async (pass) => {
      const manifests = await this.#outcome(() => manifestsStep.run(pass));
      const prune = manifests.kind === 'done' ? await this.#outcome(() => pruneStep.run(pass)) : undefined;
      await this.#save(pass);
      return { manifests, report: pass.report, ...(prune && { prune }) };
    });
  }

  /** Passes until nothing is waited for. */
  async settle(limit = 200): Promise<PassResult> {
    for (let tries = 1; ; tries += 1) {
      const result = await this.pass();
      if (result.manifests.kind !== 'waiting' || tries === limit) return result;
      await new Promise((wake) => setTimeout(wake, 10));
    }
  }

  /** What a person asks for. `about`: an object, or for a confirmation the digest. */
  async request(kind: ManifestRequest['kind'], about: string): Promise<void> {
    await this.stores.updates.requestManifests({
      id: `${kind}-${Date.now()}-${(this.#serial += 1)}`,
      clusterId: this.clusterId,
      kind,
      ...(kind === 'confirm-prune' ? { digest: about } : kind === 'look' ? {} : { refKey: about }),
      actor: 'somebody',
      reason: 'it is meant',
      requestedAt: this.clock.now(),
    });
  }

  /** The next resync: long enough after the last look. */
  async resync(): Promise<PassResult> {
    this.advance(minutes(1));
    return this.pass();
  }

  async #leased<T>(work: (pass: Pass) => Promise<T>): Promise<T> {
    const lease = await LeaseKeeper.acquire(
      this.stores.leases,
      this.clock,
      `cluster/${CLUSTER_ID}`,
      seconds(60),
    );
    if (!lease) throw new Error('the lease is taken');
    try {
      return await work(await this.#makePass(lease));
    } finally {
      await lease.release();
    }
  }

  async #makePass(lease: LeaseKeeper): Promise<Pass> {
    const { updates } = this.stores;
    const cluster = await this.stores.registry.getCluster(CLUSTER_ID);
    const runtime = await updates.runtime(CLUSTER_ID);
    if (!cluster || !runtime) throw new Error('the cluster is not registered');
    const update = await this.#openUpdate(lease);
    const memory = new PassMemory(runtime.memory);
    const mortal = this.#mortal(updates as UpdateStorePort);
    const ids = { next: () => `id-${Date.now()}-${(this.#serial += 1)}` };
    const ports = { ...this.stores, updates: mortal, clock: this.clock, ids } as unknown as EnginePorts;
    const identity = { updateId: update.id, clusterId: CLUSTER_ID };
    return {
      ports,
      settings: { pollInterval: milliseconds(5), resyncInterval: seconds(30), leaseTtl: seconds(60) },
      cluster: { ...cluster, configItems: { ...cluster.configItems, ...this.configItems } },
      lease,
      update,
      memory,
      intents: new IntentLog(mortal, this.clock, ids, lease.current, memory, identity),
      kubernetes: this.#mortal(await this.#connect()),
      holds: this.holds,
      nodes: [],
      report: { events: [], problems: [] },
      desired: this.#desired(),
    } as unknown as Pass;
  }

  #desired(): Pick<DesiredState, 'digest' | 'components' | 'deletions'> {
    const deletions = this.#commit.deletions ?? { preApply: [], postApply: [] };
    const { components } = this.#commit;
    return { digest: digestOfValue(this.#commit), components, deletions };
  }

  async #openUpdate(lease: LeaseKeeper): Promise<Update> {
    if (this.#update) return this.#update;
    const { updates } = this.stores;
    const open = await updates.openUpdate(CLUSTER_ID);
    this.#update = {
      id: `update-${(this.#serial += 1)}`,
      clusterId: CLUSTER_ID,
      kind: 'update',
      state: 'running',
      startedAt: this.clock.now(),
    };
    await updates.startUpdate(await lease.current(), this.#update, open?.id, []);
    return this.#update;
  }

  readonly #ports = new WeakMap<object, object>();

  async #connect(): Promise<KubernetesPort> {
    this.#access ??= createKubernetesAccess({
      credentialsFor: async () => ({ kind: 'kubeconfig', text: this.target.kubeconfig() }),
    });
    return this.#access.connect({
      id: CLUSTER_ID,
      apiServerUrl: this.target.server,
      configItems: {},
    });
  }

  /** A port whose calls are counted against the budget; the same one for the same port, as caches go by identity. */
  #mortal<P extends object>(port: P): P {
    const known = this.#ports.get(port);
    if (known) return known as P;
    const guarded = new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          if (this.#budget && this.#budget.left <= 0) throw new Killed();
          const result: unknown = await Reflect.apply(member, target, args);
          if (this.#budget && (this.#budget.left -= 1) <= 0) throw new Killed();
          return result;
        };
      },
    });
    this.#ports.set(port, guarded);
    return guarded;
  }

  async #outcome(work: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Killed) throw error;
      const failure = toFailure(error);
      if (failure.class === 'bug') throw error;
      return { kind: 'failed', failure };
    }
  }

  async #save(pass: Pass): Promise<void> {
    const runtime = await this.stores.updates.runtime(CLUSTER_ID);
    await pass.ports.updates.commitPass(await pass.lease.current(), {
      status: status(CLUSTER_ID, { problems: pass.report.problems }),
      doorbellSeen: runtime?.doorbell ?? 0,
      memory: pass.memory.toJson(),
      events: [...pass.report.events],
    });
  }
}

/** A database in which the cluster is registered. */
export async function bedStores(): Promise<Awaited<ReturnType<typeof freshStores>>> {
  const stores = await freshStores();
  await stores.registry.createAccount(account(), { actor: 'test' });
  await stores.registry.createCluster(clusterRecord('kube-1', { id: CLUSTER_ID }), { actor: 'test' });
  return stores;
}
