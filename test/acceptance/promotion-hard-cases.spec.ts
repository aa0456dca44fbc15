import { beforeEach, describe, expect, it } from 'vitest';
import { hours, minutes, seconds } from '#kernel';
import type { ClusterRuntime } from '#ports';
import { PromotionWorld, REPOSITORY } from './support/promotion-world.js';

const policy = (more = ''): string => `apiVersion: fairway.dev/v1
channels:
- { name: dev, waves: [100%] }
- { name: beta, from: dev, waves: [100%], gates: { converged: {}, conformance: { suites: [quick] }, soak: 2h } }
- { name: stable, from: beta, waves: [100%], gates: { converged: {}, soak: 72h${more} } }
suites: { quick: { expectedMin: 3 } }
`;

let world: PromotionWorld;
const updates = (branch: string) => world.git.refUpdates.filter((one) => one.branch === branch);
const events = (type: string) => world.stores.events.filter((one) => one.type === type);
const reasons = (name: string) =>
  world.entry(name)?.reasons.map((one) => `${one.gate} ${one.state}: ${one.message}`) ?? [];
const runs = (name: string, image: string) => world.running(name, 'cluster/app.yaml', `image: ${image}\n`);

async function settled(text = policy()): Promise<PromotionWorld> {
  const fresh = new PromotionWorld({ sizes: { dev: 1, beta: 2, stable: 2 }, policy: text });
  const all = () =>
    fresh.names.every(
      (name) => fresh.running(name, 'cluster/app.yaml', 'image: 1\n') === fresh.clustersOf(name).length,
    );
  await fresh.until('everybody runs the first content', all);
  return fresh;
}

beforeEach(async () => {
  world = await settled();
});

describe('a merge by hand without soak', () => {
  it('is held with reasons and the time that is left, until the gates pass', async () => {
    world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    await world.until('beta runs it', () => runs('beta', '2') === 2);
    world.git.mergeByHand('beta', 'stable');
    await world.passTime(minutes(30));
    expect(world.entry('stable')).toMatchObject({ phase: 'held', admitted: false });
    expect(reasons('stable').join()).toMatch(/soak pending: 2d23h|soak pending: 3d of 3d left/);
    expect(events('revision.held')[0]).toMatchObject({ severity: 'warning', channel: 'stable' });
    expect(runs('stable', '1')).toBe(2);
    await world.passTime(hours(60));
    expect(runs('stable', '1')).toBe(2);
    expect(reasons('stable').join()).toMatch(/soak pending: 1\dh/);
    await world.until('it was shown', () => runs('stable', '2') === 2, hours(24));
    expect(world.git.refUpdates.filter((one) => one.branch === 'stable')).toEqual([]);
  });

  it('moves by broken glass, loudly, also outside of windows', async () => {
    world = await settled(policy(', windows: [{ days: Mon, start: "08:00", end: "08:30", tz: UTC }]'));
    world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    await world.until('beta runs it', () => runs('beta', '2') === 2);
    world.git.mergeByHand('beta', 'stable');
    await world.passTime(minutes(30));
    const revision = world.stores.revisions.get(world.entry('stable')?.revisionId ?? '');
    const glass = {
      id: 'g1',
      channel: 'stable',
      revisionId: revision?.id ?? '',
      treeDigest: revision?.treeDigest ?? '',
      by: 'root',
      reason: 'fire',
      createdAt: world.now,
      expiresAt: world.now + hours(1),
    };
    const loud = {
      type: 'glass.broken',
      at: world.now,
      severity: 'critical',
      subject: 'channel/stable',
      message: 'x',
      data: {},
    } as const;
    await world.stores.decisions.addBrokenGlass(glass, loud);
    await world.until('stable runs it', () => runs('stable', '2') === 2, hours(3));
    expect(events('glass.used')).toMatchObject([{ severity: 'critical', channel: 'stable' }]);
    expect(events('glass.used')[0]?.message).toContain('root broke the glass');
    expect(world.entry('stable')).toMatchObject({ admitted: true, expedited: true });
  });

  it('keeps its evidence where the content is the same', async () => {
    world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    await world.until('beta may have it', () => updates('beta').length === 1);
    world.git.push('dev', { 'README.md': 'words\n' }, 'words only');
    await world.until(
      'dev has it',
      () => world.commitOf('dev') === world.git.branches.get('dev') && world.entry('dev')?.phase !== 'seen',
    );
    world.git.mergeByHand('dev', 'beta');
    await world.passTime(minutes(10));
    expect(world.entry('beta')?.phase).not.toBe('held');
  });
});

describe('between eligible and execution', () => {
  /** Runs `change` right before the ref moves, when the wish is recorded already. */
  async function interrupted(change: () => void): Promise<void> {
    world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    const record = world.ports.channels.recordPromotion;
    let changed = false;
    Object.assign(world.ports.channels, {
      recordPromotion: async (...args: Parameters<typeof record>) => {
        await record(...args);
        if (!changed) change();
        changed = true;
      },
    });
    await world.until('the wish was settled', () =>
      [...world.stores.promotionById.values()].some((one) => one.state !== 'intended'),
    );
  }
  const settledReason = () => [...world.stores.promotionById.values()][0];

  it('a freeze opens: nothing moves, the reason is recorded', async () => {
    const hold = {
      id: 'h',
      scope: { kind: 'channel', channel: 'beta' },
      reason: 'freeze',
      owner: 'ops',
      createdAt: 0,
    } as const;
    await interrupted(() => world.stores.holdById.set('h', hold));
    expect(updates('beta')).toEqual([]);
    expect(settledReason()).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('held by ops: freeze'),
    });
    expect(events('promotion.refused')).toHaveLength(1);
    world.stores.holdById.clear();
    await world.until('it goes on afterwards', () => updates('beta').length === 1, hours(2));
  });

  it('a freeze of the calendar opens', async () => {
    world = await settled(
      policy().replace(
        'soak: 2h }',
        'soak: 2h, freeze: [{ from: 2026-07-01, to: 2026-07-02, reason: sale }] }',
      ),
    );
    await interrupted(() => (world.now = Date.parse('2026-07-01T10:00:00Z')));
    expect(updates('beta')).toEqual([]);
    expect(settledReason()?.reason).toContain('frozen until 2026-07-02: sale');
  });

  it('evidence is revoked', async () => {
    await interrupted(() => {
      for (const run of world.stores.runs.values())
        if (run.channel === 'dev')
          world.stores.runs.set(run.id, {
            ...run,
            verdict: 'fail',
            reason: 'tests-failed',
            failedTests: ['DNS'],
          });
    });
    expect(updates('beta')).toEqual([]);
    expect(settledReason()?.reason).toContain('tests-failed');
  });

  it('the target moves', async () => {
    await interrupted(() => world.git.push('beta', { 'docs.md': 'x' }, 'somebody else'));
    expect(settledReason()).toMatchObject({ state: 'refused', reason: expect.stringContaining('moved') });
    expect(updates('beta').map((one) => one.commit)).not.toContain(world.git.branches.get('dev'));
    // What was pushed there is no part of dev: the next try is a merge that keeps it.
    await world.until('merged', () => updates('beta').length === 1, hours(3));
    expect(world.git.file(world.git.branches.get('beta') ?? '', 'docs.md')).toBe('x');
    await world.until('beta runs it', () => runs('beta', '2') === 2, hours(3));
  });
});

describe('moving refs', () => {
  it('two workers promote at once: one ref update', async () => {
    world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    await world.until(
      'it is verified',
      () => world.entry('dev')?.verifiedAt !== undefined && runs('dev', '2') === 1,
    );
    await world.passTime(hours(1.5));
    world.now += minutes(40);
    await Promise.all(Array.from({ length: 6 }, () => world.pass('dev')));
    await Promise.all(Array.from({ length: 6 }, () => world.pass('dev')));
    expect(updates('beta')).toHaveLength(1);
    expect(events('promotion.done')).toHaveLength(1);
  });

  it('a candidate that lowers its own gates is judged by the old policy', async () => {
    const lowered = policy()
      .replace(', soak: 2h', '')
      .replace('soak: 72h', 'soak: 1s')
      .replace(', conformance: { suites: [quick] }', '');
    world.git.push('dev', { 'fairway.yaml': lowered, 'cluster/app.yaml': 'image: 2\n' }, 'faster!');
    await world.until('dev runs it', () => runs('dev', '2') === 1);
    await world.passTime(hours(1));
    expect(updates('beta')).toEqual([]);
    await world.until('beta has it after the old soak', () => updates('beta').length === 1, hours(3));
    expect(world.stores.entries.get('dev')?.[0]?.soak?.accumulated).toBeGreaterThanOrEqual(hours(2));
    await world.until('beta runs it', () => runs('beta', '2') === 2);
    await world.passTime(hours(60));
    expect(updates('stable')).toEqual([]);
  });

  it('a push by hand that lowers its own gates is held by the old policy, however often it is looked at', async () => {
    const lowered = policy().replace(
      /- \{ name: stable.*\n/,
      '- { name: stable, from: beta, waves: [100%] }\n',
    );
    const open = policy().replace(/- \{ name: stable.*\n/, '- { name: stable, waves: [100%] }\n');
    for (const text of [lowered, open]) {
      world.git.push('stable', { 'fairway.yaml': text, 'cluster/app.yaml': 'image: 9\n' }, 'in a hurry');
      await world.passTime(hours(1));
      expect(world.entry('stable')).toMatchObject({ phase: 'held', admitted: false });
      expect(reasons('stable').join()).toContain('soak pending');
      expect(runs('stable', '1')).toBe(2);
    }
  });

  it('a policy that cannot be read stops its own channel only, names every line, and the next push mends it', async () => {
    const typo = policy().replace('soak: 2h', 'soak: 2x').replace('soak: 72h', 'soka: 72h');
    world.git.push('beta', { 'fairway.yaml': typo }, 'a typo');
    world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    await world.until('dev runs it', () => runs('dev', '2') === 1);
    await world.until('and is verified', () => world.entry('dev')?.verifiedAt !== undefined);
    await world.passTime(hours(3));
    expect(updates('beta')).toEqual([]);
    const [told] = events('problem.raised');
    expect(told?.message).toMatch(/^beta: fairway\.yaml:4: .*soak.*; line 5: .*soka/);
    world.git.push('beta', { 'fairway.yaml': policy() }, 'mended');
    await world.until('beta runs it', () => runs('beta', '2') === 2, hours(3));
    expect(world.stores.repositoryByUrl.get(REPOSITORY)?.problem).toBeUndefined();
    expect(world.stores.problems.get('channel/beta')).toEqual([]);
  });

  it('a conflict is a problem that names the files, once', async () => {
    world.git.push('beta', { 'cluster/app.yaml': 'image: 1-beta\n' }, 'by hand');
    world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    await world.until('refused', () => events('promotion.refused').length > 0);
    await world.passTime(hours(6));
    expect(events('promotion.refused')).toHaveLength(1);
    expect(world.stores.problems.get('promotion/beta')).toMatchObject([
      { title: 'merge conflict', detail: expect.stringContaining('cluster/app.yaml') },
    ]);
    world.git.push('beta', { 'cluster/app.yaml': 'image: 1\n' }, 'taken back');
    await world.until('merged', () => updates('beta').length === 1, hours(3));
    expect(world.stores.problems.get('promotion/beta')).toEqual([]);
  });

  it('history that was rewritten pauses the channel', async () => {
    const before = world.git.branches.get('dev') ?? '';
    world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    await world.until('dev runs it', () => runs('dev', '2') === 1);
    world.git.branches.set('dev', before);
    await world.passTime(minutes(20));
    expect(world.stores.channelByName.get('dev')?.pausedReason).toBe('history-rewritten');
  });
});

describe('Git away for an hour', () => {
  it('moves nothing, deletes nothing, raises one problem and heals', async () => {
    world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    await world.until(
      'it is verified',
      () => world.entry('dev')?.verifiedAt !== undefined && runs('dev', '2') === 1,
    );
    await world.passTime(hours(1.5));
    const before = JSON.stringify(
      [...world.stores.runtimeById.values()].map((one) => one.admittedRevisionId),
    );
    world.git.down = true;
    await world.passTime(hours(1));
    expect(world.git.refUpdates).toEqual([]);
    expect(JSON.stringify([...world.stores.runtimeById.values()].map((one) => one.admittedRevisionId))).toBe(
      before,
    );
    expect(world.names.map((name) => world.commitOf(name))).not.toContain(undefined);
    expect(new Set(events('problem.raised').map((one) => one.dedupeKey)).size).toBe(1);
    expect(events('problem.raised')).toHaveLength(1);
    world.git.down = false;
    await world.until('it went on by itself', () => updates('beta').length === 1, hours(2));
    await world.passTime(minutes(10));
    expect(events('problem.resolved')).toHaveLength(1);
    expect(world.stores.repositoryByUrl.get(REPOSITORY)?.problem).toBeUndefined();
  });
});

describe('a branch that somebody deletes', () => {
  it('is told, keeps its channel where it is and nobody else, and heals when it is pushed again', async () => {
    const head = world.git.branches.get('stable') as string;
    world.git.branches.delete('stable');
    world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    await world.until('beta runs it', () => runs('beta', '2') === 2);
    expect(world.stores.repositoryByUrl.get(REPOSITORY)?.problem).toMatchObject({
      type: 'https://fairway.dev/problems/branch-missing',
      detail: expect.stringContaining(`channel stable stays at ${head.slice(0, 12)}`),
      hint: expect.stringContaining(`git push origin ${head}:refs/heads/stable`),
    });
    expect(events('problem.raised')).toHaveLength(1);
    expect(runs('stable', '1')).toBe(2);
    world.git.branches.set('stable', head);
    await world.passTime(minutes(10));
    expect(world.stores.repositoryByUrl.get(REPOSITORY)?.problem).toBeUndefined();
  });
});

describe('soak', () => {
  const soakOfDev = () => world.entry('dev')?.soak?.accumulated ?? 0;
  beforeEach(async () => {
    world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    await world.until(
      'it is verified',
      () => world.entry('dev')?.verifiedAt !== undefined && runs('dev', '2') === 1,
    );
    await world.passTime(hours(1));
  });

  it('counts the time in which no worker was there', async () => {
    const before = soakOfDev();
    world.now += minutes(50);
    await world.pass('dev');
    expect(soakOfDev() - before).toBe(minutes(50));
  });

  it('does not believe one clock that jumps, forwards or backwards', async () => {
    const before = soakOfDev();
    world.skew = hours(72);
    await world.pass('dev');
    expect(soakOfDev()).toBe(before);
    world.now += seconds(30);
    await world.pass('dev');
    expect(soakOfDev()).toBe(before + seconds(30));
    world.skew = -hours(5);
    world.now += seconds(30);
    await world.pass('dev');
    expect(soakOfDev()).toBe(before + seconds(60));
    expect(updates('beta')).toEqual([]);
  });

  it('goes on under another commit of the same content, and begins anew with another content', async () => {
    const before = soakOfDev();
    const verifiedAt = world.entry('dev')?.verifiedAt;
    const commit = world.git.push('dev', { 'README.md': 'words\n' }, 'words only');
    await world.tick(minutes(1));
    await world.passTime(minutes(20));
    expect(world.commitOf('dev')).toBe(commit);
    expect(world.entry('dev')).toMatchObject({ phase: 'soaking', verifiedAt });
    expect(soakOfDev()).toBe(before + minutes(21));
    expect(events('soak.reset')).toEqual([]);
    const conformance = events('conformance.started').filter((one) => one.channel === 'dev').length;
    world.git.push('dev', { 'cluster/app.yaml': 'image: 3\n' }, 'image 3');
    await world.until('dev runs it', () => runs('dev', '3') === 1);
    expect(soakOfDev()).toBeLessThan(minutes(20));
    // Back to the first content: its verdicts are kept, but it was not running in between.
    world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2 again');
    await world.until('dev runs it again', () => runs('dev', '2') === 1);
    await world.passTime(minutes(5));
    expect(soakOfDev()).toBeLessThanOrEqual(minutes(10));
    expect(events('conformance.started').filter((one) => one.channel === 'dev').length).toBeLessThanOrEqual(
      conformance + 1,
    );
  });

  it('is lost by a cluster that was unwell in between, and not by one that joined or left', async () => {
    const before = soakOfDev();
    const joined = world.addCluster('dev', 7);
    await world.tick(minutes(1));
    expect(soakOfDev()).toBeGreaterThan(before);
    await world.until('it converged', () => world.status(joined)?.phase === 'ready', hours(2));
    expect(soakOfDev()).toBeGreaterThan(before + minutes(1));
    const after = soakOfDev();
    world.stores.clusters.delete(joined);
    await world.tick(seconds(10));
    expect(soakOfDev()).toBeGreaterThanOrEqual(after);
    const [first] = world.clustersOf('dev');
    const runtime = world.stores.runtimeById.get(first?.id ?? '') as ClusterRuntime;
    world.setStatus(runtime, { since: world.now });
    await world.tick(seconds(10));
    expect(soakOfDev()).toBe(0);
    expect(events('soak.reset')).toHaveLength(1);
  });
});

describe('rollback', () => {
  const ask = async (name: string, revisionId: string): Promise<string> => {
    const id = `back-${world.now}`;
    world.stores.requestById.set(id, {
      id,
      kind: 'rollback',
      channel: name,
      revisionId,
      by: 'olga',
      reason: 'bad',
      state: 'open',
      createdAt: world.now,
    });
    await world.tick(minutes(1));
    return id;
  };

  it('to what is there already is refused, and changes nothing', async () => {
    const before = world.entry('dev');
    const id = await ask('dev', before?.revisionId ?? '');
    expect(world.stores.requestById.get(id)).toMatchObject({
      state: 'refused',
      message: expect.stringContaining('has the content of'),
    });
    expect(world.entry('dev')?.phase).toBe(before?.phase);
    expect([...world.stores.holdById.values()]).toEqual([]);
    expect(world.git.refUpdates).toEqual([]);
  });
});

describe('what people push', () => {
  it('is held where a merge says one thing and holds another', async () => {
    const good = world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    await world.until('beta runs it', () => runs('beta', '2') === 2);
    // A merge commit of dev into stable whose tree is nobody's: an evil merge.
    world.git.mergeByHand('dev', 'stable');
    world.git.push('stable', { 'cluster/app.yaml': 'image: evil\n' }, `Merge ${good} into stable`);
    await world.passTime(minutes(30));
    expect(world.entry('stable')).toMatchObject({ phase: 'held', admitted: false });
    expect(reasons('stable').join()).toContain('source fail: this content never was in beta');
    expect(runs('stable', '1')).toBe(2);
  });

  it('is let in where a revert brings back what ran there before', async () => {
    world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    await world.until('beta runs it', () => runs('beta', '2') === 2);
    world.git.push('beta', { 'cluster/app.yaml': 'image: 1\n' }, 'Revert "image 2"');
    await world.until('beta runs the old one', () => runs('beta', '1') === 2, hours(3));
    expect(world.entry('beta')).toMatchObject({ admitted: true });
  });

  it('is nothing where the branch is gone; a tag of its name is no branch', async () => {
    const before = world.entry('beta')?.revisionId;
    world.git.branches.delete('beta');
    await world.passTime(hours(2));
    expect(world.entry('beta')?.revisionId).toBe(before);
    expect(runs('beta', '1')).toBe(2);
  });
});

describe('gates that look outside', () => {
  const gated = (gates: string) => policy().replace('soak: 2h', gates);
  const open = () =>
    world.entry('dev')?.reasons.map((one) => `${one.gate} ${one.state}: ${one.message}`) ?? [];

  it('ask checks by themselves, and go by the newest answer', async () => {
    world = await settled(
      gated('soak: 2h, health: { checks: [{ name: errors, promql: "sum(e)", max: 1 }] }, preflight: {}'),
    );
    let answer: { state: 'pass' | 'fail' | 'pending'; message: string } = {
      state: 'pending',
      message: 'no data',
    };
    let asked = 0;
    const probes = { ask: async () => ((asked += 1), answer) };
    Object.assign(world.ports, { probes });
    world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    await world.until('only health is missing', () => open().join() === 'health pending: errors: no data');
    answer = { state: 'fail', message: '7 (at most 1 is well)' };
    await world.passTime(minutes(10));
    expect(open()).toEqual(['health fail: errors: 7 (at most 1 is well)']);
    expect(updates('beta')).toEqual([]);
    answer = { state: 'pass', message: '0' };
    await world.until('beta has it', () => updates('beta').length === 1, hours(2));
    expect(asked).toBeGreaterThan(2);
  });

  it('stay shut while a cluster is in trouble, or would skip a version', async () => {
    world = await settled(gated('soak: 2h, health: {}, preflight: {}'));
    const [first] = world.clustersOf('dev');
    world.git.push('dev', { 'cluster/config-defaults.yaml': 'kubernetes_version: v1.35.0\n' }, 'four minors');
    await world.until(
      'it has soaked',
      () => open().length > 0 && open().every((one) => one.startsWith('preflight')),
    );
    expect(open().join()).toMatch(/preflight fail: version-skew: beta-1: .*1\.31.*1\.35/);
    world.git.push('dev', { 'cluster/config-defaults.yaml': 'kubernetes_version: v1.32.0\n' }, 'one minor');
    const runtime = () => world.stores.runtimeById.get(first?.id ?? '') as ClusterRuntime;
    await world.until('it is verified', () => world.entry('dev')?.verifiedAt !== undefined);
    const problem = {
      type: 'https://fairway.dev/problems/stack-failed',
      title: 'stack failed',
      severity: 'error',
    } as const;
    world.setStatus(runtime(), { problems: [problem] });
    await world.until('health is missing', () => open().join().includes('health fail'));
    expect(open()).toEqual(['health fail: 1 of 1 clusters of dev are in trouble: dev-1 (stack failed)']);
    expect(updates('beta')).toEqual([]);
    world.setStatus(runtime(), { problems: [] });
    await world.until('beta has it', () => updates('beta').length === 1, hours(2));
  });
});
