import { afterEach, describe, expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import { conditionOf } from '../kubernetes/controllers/conditions.js';
import type { KubeNode, Pod } from '../kubernetes/controllers/objects.js';
import { isMirror } from '../kubernetes/controllers/pods.js';
import { VirtualScheduler } from '../time/virtual-scheduler.js';
import { createEstate, type Estate } from './estate.js';
import { evidenceLines } from './evidence-report.js';
import { template } from './test-bench.js';

const ACCOUNT = '123456789012';
const REGION = 'eu-central-1';
const CLUSTER = `aws:${ACCOUNT}:${REGION}:kube-1`;
const IMAGE = 'ami-0a1310000000000a1';

const estates: Estate[] = [];
afterEach(async () => {
  for (const estate of estates.splice(0)) await estate.close();
});

interface World {
  readonly scheduler: VirtualScheduler;
  readonly estate: Estate;
}
const world = (seed = 1): World => {
  const scheduler = new VirtualScheduler();
  const estate = createEstate({ seed, scheduler, accounts: [{ id: ACCOUNT }] });
  estates.push(estate);
  return { scheduler, estate };
};
const pool = ({ estate }: World, name: string, size: number): void => {
  const home = estate.aws.region(ACCOUNT, REGION);
  home.launchTemplates.create(name, { ImageId: IMAGE, InstanceType: 'm5.large' });
  const subnetIds = home.network.subnets
    .filter((subnet) => subnet.role === 'nodes')
    .map((subnet) => subnet.id);
  const settings = {
    minSize: 0,
    maxSize: size + 1,
    desiredCapacity: size,
    launchTemplate: { name, version: '1' },
    subnetIds,
  };
  home.autoScaling.create(name, settings, [
    { key: `kubernetes.io/cluster/${CLUSTER}`, value: 'owned', propagate: true },
    { key: 'kubernetes.io/node-pool', value: name, propagate: true },
  ]);
};
const readyNodes = ({ estate }: World): KubeNode[] =>
  estate
    .cluster(CLUSTER)
    .view.nodes()
    .filter((node) => conditionOf(node, 'Ready')?.status === 'True');
const nodeOf = (w: World, name: string): KubeNode | undefined =>
  readyNodes(w).find((node) => node.metadata.labels?.['node.kubernetes.io/node-pool'] === name);
const instanceOf = (node: KubeNode): string => node.spec?.providerID?.split('/').at(-1) as string;

const up = (seed?: number): World => {
  const w = world(seed);
  pool(w, 'master-default', 3);
  pool(w, 'worker-default', 4);
  w.scheduler.runUntil(() => readyNodes(w).length === 7, minutes(10));
  return w;
};
const cordon = ({ estate }: World, node: KubeNode): void => {
  estate.cluster(CLUSTER).store.modify('nodes', undefined, node.metadata.name, (draft) => {
    draft['spec'] = { ...(draft['spec'] as object), unschedulable: true };
  });
};

describe('Estate', () => {
  it('joins machines to the cluster that their tags name, and brings its API up with the first master', () => {
    const w = world();
    expect(w.estate.cluster(CLUSTER).apiAvailable).toBe(false);
    pool(w, 'worker-default', 2);
    w.scheduler.advance(minutes(5));
    expect(w.estate.cluster(CLUSTER).apiAvailable).toBe(false);
    pool(w, 'master-default', 3);
    w.scheduler.advance(minutes(5));
    expect(w.estate.clusters().map((cluster) => cluster.id)).toEqual([CLUSTER]);
    expect(w.estate.cluster(CLUSTER).apiServers).toBe(3);
    expect(readyNodes(w)).toHaveLength(5);
    const node = nodeOf(w, 'worker-default') as KubeNode;
    expect(w.estate.isServing(instanceOf(node), 443)).toBe(true);
    expect(w.estate.isServing('i-00000000000000000', 443)).toBe(false);
  });

  it('replaces a drained node and can prove that nothing was hurt', () => {
    const w = up();
    const { store, view, evictions } = w.estate.cluster(CLUSTER);
    const metadata = { name: 'web', namespace: 'default' };
    store.create('deployments.apps', {
      metadata,
      spec: { replicas: 4, selector: { matchLabels: { app: 'web' } }, template: template('web') },
    } as never);
    store.create('poddisruptionbudgets.policy', {
      metadata,
      spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } },
    });
    w.scheduler.advance(minutes(2));
    const node = nodeOf(w, 'worker-default') as KubeNode;
    cordon(w, node);
    for (let round = 0; round < 60; round++) {
      const left = view.podsOn(node.metadata.name).filter((pod: Pod) => !isMirror(pod));
      if (left.length === 0) break;
      for (const pod of left)
        if (!pod.metadata.deletionTimestamp) {
          try {
            evictions.evict({ namespace: 'default', name: pod.metadata.name });
          } catch {
            // The budget says later.
          }
        }
      w.scheduler.advance(seconds(5));
    }
    w.estate.aws.region(ACCOUNT, REGION).autoScaling.terminateInstance(instanceOf(node), false);
    w.scheduler.advance(minutes(10));
    expect(view.node(node.metadata.name)).toBeUndefined();
    expect(readyNodes(w)).toHaveLength(7);
    const report = w.estate.evidence();
    expect(report.clusters[0]?.pools).toContainEqual({
      pool: 'worker-default',
      master: false,
      nodes: 4,
      maxAway: 1,
      cordons: 1,
    });
    expect(report.clusters[0]?.budgets).toEqual([
      { budget: 'default/web', workload: 'Deployment/web', needed: 3, fewest: 3, breaches: 0 },
    ]);
    expect(report.clean).toBe(true);
    expect(evidenceLines(report)).toContain(
      '  pool worker-default: 4 nodes, 1 cordoned, at most 1 away at once',
    );
  });

  it('says what went wrong: two nodes away, a budget broken, a worker before a master', () => {
    const w = up();
    const { store } = w.estate.cluster(CLUSTER);
    const metadata = { name: 'web', namespace: 'default' };
    store.create('deployments.apps', {
      metadata,
      spec: { replicas: 4, selector: { matchLabels: { app: 'web' } }, template: template('web') },
    } as never);
    store.create('poddisruptionbudgets.policy', {
      metadata,
      spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } },
    });
    w.scheduler.advance(minutes(2));
    cordon(w, nodeOf(w, 'master-default') as KubeNode);
    const workers = readyNodes(w).filter(
      (node) => node.metadata.labels?.['node.kubernetes.io/node-pool'] === 'worker-default',
    );
    for (const node of workers.slice(0, 2)) {
      cordon(w, node);
      w.estate.aws.killInstance(instanceOf(node));
    }
    w.scheduler.advance(minutes(10));
    const report = w.estate.evidence();
    expect(report.clean).toBe(false);
    expect(report.clusters[0]?.pools.find((one) => one.pool === 'worker-default')?.maxAway).toBe(2);
    expect(report.clusters[0]?.budgets[0]).toMatchObject({ needed: 3, fewest: 2 });
    expect(report.clusters[0]?.workersBeforeMasters).toHaveLength(2);
  });

  it('keeps a machine with a spot notice working until it dies', () => {
    const w = up();
    const node = nodeOf(w, 'worker-default') as KubeNode;
    w.estate.aws.killInstance(instanceOf(node), minutes(2));
    w.scheduler.advance(minutes(1));
    expect(w.estate.isServing(instanceOf(node), 443)).toBe(true);
    w.scheduler.advance(minutes(4));
    expect(w.estate.cluster(CLUSTER).view.node(node.metadata.name)).toBeUndefined();
  });

  it('tells the same story under the same seed', () => {
    const story = (seed: number): string => {
      const w = up(seed);
      const lines: string[] = [];
      w.estate
        .cluster(CLUSTER)
        .store.subscribe(({ type, object }) =>
          lines.push(
            `${w.scheduler.now()} ${type} ${object.kind} ${object.metadata.name} ${object.metadata.uid}`,
          ),
        );
      w.estate.aws.killInstance(instanceOf(nodeOf(w, 'worker-default') as KubeNode));
      w.scheduler.advance(minutes(5));
      return lines.join('\n');
    };
    expect(story(7)).toBe(story(7));
    expect(story(7)).not.toBe(story(8));
  });
});
