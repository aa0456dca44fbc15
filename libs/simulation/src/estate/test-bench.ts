import { minutes, seconds, type Duration } from '#kernel';
import type { Machine } from '../aws/machine.js';
import type { ObjectInput } from '../kubernetes/api/store.js';
import type { KubeNode, Pod, PodSpec, Thing } from '../kubernetes/controllers/objects.js';
import { isMirror } from '../kubernetes/controllers/pods.js';
import { SeededRandom } from '../time/seeded-random.js';
import { VirtualScheduler } from '../time/virtual-scheduler.js';
import { LivingCluster, type LivingClusterOptions } from './living-cluster.js';

const ZONES = ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'] as const;

/** A machine as EC2 would hand it over; zones go round by number. */
export function sampleMachine(number: number, change: Partial<Machine> = {}): Machine {
  const host = `${10 + (number >> 8)}-${number & 255}`;
  return {
    instanceId: `i-${number.toString(16).padStart(17, '0')}`,
    account: '123456789012',
    region: 'eu-central-1',
    zone: ZONES[number % ZONES.length] as string,
    instanceType: 'm5.xlarge',
    imageId: 'ami-0a1310000000000a1',
    kubernetesVersion: '1.31.4',
    joins: true,
    privateDnsName: `ip-10-0-${host}.eu-central-1.compute.internal`,
    privateIp: `10.0.${host.replace('-', '.')}`,
    tags: { 'kubernetes.io/cluster/test': 'owned', 'kubernetes.io/node-pool': 'default' },
    userData: '',
    spot: false,
    launchedAt: 0,
    ...change,
  };
}

/** A cluster in virtual time with a hosted control plane, for tests that need no cloud. */
export class TestBench {
  readonly scheduler = new VirtualScheduler();
  readonly cluster: LivingCluster;
  readonly machines: Machine[] = [];

  constructor(
    options: Partial<LivingClusterOptions> & { readonly seed?: number; readonly workers?: number } = {},
  ) {
    const { seed = 1, workers = 0, ...rest } = options;
    const random = new SeededRandom(seed);
    this.cluster = new LivingCluster({
      id: 'test',
      scheduler: this.scheduler,
      random,
      hosted: true,
      ...rest,
    });
    for (let i = 0; i < workers; i++) this.boot(sampleMachine(i + 1));
    if (workers > 0) this.run(minutes(1));
  }

  get store(): LivingCluster['store'] {
    return this.cluster.store;
  }

  get view(): LivingCluster['view'] {
    return this.cluster.view;
  }

  boot(machine: Machine): Machine {
    this.machines.push(machine);
    this.cluster.fleet.booted(machine);
    return machine;
  }

  run(duration: Duration): void {
    this.scheduler.advance(duration);
  }

  /** Runs until it holds; throws where it does not within the limit. */
  until(what: string, holds: () => boolean, limit: Duration = minutes(10)): void {
    if (!this.scheduler.runUntil(holds, limit)) throw new Error(`not within ${limit / 1000} s: ${what}`);
  }

  create<T extends Thing>(resource: string, object: Readonly<Record<string, unknown>>): T {
    return this.store.create(resource, structuredClone(object) as ObjectInput) as unknown as T;
  }

  get<T extends Thing>(resource: string, name: string, namespace: string | undefined = 'default'): T {
    const found = this.view.get<T>(resource, namespace, name) ?? this.view.get<T>(resource, undefined, name);
    if (!found) throw new Error(`no ${resource} ${name}`);
    return found;
  }

  node(index: number): KubeNode {
    return this.get<KubeNode>('nodes', (this.machines[index] as Machine).privateDnsName, undefined);
  }

  pods(namespace = 'default'): Pod[] {
    return this.view
      .inNamespace<Pod>('pods', namespace)
      .filter((pod) => !isMirror(pod))
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  /** Changes the spec of an object in the namespace `default`, as a person would. */
  edit(resource: string, name: string, change: (spec: Record<string, unknown>) => void): void {
    this.store.modify(
      resource,
      'default',
      name,
      (draft) => change(draft['spec'] as Record<string, unknown>),
      { manager: 'kubectl' },
    );
  }

  deployment(
    name: string,
    replicas: number,
    spec: Readonly<Record<string, unknown>> = {},
    pod: Partial<PodSpec> = {},
    annotations = {},
  ): void {
    this.create('deployments.apps', {
      metadata: { name, namespace: 'default' },
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        template: template(name, pod, annotations),
        ...spec,
      },
    });
  }

  budget(name: string, spec: Readonly<Record<string, unknown>>, app = name): void {
    this.create('poddisruptionbudgets.policy', {
      metadata: { name, namespace: 'default' },
      spec: { selector: { matchLabels: { app } }, ...spec },
    });
  }

  cordon(index: number, unschedulable = true): void {
    const name = this.node(index).metadata.name;
    this.store.modify('nodes', undefined, name, (draft) => {
      draft['spec'] = { ...(draft['spec'] as object), unschedulable };
    });
  }

  /** Evicts everything evictable on a cordoned node, again and again, until it is empty. */
  drain(index: number, limit: Duration = minutes(30)): void {
    const { name } = this.node(index).metadata;
    this.cordon(index);
    const left = (): Pod[] =>
      this.view
        .podsOn(name)
        .filter((pod) => !isMirror(pod) && pod.metadata.ownerReferences?.[0]?.kind !== 'DaemonSet');
    const end = this.scheduler.now() + limit;
    while (left().length > 0) {
      if (this.scheduler.now() > end) throw new Error(`${name} is not drained`);
      for (const pod of left()) if (!pod.metadata.deletionTimestamp) this.tryEvict(pod);
      this.run(seconds(5));
    }
  }

  private tryEvict(pod: Pod): void {
    try {
      this.cluster.evictions.evict({ namespace: pod.metadata.namespace as string, name: pod.metadata.name });
    } catch {
      // Refused for now: the next round asks again.
    }
  }
}

export const template = (
  app: string,
  pod: Partial<PodSpec> = {},
  annotations: Readonly<Record<string, string>> = {},
) => ({
  metadata: { labels: { app }, annotations },
  spec: { containers: [{ name: 'main', image: `registry.example.org/${app}:1` }], ...pod },
});
