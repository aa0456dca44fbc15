import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LivingCluster } from '#simulation';
import type { KubeNode, Pod } from '../../libs/simulation/src/kubernetes/controllers/objects.js';
import { isReady } from '../../libs/simulation/src/kubernetes/controllers/pods.js';
import { template } from '../../libs/simulation/src/estate/test-bench.js';
import { runCli } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNTS, REGION, register, startBed, type Bed } from './support/bed.js';
import type { ConfigClone } from './support/config-clone.js';
import { Outside, repeated } from './support/outside.js';
import { isMarked, RollTrace } from './support/roll-trace.js';

const WORKERS = 4;
const POOL = 'worker-default';
/** Only workers are rolled by a change of it. */
const USERDATA = `cluster/node-pools/${POOL}/userdata.yaml`;
/** Versions of the launch template: 1 is that of the cluster's creation. */
const FIRST_COMMIT = 2;
const SILENCE = 1_000;

interface RollRow {
  readonly phase: string;
  readonly message: string;
  readonly paused: readonly { readonly pool: string }[];
  readonly nodes: readonly { readonly outdated: boolean }[];
}

/** One roll of four workers over the wire, disturbed by people, machines and Git; each test builds on the ones before. */
describe('a roll that is paused, loses machines and is superseded', () => {
  let bed: Bed;
  let outside: Outside;
  let trace: RollTrace;
  let clone: ConfigClone;
  let estate: LivingCluster;
  let home: string;
  /** Workers from before the roll. */
  let originals: readonly string[];
  /** Of them: off, and running without a word. */
  let stopped = '';
  let silent = '';
  let off = '';
  let mute = '';
  /** Version of the launch template by worker; AWS forgets machines after a while. */
  const launches = new Map<string, number | undefined>();
  /** Pods of the silent one that stay there by themselves; the first goes on saying that it is Ready. */
  let stranded: readonly string[] = [];
  let lostAt = 0;
  let newest = '';

  beforeAll(async () => {
    bed = await startBed({ speed: 400 });
    outside = new Outside(bed.sandbox.estate);
    const id = await register(bed, { alias: 'rolled', workers: WORKERS });
    await bed.api.send('PATCH', `/kubernetes-clusters/${encodeURIComponent(id)}`, {
      config_items: { roll_pause_grace: '1s', node_unreachable_after: '1s', node_unreachable_wait: '2s' },
    });
    await bed.ready('rolled');
    estate = bed.sandbox.estate.cluster(id);
    trace = new RollTrace(bed.sandbox.estate, estate);
    const [first = ''] = asg().instances.keys();
    const ours = aws().instances.get(first)?.launchTemplate;
    bed.sandbox.estate.aws.onCloudEvent(({ kind, subject }) => {
      const template =
        kind === 'instance-launched' ? aws().instances.get(subject)?.launchTemplate : undefined;
      // Not by its group: one that is launched for a zone is attached later.
      if (template?.id === ours?.id) launches.set(subject, template?.version);
    });
    clone = await bed.clone();
    home = mkdtempSync(join(tmpdir(), 'fairway-home-'));
    const login = JSON.stringify({ url: bed.sandbox.apiUrl, token: bed.sandbox.token });
    writeFileSync(join(home, 'login.json'), login, { mode: 0o600 });
    await workload();
    originals = [...asg().instances.keys()];
    expect(originals).toHaveLength(WORKERS);
  });
  afterAll(async () => {
    trace.close();
    outside.close();
    await bed.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** Pods on every node that the cluster itself does not take from a silent one. */
  async function workload(): Promise<void> {
    const tolerations = ['unreachable', 'not-ready'].map((key) => ({
      key: `node.kubernetes.io/${key}`,
      operator: 'Exists' as const,
      effect: 'NoExecute',
    }));
    const replicas = 2 * WORKERS;
    const selector = { matchLabels: { app: 'stays' } };
    estate.store.create('deployments.apps', {
      metadata: { name: 'stays', namespace: 'shop' },
      spec: { replicas, selector, template: template('stays', { tolerations }) },
    });
    const run = (): boolean => podsOf('stays').length === replicas && podsOf('stays').every(isReady);
    await eventually(run, 'the pods to run', 240_000);
  }

  const aws = () => bed.sandbox.estate.aws.region(ACCOUNTS[0], REGION);
  const asg = () => {
    const groups = aws().autoScaling.all();
    const found = groups.find(({ name }) => name.includes(POOL));
    if (!found) throw new Error('no group of workers');
    return found;
  };
  const podsOf = (app: string): readonly Pod[] =>
    estate.view.all<Pod>('pods').filter(({ metadata }) => metadata.labels?.['app'] === app);
  const nodes = (): readonly KubeNode[] => estate.view.all<KubeNode>('nodes');
  const nodeOf = (id: string): string => aws().instances.get(id)?.privateDnsName ?? '';
  const launchedFor = (version: number): readonly string[] =>
    [...launches].filter(([id, of]) => of === version && !originals.includes(id)).map(([id]) => id);

  /** Commits another grace period of the workers' kubelets, to be pushed. */
  async function prepare(message: string): Promise<string> {
    await clone.edit(USERDATA, (text) =>
      text.replace(/GracePeriod: (\d+)s/, (_, seconds) => `GracePeriod: ${Number(seconds) + 1}s`),
    );
    return clone.commit(message);
  }

  const roll = (): Promise<RollRow> => bed.api.send('GET', '/api/v1/clusters/rolled/roll');

  /** Somebody else's finalizer: the Node outlives its machine until it is taken off. */
  function finalizers(node: string, held: readonly string[]): void {
    estate.store.modify('nodes', undefined, node, (draft) => void (draft.metadata.finalizers = [...held]));
  }

  /** A pod whose own status gets through though its kubelet's lease does not. */
  function claimReady(pod: string): void {
    const ready = { type: 'Ready', status: 'True' };
    const claim = (): unknown =>
      estate.store.modify(
        'pods',
        'shop',
        pod,
        (draft) => void (draft['status'] = { ...(draft['status'] as object), conditions: [ready] }),
        { subresource: 'status' },
      );
    estate.view.on<Pod>('pods', ({ type, object, old }) => {
      const lost =
        type === 'MODIFIED' && object.metadata.name === pod && old && isReady(old) && !isReady(object);
      if (lost) setImmediate(claim);
    });
  }

  /** One machine is switched off; of another one only the kubelet dies. */
  async function loseTwo(): Promise<void> {
    [stopped = '', silent = ''] = originals.filter((id) => !outside.terminations().includes(id));
    [off, mute] = [nodeOf(stopped), nodeOf(silent)];
    stranded = podsOf('stays')
      .filter(({ spec }) => spec?.nodeName === mute)
      .map(({ metadata }) => `shop/${metadata.name}`);
    expect(stranded.length).toBeGreaterThanOrEqual(2);
    // Its group would end a stopped machine by itself.
    asg().suspended.add('HealthCheck');
    finalizers(mute, ['example.org/last-words']);
    claimReady(stranded[0]?.split('/')[1] ?? '');
    lostAt = trace.length;
    aws().instances.stop(stopped);
    estate.fleet.find(silent)?.die();
    const since = await eventually(() => trace.since(lostAt, 'not-ready').find(({ on }) => on === mute)?.at);
    await eventually(() => Date.now() - since > SILENCE, 'the silence to last');
  }

  it('starts no node while it is paused, takes its marks off the waiting ones, and says who paused it and why', async () => {
    await prepare('another grace period');
    await clone.push('dev');
    await eventually(() => trace.since(0, 'cordon')[0], 'the first drain', 300_000);
    await bed.api.send('POST', '/api/v1/clusters/rolled/roll/pause', { reason: 'sale of the year' });
    const held = await eventually(
      async () => {
        const row = await roll();
        return row.phase === 'blocked' && row.message.includes('a hold on') ? row : undefined;
      },
      'the node in flight to be done',
      300_000,
    );
    const from = trace.length;
    // The node that was in flight, and perhaps one more that was chosen when the pause came.
    const left = held.nodes.filter(({ outdated }) => outdated).length;
    expect(left).toBeGreaterThanOrEqual(WORKERS - 2);
    expect(left).toBeLessThan(WORKERS);
    await loseTwo();
    await eventually(() => nodes().every((node) => !isMarked(node)), 'nodes without marks');
    const { code, stdout } = await runCli(['roll', 'status', 'rolled'], { env: { FAIRWAY_HOME: home } });
    expect(code, stdout).toBe(4);
    expect(stdout).toMatch(/^rolled: blocked .*a hold on worker-default/);
    expect(stdout).toMatch(/^worker-default is paused by .+ since .+: sale of the year$/m);
    for (const what of ['cordon', 'evict', 'delete-pod', 'terminate'] as const)
      expect(trace.since(from, what), what).toEqual([]);
  });

  it('goes on when it is resumed, after another look at account and versions', async () => {
    newest = await prepare('yet another grace period');
    const from = trace.length;
    await bed.api.send('POST', '/api/v1/clusters/rolled/roll/resume', { reason: 'it is over' });
    await eventually(() => trace.since(from, 'cordon')[0], 'the next drain', 300_000);
    const since = trace.since(from).map(({ what }) => what);
    expect(since).toContain('preflight');
    expect(since.indexOf('preflight')).toBeLessThan(since.indexOf('marked'));
    expect(since.indexOf('marked')).toBeLessThan(since.indexOf('cordon'));
    expect((await roll()).paused).toEqual([]);
  });

  it('finishes the node in flight when another commit comes, and takes the rest straight to it', async () => {
    await eventually(() => trace.at('cordon', mute) >= 0, 'the silent node to be taken', 300_000);
    await clone.push('dev');
    await eventually(
      () => Number(asg().launchTemplate?.version) > FIRST_COMMIT,
      'the template of the newest commit',
      300_000,
    );
    const before = launchedFor(FIRST_COMMIT);
    // One for each machine that was gone, and the surge.
    expect(before.length).toBeLessThanOrEqual(outside.terminations().length + 1);
    await eventually(() => trace.at('out-of-service', mute) >= 0, 'the taint on the silent node', 300_000);
    finalizers(mute, []);
    await bed.ready('rolled', newest, 300_000);
    expect(launchedFor(FIRST_COMMIT)).toEqual(before);
    expect(trace.since(lostAt, 'uncordon')).toEqual([]);
    expect([...outside.terminations()].sort()).toEqual([...originals, ...before].sort());
    expect(trace.at('terminate', silent)).toBeGreaterThan(trace.at('cordon', mute));
  });

  it('ended the stopped machine at once, and the silent one after its pods had their time', async () => {
    expect(trace.at('out-of-service', off)).toBeGreaterThan(lostAt);
    expect(trace.at('terminate', stopped)).toBeGreaterThan(trace.at('out-of-service', off));
    expect(trace.at('cordon', off)).toBe(-1);
    const deleted = trace.since(lostAt, 'delete-pod').map(({ on }) => on);
    expect(stranded.filter((pod) => deleted.includes(pod))).toEqual(stranded.slice(1));
    expect(repeated(deleted)).toEqual([]);
    expect(trace.since(lostAt, 'evict').filter(({ on }) => stranded.includes(on))).toEqual([]);
    const order = [
      trace.at('cordon', mute),
      trace.at('delete-pod', stranded[1] ?? ''),
      trace.at('terminate', silent),
      trace.at('out-of-service', mute),
      trace.at('node-gone', mute),
    ];
    expect(order[0]).toBeGreaterThan(lostAt);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    const { items } = await bed.api.send<{ items: { message: string }[] }>('GET', '/api/v1/events?limit=500');
    const told = (id: string, why: RegExp): boolean =>
      items.some(({ message }) => message.includes(`terminate ${id}`) && why.test(message));
    expect(told(stopped, /EC2 says stopped/)).toBe(true);
    // At least the second of `node_unreachable_after` and the two of `node_unreachable_wait`; a slow machine takes longer.
    expect(told(silent, /silent for (?!1s)[1-9]\S* and its pods were given (?!1s)[1-9]/)).toBe(true);
  });

  it('leaves nothing of its own behind', () => {
    const version = Number(asg().launchTemplate?.version);
    expect([...asg().instances.values()].map(({ launchTemplate }) => launchTemplate?.version)).toEqual(
      Array.from({ length: WORKERS }, () => version),
    );
    // Somebody else's.
    expect([...asg().suspended]).toEqual(['HealthCheck']);
    expect(nodes().filter(isMarked)).toEqual([]);
    expect(nodes().filter(({ spec }) => spec?.unschedulable)).toEqual([]);
  });
});
