import type { Duration } from '#kernel';
import type { Scheduler } from '../time/scheduler.js';
import type { SeededRandom } from '../time/seeded-random.js';
import { AwsError, DroppedReply } from './aws-error.js';
import { CallLog, isMutating, summarise } from './call-log.js';
import { defaultImages, type MachineImage } from './catalog.js';
import { Faults, type CallIdentity } from './faults.js';
import { Identity, type AccessKey } from './identity.js';
import type { Instance } from './instances.js';
import type { IsServing, MachineListener } from './machine.js';
import { RegionalAws } from './region.js';
import { ObjectStore } from './s3.js';
import { defaultTimings, type AwsTimings } from './timings.js';
import type { CloudEvent, WorldContext } from './world-context.js';

export interface AwsWorldOptions {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly timings?: Partial<AwsTimings>;
  /** Added to the default node images. */
  readonly images?: readonly MachineImage[];
  /** Default: whatever has booted from an image that joins serves on every port. */
  readonly isServing?: IsServing;
  /** First two bytes of all private addresses, default `10.0`; `127.x` lets real processes listen on them. */
  readonly addressPrefix?: string;
}

export interface AccountOptions {
  /** Twelve digits. */
  readonly id: string;
  readonly key?: AccessKey;
  /** Role names that AssumeRole accepts in this account; default every name. */
  readonly roles?: readonly string[];
}

export interface ApiCall extends CallIdentity {
  readonly params: unknown;
}

/** The simulated AWS: accounts, their regions, one call log, one set of faults. */
export class AwsWorld {
  readonly calls = new CallLog();
  readonly faults: Faults;
  readonly identity: Identity;
  readonly objects: ObjectStore;
  readonly images: MachineImage[];
  private readonly accounts = new Map<string, Map<string, RegionalAws>>();
  private readonly keys = new Map<string, AccessKey>();
  private readonly events: CloudEvent[] = [];
  private readonly eventListeners = new Set<(event: CloudEvent) => void>();
  private readonly listeners: MachineListener[] = [];
  private readonly context: WorldContext;
  private serving: IsServing;

  constructor(private readonly options: AwsWorldOptions) {
    const { scheduler, random } = options;
    this.faults = new Faults(random.fork('faults'));
    this.identity = new Identity(scheduler, random.fork('identity'));
    this.objects = new ObjectStore(scheduler);
    this.images = [...defaultImages, ...(options.images ?? [])];
    this.serving = options.isServing ?? ((instanceId) => this.hasJoined(instanceId));
    this.context = {
      scheduler,
      random: random.fork('aws'),
      timings: { ...defaultTimings, ...options.timings },
      faults: this.faults,
      machines: this.listeners,
      isServing: (instanceId, port) => this.serving(instanceId, port),
      record: (event) => this.record(event),
    };
  }

  get timings(): AwsTimings {
    return this.context.timings;
  }

  addAccount({ id, key, roles }: AccountOptions): AccessKey {
    if (!/^\d{12}$/.test(id)) throw new Error(`an AWS account id has 12 digits, got ${id}`);
    const accessKey = key ?? { accessKeyId: `AKIASIMU${id}`, secretAccessKey: `simulated-secret-of-${id}` };
    this.accounts.set(id, this.accounts.get(id) ?? new Map());
    this.keys.set(id, accessKey);
    this.identity.addAccount(id, accessKey, roles ?? 'any');
    return accessKey;
  }

  /** The static key of an account's own user. */
  accessKey(account: string): AccessKey {
    const key = this.keys.get(account);
    if (!key) throw new Error(`no simulated account ${account}`);
    return key;
  }

  accountIds(): readonly string[] {
    return [...this.accounts.keys()];
  }

  /** An account's part of a region; regions come into being when first asked for. */
  region(account: string, region: string): RegionalAws {
    const regions = this.accounts.get(account);
    if (!regions) throw new Error(`no simulated account ${account}`);
    const known = regions.get(region);
    if (known) return known;
    if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region))
      throw new AwsError('InvalidRegion', `Unknown region ${region}`);
    const { addressPrefix } = this.options;
    const parts = {
      context: this.context,
      images: () => this.images,
      objects: this.objects,
      ...(addressPrefix !== undefined && { addressPrefix }),
    };
    const created = new RegionalAws(parts, account, region);
    regions.set(region, created);
    return created;
  }

  regions(): readonly RegionalAws[] {
    return [...this.accounts.values()].flatMap((regions) => [...regions.values()]);
  }

  onMachine(listener: MachineListener): () => void {
    this.listeners.push(listener);
    return () => void this.listeners.splice(this.listeners.indexOf(listener), 1);
  }

  /** The Kubernetes side says which ports answer. */
  setServing(isServing: IsServing): void {
    this.serving = isServing;
  }

  findInstance(instanceId: string): { readonly home: RegionalAws; readonly instance: Instance } | undefined {
    for (const home of this.regions()) {
      const instance = home.instances.get(instanceId);
      if (instance) return { home, instance };
    }
    return undefined;
  }

  /** Hardware failure, or with `notice` a spot reclaim. */
  killInstance(instanceId: string, notice?: Duration): void {
    this.findInstance(instanceId)?.home.instances.kill(instanceId, notice);
  }

  stopInstance(instanceId: string): void {
    this.findInstance(instanceId)?.home.instances.stop(instanceId);
  }

  cloudEvents(kind?: CloudEvent['kind']): readonly CloudEvent[] {
    return this.events.filter((event) => kind === undefined || event.kind === kind);
  }

  onCloudEvent(listener: (event: CloudEvent) => void): () => void {
    this.eventListeners.add(listener);
    return () => void this.eventListeners.delete(listener);
  }

  /**
   * The gate that every API call goes through: faults, the action, the log. Without latency the action
   * runs before this returns. Throws AwsError, or DroppedReply where the answer must not arrive.
   */
  async perform<T>(call: ApiCall, action: () => T): Promise<T> {
    const latency = this.faults.takeLatency(call);
    if (latency > 0)
      await new Promise<void>((resolve) => void this.context.scheduler.after(latency, resolve));
    try {
      const refusal = this.faults.takeError(call);
      if (refusal) throw refusal;
      const result = action();
      const dropped = this.faults.takeDroppedReply(call);
      this.log(call, {
        outcome: 'ok',
        result: brief(result),
        ...(dropped && { replyDropped: true as const }),
      });
      if (dropped) throw new DroppedReply(`${call.service}:${call.action}`);
      return result;
    } catch (error) {
      if (error instanceof AwsError) {
        this.log(call, { outcome: 'error', error: { code: error.code, message: error.message } });
      }
      throw error;
    }
  }

  private log(
    call: ApiCall,
    outcome: Pick<Parameters<CallLog['append']>[0], 'outcome' | 'result' | 'error' | 'replyDropped'>,
  ): void {
    const { service, account, region, principal, action } = call;
    this.calls.append({
      at: this.context.scheduler.now(),
      service,
      account,
      region,
      principal,
      action,
      mutating: isMutating(action),
      params: summarise(call.params) as Record<string, unknown>,
      ...outcome,
    });
  }

  private record(event: Omit<CloudEvent, 'at'>): void {
    const entry = { at: this.context.scheduler.now(), ...event };
    this.events.push(entry);
    for (const listener of this.eventListeners) listener(entry);
  }

  private hasJoined(instanceId: string): boolean {
    const instance = this.findInstance(instanceId)?.instance;
    return instance !== undefined && instance.joins && instance.booted && instance.state === 'running';
  }
}

/** Scalars of an answer; lists by their length, so that the log of a long story stays small. */
function brief(result: unknown): Record<string, unknown> {
  if (typeof result !== 'object' || result === null || result instanceof Uint8Array) return {};
  const hidden = /^(Plaintext|CiphertextBlob|Credentials|TemplateBody|Body)$/;
  return Object.fromEntries(
    Object.entries(result).flatMap(([key, value]): [string, unknown][] => {
      if (hidden.test(key) || value === undefined) return [];
      if (Array.isArray(value)) return [[key, `(${value.length})`]];
      return typeof value === 'object' ? [] : [[key, summarise(value)]];
    }),
  );
}
