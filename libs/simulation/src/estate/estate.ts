import { AwsWorld, type AccountOptions } from '../aws/aws-world.js';
import type { MachineImage } from '../aws/catalog.js';
import type { Machine } from '../aws/machine.js';
import type { AwsTimings } from '../aws/timings.js';
import { SeededRandom } from '../time/seeded-random.js';
import type { Scheduler } from '../time/scheduler.js';
import type { AttachTimings } from '../kubernetes/controllers/attach-detach.controller.js';
import type { ContainerProgram } from '../kubernetes/kubelet/container-program.js';
import { ImageRegistry, type ImageRegistryOptions } from '../kubernetes/kubelet/image-registry.js';
import type { KubeletTimings } from '../kubernetes/kubelet/kubelet-services.js';
import { clusterOf } from '../kubernetes/kubelet/machine-node.js';
import { EtcdMachines, isEtcdMachine } from '../etcd/etcd-machines.js';
import { ClusterAutoscaler, type AutoscalerOptions } from './cluster-autoscaler.js';
import { EstateWitness } from './estate-evidence.js';
import { EstateWires, type EstateEndpoints } from './estate-wires.js';
import type { EvidenceReport } from './evidence-report.js';
import { LivingCluster } from './living-cluster.js';
import { scalableGroups } from './scalable-groups.js';
import type { ClusterTimings } from './timings.js';

export interface EstateOptions {
  readonly seed: number;
  /** Virtual for stories, scaled for everything that talks over the wire. */
  readonly scheduler: Scheduler;
  readonly accounts: readonly (AccountOptions & { readonly name?: string })[];
  readonly timings?: {
    readonly aws?: Partial<AwsTimings>;
    readonly cluster?: Partial<ClusterTimings>;
    readonly kubelet?: Partial<KubeletTimings>;
    readonly volumes?: AttachTimings;
  };
  /** One registry for all clusters. Default 40 pulls at a time, 4 s each. */
  readonly registry?: Omit<ImageRegistryOptions, 'scheduler'>;
  /** Added to the default node images. */
  readonly images?: readonly MachineImage[];
  readonly programs?: readonly ContainerProgram[];
  readonly normalEvents?: boolean;
}

/** AWS and the clusters whose machines it runs, as one world under one seed and one clock. */
export class Estate {
  readonly aws: AwsWorld;
  readonly registry: ImageRegistry;
  /** Clusters of etcd members, on the machines of etcd stacks. */
  readonly etcd: EtcdMachines;
  private readonly random: SeededRandom;
  private readonly known = new Map<string, LivingCluster>();
  private readonly machines = new Map<string, LivingCluster>();
  private readonly witness: EstateWitness;
  private readonly wires: EstateWires;

  constructor(private readonly options: EstateOptions) {
    const { scheduler, timings, images } = options;
    this.random = new SeededRandom(options.seed);
    this.aws = new AwsWorld({
      scheduler,
      random: this.random.fork('aws'),
      ...(timings?.aws && { timings: timings.aws }),
      ...(images && { images }),
      isServing: (instanceId, port) => this.isServing(instanceId, port),
    });
    for (const account of options.accounts) this.aws.addAccount(account);
    this.registry = new ImageRegistry({ scheduler, ...options.registry });
    this.etcd = new EtcdMachines(this.aws, scheduler, this.random.fork('etcd'));
    this.witness = new EstateWitness(this.aws);
    this.wires = new EstateWires(this);
    this.aws.onMachine({
      booted: (machine) => this.booted(machine),
      terminating: (machine) => this.terminating(machine),
      terminated: (machine) => this.terminated(machine),
      stopped: (machine) => this.machines.get(machine.instanceId)?.fleet.silenced(machine),
    });
  }

  /** The cluster of this id, made when first asked for. Its API answers 503 until a master serves. */
  cluster(id: string): LivingCluster {
    const existing = this.known.get(id);
    if (existing) return existing;
    const { scheduler, timings, programs, normalEvents } = this.options;
    const cluster = new LivingCluster({
      id,
      scheduler,
      random: this.random.fork(`cluster ${id}`),
      registry: this.registry,
      ...(timings?.cluster && { timings: timings.cluster }),
      ...(timings?.kubelet && { kubelet: timings.kubelet }),
      ...(timings?.volumes && { volumes: timings.volumes }),
      ...(programs && { programs }),
      ...(normalEvents !== undefined && { normalEvents }),
    });
    this.known.set(id, cluster);
    this.witness.watch(cluster);
    this.wires.serve(cluster);
    return cluster;
  }

  clusters(): readonly LivingCluster[] {
    return [...this.known.values()];
  }

  /** Health of a machine as a load balancer's check finds it: the kubelet is ready, on a master its API server too. */
  isServing(instanceId: string, _port: number): boolean {
    return this.machines.get(instanceId)?.fleet.find(instanceId)?.healthy === true;
  }

  /** Starts a cluster autoscaler in the cluster; it knows the worker groups that the cluster's tag names. */
  autoscale(clusterId: string, options: Partial<Omit<AutoscalerOptions, 'groups'>> = {}): void {
    const cluster = this.cluster(clusterId);
    const groups = () => scalableGroups(this.aws, clusterId);
    cluster.add(new ClusterAutoscaler(cluster.context, { ...options, groups }));
  }

  evidence(): EvidenceReport {
    return this.witness.report();
  }

  /** Serves AWS and every cluster, present and future, on loopback ports. */
  start(): Promise<EstateEndpoints> {
    return this.wires.start();
  }

  async close(): Promise<void> {
    await this.wires.close();
    this.witness.close();
    for (const cluster of this.known.values()) cluster.close();
  }

  private booted(machine: Machine): void {
    if (isEtcdMachine(machine)) return this.etcd.booted(machine);
    const id = clusterOf(machine);
    if (id === undefined || !machine.joins) return;
    const cluster = this.cluster(id);
    this.machines.set(machine.instanceId, cluster);
    cluster.fleet.booted(machine);
  }

  /** A machine that shuts down is silent at once; one with a spot notice works on until it dies. */
  private terminating(machine: Machine): void {
    const state = this.aws.findInstance(machine.instanceId)?.instance.state;
    if (state === 'shutting-down') this.etcd.gone(machine);
    if (state === 'shutting-down') this.machines.get(machine.instanceId)?.fleet.silenced(machine);
  }

  private terminated(machine: Machine): void {
    this.etcd.gone(machine);
    this.machines.get(machine.instanceId)?.fleet.terminated(machine);
    this.machines.delete(machine.instanceId);
  }
}

export const createEstate = (options: EstateOptions): Estate => new Estate(options);
