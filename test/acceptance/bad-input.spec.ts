import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { ProblemRow } from './support/api-client.js';
import { ACCOUNTS, clusterBody, register, startBed, type Bed } from './support/bed.js';
import { NEW_IMAGE, type ConfigClone } from './support/config-clone.js';
import { Outside } from './support/outside.js';

const GREETING = 'cluster/config-defaults.yaml';

/** Two healthy clusters in two accounts; each test breaks something, looks, and mends it again. */
describe('bad input', () => {
  let bed: Bed;
  let outside: Outside;
  let clone: ConfigClone;
  let ids: readonly string[];
  let good: string;
  let broken = false;
  const sockets = new Set<Socket>();
  const silent: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });

  beforeAll(async () => {
    bed = await startBed({
      speed: 400,
      environment: { FAIRWAY_GIT_POLL_INTERVAL: '1s', FAIRWAY_LEASE_TTL: '5s' },
    });
    outside = new Outside(bed.sandbox.estate);
    ids = [
      await register(bed, { alias: 'one', workers: 1 }),
      await register(bed, { alias: 'two', workers: 1, account: ACCOUNTS[1] }),
    ];
    await Promise.all([bed.ready('one'), bed.ready('two')]);
    clone = await bed.clone();
    good = await clone.git('rev-parse', 'HEAD');
  });
  afterEach(async () => {
    bed.sandbox.git.setFault(undefined);
    if (broken) await mend();
    broken = false;
  });
  afterAll(async () => {
    outside.close();
    await bed.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => silent.close(closed));
  });

  const writes = (): readonly number[] => [
    outside.awsWrites(),
    ...ids.map((id) => outside.clusterWrites(id)),
  ];

  const textOf = (problems: readonly ProblemRow[] | undefined): string =>
    (problems ?? []).map(({ title, detail, hint }) => `${title}: ${detail} (${hint})`).join('\n');

  /** Both clusters say what is wrong with the revision, and neither was written to. */
  async function refused(words: RegExp, before: readonly number[]): Promise<void> {
    for (const alias of ['one', 'two']) {
      const row = await bed.until(alias, `telling ${words}`, ({ problems }) => words.test(textOf(problems)));
      expect(row.phase).toBe('stalled');
      expect((row.problems ?? [])[0]).toMatchObject({ type: expect.any(String), hint: expect.any(String) });
    }
    expect(writes()).toEqual(before);
  }

  /** Whatever a test left: the tree of the last good commit again, as a further commit. */
  async function mend(): Promise<void> {
    await clone.git('rm', '-r', '--quiet', '.');
    await clone.git('checkout', good, '--', '.');
    const commit = await clone.publish('mended');
    await Promise.all([bed.ready('one', commit), bed.ready('two', commit)]);
  }

  const greet = (word: string): Promise<void> =>
    clone.edit(GREETING, (text) => text.replace(/^shop_greeting: .*$/m, `shop_greeting: "${word}"`));

  it('an unknown channel is refused with the known ones', async () => {
    const body = clusterBody(bed.sandbox, { alias: 'lost', localId: 'kube-3', channel: 'nightly' });
    const answer = await bed.api.try<Record<string, unknown>>('POST', '/kubernetes-clusters', body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toMatch(/nightly.*dev, alpha, beta, stable/);
  });

  it('an unknown profile stalls the one cluster that names it', async () => {
    const before = outside.awsWrites();
    await register(bed, { alias: 'profile', localId: 'kube-4', workerProfile: 'worker-nope' });
    const row = await bed.until('profile', 'telling the profile', ({ problems }) =>
      /worker-nope/.test(textOf(problems)),
    );
    expect(row.phase).toBe('stalled');
    expect(outside.awsWrites()).toBe(before);
    expect((await bed.api.cluster('one')).phase).toBe('ready');
  });

  it('a template that breaks leaves every cluster untouched and names file, line and reason', async () => {
    const before = writes();
    await clone.edit('cluster/manifests/ingress/configmap.yaml', (text) =>
      text.replace(/^metadata:\n/m, 'metadata:\n  annotations: { x: "{{ .Cluster.Nothing.Here }}" }\n'),
    );
    broken = true;
    await clone.publish('a template that breaks');
    await refused(/manifests\/ingress\/configmap\.yaml:\d+.*Nothing/, before);
  });

  it('cyclic YAML is refused by name', async () => {
    const before = writes();
    await clone.write('cluster/manifests/rbac/cycle.yaml', 'a: &a\n  b: *a\n');
    broken = true;
    await clone.publish('a cycle');
    await refused(/rbac\/cycle\.yaml/, before);
  });

  it('a symlink out of the tree is refused by name', async () => {
    const before = writes();
    await clone.link('cluster/manifests/rbac/passwd.yaml', '/etc/passwd');
    broken = true;
    const commit = await clone.publish('a link');
    await eventually(async () => {
      const rows = await Promise.all(['one', 'two'].map((alias) => bed.api.cluster(alias)));
      const { git } = await bed.api.channel('dev');
      const told = textOf([
        ...rows.flatMap(({ problems }) => problems ?? []),
        ...(git.problem ? [git.problem] : []),
      ]);
      return /rbac\/passwd\.yaml/.test(told);
    }, 'the link being told by name');
    expect((await bed.api.cluster('one')).current_version).not.toBe(commit);
    expect(writes()).toEqual(before);
  });

  it('a revision without manifests deletes nothing', async () => {
    const config = join(clone.dir, 'cluster/manifests');
    for (const entry of await readdir(config)) await clone.remove(`cluster/manifests/${entry}`);
    const objects = bed.sandbox.estate.cluster(ids[0] as string).view.all('deployments.apps').length;
    broken = true;
    const commit = await clone.publish('no manifests');
    await bed.until('one', 'having looked at it', (row) => {
      return (
        row.current_version === commit || (row.next_version === commit && (row.problems ?? []).length > 0)
      );
    });
    expect(objects).toBeGreaterThan(2);
    expect(bed.sandbox.estate.cluster(ids[0] as string).view.all('deployments.apps')).toHaveLength(objects);
  });

  it('AWS denying one account stalls its clusters, with a hint; the others go on', async () => {
    const allow = bed.sandbox.estate.aws.faults.deny(ACCOUNTS[1]);
    await clone.setNodeImage(NEW_IMAGE);
    const commit = await clone.publish('another node image');
    await bed.ready('one', commit);
    const row = await bed.until('two', 'being denied', ({ phase }) => phase === 'stalled');
    expect(row.current_version).not.toBe(commit);
    expect(textOf(row.problems)).toMatch(/den|authoriz/i);
    expect((row.problems ?? [])[0]?.hint).toEqual(expect.any(String));
    allow();
    await bed.api.send('POST', '/api/v1/clusters/two/reconcile');
    await bed.ready('two', commit);
    expect((await bed.api.cluster('two')).problems).toEqual([]);
  });

  it('a stack that AWS refused for want of something of the account is tried again by the next commit', async () => {
    const { faults } = bed.sandbox.estate.aws;
    const undo = faults.failResource({
      stackName: 'kube-1',
      account: ACCOUNTS[0],
      verb: 'update',
      reason: 'limit exceeded',
    });
    await clone.edit('cluster/cluster.yaml', (text) =>
      text
        .replace('Description: Kubernetes cluster', 'Description: The Kubernetes cluster')
        .replace('application: "kubernetes"', 'application: "kube"'),
    );
    await clone.publish('another cluster stack');
    const row = await bed.until('one', 'telling of the stack', ({ phase }) => phase === 'failed');
    expect(textOf(row.problems)).toContain('limit exceeded');
    undo();
    await clone.write('README.md', 'the limit is higher now');
    const commit = await clone.publish('nothing of the stack');
    // Both: the next test counts what is written.
    await Promise.all([bed.ready('one', commit), bed.ready('two', commit)]);
    expect((await bed.api.cluster('one')).problems).toEqual([]);
  });

  it('Git away keeps the last good revision, raises one problem and heals by itself', async () => {
    const { current_version: version } = await bed.api.cluster('one');
    const before = writes();
    bed.sandbox.git.setFault({ kind: 'unavailable' });
    const seen = await eventually(async () => (await bed.api.channel('dev')).git.problem, 'the problem');
    expect(seen).toMatchObject({ type: expect.any(String), hint: expect.any(String) });
    const raised = async (): Promise<number> =>
      (
        await bed.api.send<{ items: { type: string; subject: string }[] }>('GET', '/api/v1/events?limit=1000')
      ).items.filter(({ type, subject }) => type === 'problem.raised' && subject.startsWith('repository/'))
        .length;
    const count = await raised();
    const polls = bed.sandbox.git.requests.length;
    const since = Date.now();
    await eventually(async () => Date.now() - since > 3_000, 'further polls');
    expect(await raised()).toBe(count);
    expect(bed.sandbox.git.requests.length).toBeGreaterThanOrEqual(polls);
    expect(await bed.api.cluster('one')).toMatchObject({ phase: 'ready', current_version: version });
    expect(writes()).toEqual(before);
    bed.sandbox.git.setFault(undefined);
    await eventually(async () => (await bed.api.channel('dev')).git.problem === undefined, 'healing');
  });

  it('a rewritten history pauses the channel until somebody acknowledges it', async () => {
    const before = writes();
    await clone.git('reset', '--quiet', '--hard', 'HEAD~1');
    await greet('rewritten');
    const commit = await clone.commit('rewritten');
    await clone.push('dev', '--force');
    await eventually(
      async () => (await bed.api.channel('dev')).paused_reason === 'history-rewritten',
      'the pause',
    );
    const held = await bed.api.try<unknown>('POST', '/api/v1/channels/dev/acknowledge', {});
    expect(held.status).toBe(400);
    expect(writes()).toEqual(before);
    expect((await bed.api.cluster('one')).current_version).not.toBe(commit);
    await eventually(
      async () =>
        (await bed.api.try('POST', '/api/v1/channels/dev/acknowledge', { reason: 'it was me' })).status ===
        200,
      'the acknowledgement',
    );
    await Promise.all([bed.ready('one', commit), bed.ready('two', commit)]);
    expect((await bed.api.channel('dev')).paused_reason).toBeUndefined();
  });

  // The last one: its cluster goes on building stacks, which the others would count.
  it('an API server that never answers holds up nobody else', async () => {
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', () => listening()));
    const apiServerUrl = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await register(bed, { alias: 'hangs', localId: 'kube-5', apiServerUrl });
    await bed.until(
      'hangs',
      'waiting for its API',
      (row) => row.phase !== 'pending' && row.phase !== 'ready',
    );
    await greet('while one hangs');
    const commit = await clone.publish('while one hangs');
    await Promise.all([bed.ready('one', commit), bed.ready('two', commit)]);
    expect((await bed.api.cluster('hangs')).phase).not.toBe('ready');
  });
});
