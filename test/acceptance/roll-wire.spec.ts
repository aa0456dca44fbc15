import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LivingCluster } from '#simulation';
import type { KubeNode, Pod } from '../../libs/simulation/src/kubernetes/controllers/objects.js';
import { template } from '../../libs/simulation/src/estate/test-bench.js';
import { eventually } from '../support/eventually.js';
import { register, startBed, type Bed } from './support/bed.js';
import { NEW_IMAGE, type ConfigClone } from './support/config-clone.js';
import { Outside, repeated } from './support/outside.js';

const WORKERS = 3;
const BROKEN_IMAGE = 'fairway-node-1.31.4-20251125-broken';

interface RollRow {
  readonly phase: string;
  readonly message: string;
  readonly eta_ms?: number;
  readonly eta_if?: string;
  readonly nodes: readonly {
    readonly pool: string;
    readonly nodeName?: string;
    readonly instanceId: string;
    readonly outdated: boolean;
    readonly state: string;
    readonly note?: string;
  }[];
}

interface EventRow {
  readonly type: string;
  readonly message: string;
}

/** The main hard cases with the shipped adapters over the wire, judged by the estate's call logs. */
describe('a roll over the wire', () => {
  let bed: Bed;
  let outside: Outside;
  let clone: ConfigClone;
  let estate: LivingCluster;
  let id: string;
  let held = '';
  let before: unknown;

  beforeAll(async () => {
    bed = await startBed({ speed: 400 });
    outside = new Outside(bed.sandbox.estate);
    id = await register(bed, { alias: 'rolled', workers: WORKERS });
    await bed.ready('rolled');
    estate = bed.sandbox.estate.cluster(id);
    clone = await bed.clone();
    await bed.api.send('PATCH', `/kubernetes-clusters/${encodeURIComponent(id)}`, {
      config_items: { drain_blocked_deadline: '6s', drain_park_after: '1s', node_register_timeout: '3s' },
    });
    single();
    held = await eventually(() => podOf('single'), 'the pod to run');
  });
  afterAll(async () => {
    outside.close();
    await bed.close();
  });

  /**
   * One replica whose budget never allows an eviction, in the last of the zones: the roll then has to start a machine in
   * a zone of its own choice.
   */
  function single(): void {
    const metadata = { name: 'single', namespace: 'shop', labels: { team: 'payments' } };
    const selector = { matchLabels: { app: 'single' } };
    const pods = template('single');
    const nodeSelector = { 'topology.kubernetes.io/zone': 'eu-central-1c' };
    estate.store.create('deployments.apps', {
      metadata,
      spec: { replicas: 1, selector, template: { ...pods, spec: { ...pods.spec, nodeSelector } } },
    });
    estate.store.create('poddisruptionbudgets.policy', { metadata, spec: { maxUnavailable: 0, selector } });
  }

  /** Node of the running pod. */
  function podOf(app: string): string | undefined {
    const pods = estate.view.all<Pod>('pods');
    return pods.find(({ metadata }) => metadata.labels?.['app'] === app)?.spec?.nodeName;
  }

  const roll = (): Promise<RollRow> => bed.api.send('GET', '/api/v1/clusters/rolled/roll');
  const ours = () => estate.wire.calls.entries.filter(({ user }) => user === 'fairway');
  const evictions = (name: RegExp) =>
    ours().filter((call) => call.subresource === 'eviction' && name.test(`${call.namespace}/${call.name}`));
  const groups = () =>
    bed.sandbox.estate.aws.regions().flatMap(({ autoScaling }) =>
      autoScaling.all().map(({ name, desiredCapacity, maxSize, suspended }) => ({
        name,
        desiredCapacity,
        maxSize,
        suspended: [...suspended],
      })),
    );

  it('goes on around a node that a PDB holds, past a webhook that denies, and quarantines the node at the deadline', async () => {
    estate.wire.faults.failNext(
      {
        match: { subresource: 'eviction', namespace: 'ingress' },
        status: 400,
        reason: 'BadRequest',
        message: 'admission webhook "move.example.org" denied the request: it is being moved',
      },
      1,
    );
    before = groups();
    await clone.setNodeImage(NEW_IMAGE);
    await clone.publish('another node image');
    const estimates = new Set<string | undefined>();
    const end = await eventually(
      async () => {
        const row = await roll();
        if (row.eta_ms !== undefined) estimates.add(row.eta_if);
        const left = row.nodes.filter(({ outdated }) => outdated);
        return left.length === 1 && left[0]?.state === 'quarantined' && row.phase === 'blocked'
          ? row
          : undefined;
      },
      'one node in quarantine',
      400_000,
    );
    // While the others went on, the time left said whom it depends on.
    const [words] = [...estimates].filter((condition) => condition !== undefined);
    expect(words).toContain(`PDB shop/single (owner payments) lets ${held} go; `);
    const [left] = end.nodes.filter(({ outdated }) => outdated);
    expect(left?.nodeName).toBe(held);
    expect(end.message).toContain('shop/single');
    expect(outside.terminations()).toHaveLength(WORKERS);
    expect(outside.terminations()).not.toContain(left?.instanceId);
    expect(repeated(outside.terminations())).toEqual([]);
    // No DELETE of a pod, and few questions: the PDB answers for all its pods.
    expect(ours().filter(({ verb, resource }) => verb === 'delete' && resource === 'pods')).toEqual([]);
    const asked = evictions(/^shop\/single-/);
    expect(asked.every(({ code }) => code === 429)).toBe(true);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThanOrEqual(4);
    const denied = evictions(/^ingress\//);
    expect(denied[0]?.code).toBe(400);
    expect(denied.at(-1)?.code).toBe(201);
    expect(podOf('single')).toBe(held);
  });

  it('told people once who is in the way and what it needs', async () => {
    const { items } = await bed.api.send<{ items: EventRow[] }>('GET', '/api/v1/events?limit=500');
    const told = items.filter(
      ({ message }) => message.includes('shop/single') && /needs 1 healthy, has 1/.test(message),
    );
    expect(told.length, JSON.stringify(items.slice(-5))).toBeGreaterThan(0);
    expect(new Set(told.map(({ type, message }) => `${type} ${message}`)).size).toBe(told.length);
  });

  it('is aborted with nothing left on the node', async () => {
    await bed.api.send('POST', '/api/v1/clusters/rolled/roll/abort', { reason: 'not today' });
    await bed.until(
      'rolled',
      'the abort',
      ({ phase, message }) => phase === 'failed' && /abort/.test(message),
    );
    const node = estate.store.get('nodes', undefined, held) as unknown as {
      metadata: { annotations?: object; labels?: object };
      spec: { unschedulable?: boolean; taints?: readonly { key: string }[] };
    };
    expect(JSON.stringify(node.metadata)).not.toContain('fairway.dev/');
    expect(JSON.stringify(node.metadata.labels)).not.toContain('exclude-from-external-load-balancers');
    expect(node.spec.unschedulable ?? false).toBe(false);
    expect(
      (node.spec.taints ?? []).map(({ key }) => key).filter((key) => key.startsWith('fairway.dev/')),
    ).toEqual([]);
    expect(groups()).toEqual(before);
  });

  it('halts after new machines that never join, with the old ones untouched', async () => {
    const since = bed.sandbox.estate.aws.calls.length;
    const calls = estate.wire.calls.entries.length;
    const nodes = estate.view
      .all('nodes')
      .map(({ metadata }) => metadata.uid)
      .sort();
    await clone.setNodeImage(BROKEN_IMAGE);
    await clone.publish('an image that never joins');
    const halted = await bed.until(
      'rolled',
      'the halt',
      ({ phase, message }) => phase === 'failed' && /did not come up/.test(message),
      300_000,
    );
    expect(halted.message).toContain('did not come up');
    const after = estate.view
      .all('nodes')
      .map(({ metadata }) => metadata.uid)
      .sort();
    expect(after).toEqual(nodes);
    expect(outside.terminations(since).length).toBeLessThanOrEqual(1);
    const disturbing = estate.wire.calls.entries
      .slice(calls)
      .filter((call) => call.user === 'fairway' && call.subresource === 'eviction');
    expect(disturbing).toEqual([]);
    const unschedulable = estate.view.all<KubeNode>('nodes').filter(({ spec }) => spec?.unschedulable);
    expect(unschedulable).toEqual([]);
  });
});
