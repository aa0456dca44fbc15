import { gunzipSync } from 'node:zlib';
import { milliseconds, type Duration, type Instant } from '#kernel';
import { AwsError } from './aws-error.js';
import { instanceTypes, type MachineImage } from './catalog.js';
import type { Machine } from './machine.js';
import type { Network } from './network.js';
import type { Quotas } from './quotas.js';
import type { CloudEvent, WorldContext } from './world-context.js';

export type InstanceState = 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped';

export interface LaunchSpec {
  readonly imageId: string;
  readonly instanceType: string;
  readonly subnetId: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Base64, as in the API. */
  readonly userData?: string;
  readonly spot: boolean;
  readonly launchTemplate?: { readonly id: string; readonly name: string; readonly version: number };
  readonly autoScalingGroup?: string;
  readonly securityGroupIds?: readonly string[];
  readonly clientToken?: string;
}

export interface Instance extends Omit<LaunchSpec, 'tags' | 'autoScalingGroup'> {
  readonly id: string;
  readonly zone: string;
  readonly privateIp: string;
  readonly privateDnsName: string;
  readonly launchedAt: Instant;
  readonly kubernetesVersion?: string;
  readonly joins: boolean;
  readonly tags: Record<string, string>;
  autoScalingGroup?: string;
  state: InstanceState;
  booted: boolean;
  stateReason?: string;
}

const GONE: ReadonlySet<InstanceState> = new Set(['shutting-down', 'terminated']);
export const isGone = (instance: Instance): boolean => GONE.has(instance.state);

/** EC2 of one account and region. */
export class Instances {
  private readonly instances = new Map<string, Instance>();
  private readonly watchers: ((instance: Instance) => void)[] = [];
  private readonly whenRunning = new Map<string, () => void>();

  constructor(
    private readonly context: WorldContext,
    readonly account: string,
    readonly region: string,
    private readonly network: Network,
    private readonly quotas: Quotas,
    private readonly images: () => readonly MachineImage[],
  ) {}

  all(): readonly Instance[] {
    return [...this.instances.values()];
  }

  get(id: string): Instance | undefined {
    return this.instances.get(id);
  }

  find(id: string): Instance {
    const instance = this.instances.get(id);
    if (!instance) throw new AwsError('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
    return instance;
  }

  /** Called after every change of an instance's state. */
  onChange(watcher: (instance: Instance) => void): void {
    this.watchers.push(watcher);
  }

  /** Calls once when the instance reaches `running`; never where it dies before. */
  onceRunning(id: string, then: () => void): void {
    this.whenRunning.set(id, then);
  }

  launch(spec: LaunchSpec): Instance {
    const subnet = this.network.find(spec.subnetId);
    const image = this.images().find((candidate) => candidate.id === spec.imageId);
    if (!image)
      throw new AwsError('InvalidAMIID.NotFound', `The image id '[${spec.imageId}]' does not exist`);
    if (!instanceTypes.has(spec.instanceType)) {
      throw new AwsError('InvalidParameterValue', `Invalid value '${spec.instanceType}' for InstanceType.`);
    }
    const place = {
      account: this.account,
      region: this.region,
      zone: subnet.zone,
      instanceType: spec.instanceType,
    };
    this.quotas.admit(spec, () => this.all());
    if (this.context.faults.lacksCapacity(place)) throw noCapacity(spec.instanceType, subnet.zone);
    const privateIp = this.network.assignIp(subnet);
    const { tags, ...rest } = spec;
    const instance: Instance = {
      ...rest,
      id: `i-0${this.context.random.hex(16)}`,
      zone: subnet.zone,
      privateIp,
      privateDnsName: `ip-${privateIp.replaceAll('.', '-')}.${this.region}.compute.internal`,
      launchedAt: this.context.scheduler.now(),
      ...(image.kubernetesVersion !== undefined && { kubernetesVersion: image.kubernetesVersion }),
      joins: image.joins && !this.context.faults.takeBadBoot(place),
      tags: { ...tags },
      state: 'pending',
      booted: false,
    };
    this.instances.set(instance.id, instance);
    this.record('instance-launched', instance, spec.autoScalingGroup ?? 'no group');
    this.planStart(instance);
    return instance;
  }

  /** What EC2's TerminateInstances does. Repeating it changes nothing. */
  terminate(id: string, reason: string): Instance {
    const instance = this.find(id);
    if (isGone(instance)) return instance;
    const wasRunning = instance.state === 'running';
    instance.stateReason = reason;
    this.setState(instance, 'shutting-down');
    this.record('instance-terminating', instance, reason);
    const notice = this.context.timings.termination;
    if (wasRunning) this.tell((listener, machine) => listener.terminating(machine, { notice }), instance);
    this.context.scheduler.after(notice, () => this.finish(instance));
    return instance;
  }

  /**
   * The machine dies without being asked: hardware, or a spot reclaim. With `notice` its system is told
   * that long before.
   */
  kill(id: string, notice: Duration = milliseconds(0)): void {
    const instance = this.find(id);
    if (isGone(instance)) return;
    const die = (): void => {
      if (instance.state === 'terminated') return;
      instance.stateReason = 'Server.InternalError: Internal error on launch or hardware failure';
      this.finish(instance);
    };
    if (notice <= 0) return die();
    this.record('instance-terminating', instance, 'spot interruption notice');
    this.tell((listener, machine) => listener.terminating(machine, { notice }), instance);
    this.context.scheduler.after(notice, die);
  }

  /** Stops a running instance; it stays visible, its kubelet falls silent. */
  stop(id: string): void {
    const instance = this.find(id);
    if (instance.state !== 'running') return;
    instance.stateReason = 'Client.InstanceInitiatedShutdown';
    instance.booted = false;
    this.setState(instance, 'stopped');
    this.record('instance-stopped', instance, instance.stateReason);
    this.tell((listener, machine) => listener.stopped?.(machine), instance);
  }

  machine(instance: Instance): Machine {
    const group = instance.autoScalingGroup;
    return {
      instanceId: instance.id,
      account: this.account,
      region: this.region,
      zone: instance.zone,
      instanceType: instance.instanceType,
      imageId: instance.imageId,
      ...(instance.kubernetesVersion !== undefined && { kubernetesVersion: instance.kubernetesVersion }),
      joins: instance.joins,
      privateDnsName: instance.privateDnsName,
      privateIp: instance.privateIp,
      tags: { ...instance.tags },
      userData: decodeUserData(instance.userData),
      spot: instance.spot,
      ...(group !== undefined && { autoScalingGroup: group }),
      launchedAt: instance.launchedAt,
    };
  }

  private planStart(instance: Instance): void {
    const { scheduler, timings, random } = this.context;
    scheduler.after(timings.instanceRunning, () => {
      if (instance.state !== 'pending') return;
      this.setState(instance, 'running');
      this.record('instance-running', instance, '');
    });
    scheduler.after(Math.max(timings.instanceRunning, random.jitter(timings.boot, 0.15)), () => {
      if (instance.state !== 'running') return;
      instance.booted = true;
      this.record('instance-booted', instance, instance.joins ? '' : 'never joins');
      this.tell((listener, machine) => listener.booted(machine), instance);
    });
  }

  private finish(instance: Instance): void {
    if (instance.state === 'terminated') return;
    instance.booted = false;
    this.setState(instance, 'terminated');
    this.record('instance-terminated', instance, instance.stateReason ?? '');
    this.tell((listener, machine) => listener.terminated(machine), instance);
    this.context.scheduler.after(this.context.timings.terminatedVisible, () =>
      this.instances.delete(instance.id),
    );
  }

  private setState(instance: Instance, state: InstanceState): void {
    instance.state = state;
    for (const watcher of this.watchers) watcher(instance);
    const then = this.whenRunning.get(instance.id);
    this.whenRunning.delete(instance.id);
    if (state === 'running') then?.();
  }

  private tell(
    say: (listener: WorldContext['machines'][number], machine: Machine) => void,
    instance: Instance,
  ): void {
    const machine = this.machine(instance);
    for (const listener of this.context.machines) say(listener, machine);
  }

  private record(kind: CloudEvent['kind'], instance: Instance, detail: string): void {
    this.context.record({ account: this.account, region: this.region, kind, subject: instance.id, detail });
  }
}

const noCapacity = (instanceType: string, zone: string): AwsError =>
  new AwsError(
    'InsufficientInstanceCapacity',
    `We currently do not have sufficient ${instanceType} capacity in the Availability Zone you requested (${zone}). ` +
      'Our system will be working on provisioning additional capacity.',
    500,
  );

function decodeUserData(encoded: string | undefined): string {
  if (!encoded) return '';
  const bytes = Buffer.from(encoded, 'base64');
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return (isGzip ? gunzipSync(bytes) : bytes).toString('utf8');
}
