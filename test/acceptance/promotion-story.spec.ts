import { afterAll, describe, expect, it } from 'vitest';
import { formatDuration, hours, minutes } from '#kernel';
import type { ApprovalRecord } from '#fleet';
import { gatesFor, StoredPolicies, channelPolicyOf } from '#engine';
import { PromotionWorld, START } from './support/promotion-world.js';

const POLICY = `apiVersion: fairway.dev/v1
channels:
- { name: dev, promotion: automatic, waves: [100%] }
- name: alpha
  from: dev
  waves: [1, 100%]
  gates: { converged: {}, conformance: { suites: [quick, statefulset] }, soak: 2h }
- name: beta
  from: alpha
  waves: [1, 10%, 50%, 100%]
  maxUnavailable: 5%
  failureBudget: 2
  gates:
    converged: {}
    conformance: { suites: [quick] }
    soak: 24h
    windows: [{ days: Mon-Thu, start: "08:00", end: "16:00", tz: Europe/Berlin }]
- name: stable
  from: beta
  promotion: manual
  waves: [1, 100%]
  gates:
    converged: { coverage: 95%, maxOffline: 2 }
    soak: 72h
    approvals: { required: 1, roles: [approver], authorMayApprove: false }
    backup: { maxAge: 24h }
suites:
  quick: { focus: 'Pods', expectedMin: 3 }
  statefulset: { focus: 'StatefulSet', expectedMin: 3 }
`;
const SIZES = { dev: 1, alpha: 3, beta: 75, stable: 5 };
const APP = 'cluster/app.yaml';
const figures: string[] = [];
const started = performance.now();

/** A world whose 84 clusters run the first content. */
async function settledWorld(): Promise<PromotionWorld> {
  const world = new PromotionWorld({ sizes: SIZES, policy: POLICY });
  await world.until('everybody runs the first content', () =>
    world.names.every(
      (name) => world.running(name, 'cluster/app.yaml', 'image: 1\n') === world.clustersOf(name).length,
    ),
  );
  return world;
}

async function judge(world: PromotionWorld, name: string) {
  const channel = world.stores.channelByName.get(name);
  const source = world.entry(channel?.from ?? '');
  const revision = source && world.stores.revisions.get(source.revisionId);
  if (!channel || !revision) throw new Error(`nothing before ${name}`);
  const policy = channelPolicyOf(await new StoredPolicies(world.stores.decisions).policyOf(channel), channel);
  return { channel, revision, evaluation: await gatesFor(world.ports, channel, policy, revision) };
}

async function approve(world: PromotionWorld, name: string): Promise<void> {
  const { revision, evaluation } = await judge(world, name);
  const approval: ApprovalRecord = {
    id: `approval-${world.now}`,
    channel: name,
    revisionId: revision.id,
    treeDigest: revision.treeDigest,
    evidenceDigest: evaluation?.evidenceDigest ?? '',
    decision: 'approve',
    by: 'bob',
    roles: ['approver'],
    at: world.now,
  };
  await world.stores.decisions.addApproval(approval, eventOf(world, name, 'approval.approved'));
}

async function ask(
  world: PromotionWorld,
  kind: 'promote' | 'rollback',
  channel: string,
  revisionId: string,
): Promise<string> {
  const id = `request-${world.now}`;
  const request = {
    id,
    kind,
    channel,
    revisionId,
    by: 'olga',
    reason: 'because',
    state: 'open',
    createdAt: world.now,
  } as const;
  await world.stores.decisions.addRequest(request, eventOf(world, channel, `${kind}.requested`));
  return id;
}

const eventOf = (world: PromotionWorld, channel: string, type: string) =>
  ({
    type,
    at: world.now,
    severity: 'info',
    subject: `channel/${channel}`,
    channel,
    message: type,
    data: {},
  }) as const;

/** Every cluster has a backup policy; from now on a fresh backup, too. */
const backUp = (world: PromotionWorld, at?: number): void => {
  for (const { id } of world.clustersOf('stable')) world.backedUpAt.set(id, at);
};

const updatesOf = (world: PromotionWorld, branch: string) =>
  world.git.refUpdates.filter((one) => one.branch === branch);
/** Clusters that were admitted to a commit of the channel. */
const touched = (world: PromotionWorld, name: string, commit: string): readonly string[] =>
  world.clustersOf(name).flatMap((cluster) => {
    const id = world.stores.runtimeById.get(cluster.id)?.admittedRevisionId ?? '';
    return world.stores.revisions.get(id)?.commit === commit ? [cluster.alias] : [];
  });

describe('the story of 84 clusters', () => {
  afterAll(() => {
    figures.push(`wall time ${((performance.now() - started) / 1000).toFixed(1)} s`);
    process.stdout.write(`\n${figures.map((line) => `  ${line}`).join('\n')}\n`);
  });

  it('brings a good commit to stable with every gate honoured', async () => {
    const world = await settledWorld();
    backUp(world);
    const begun = world.now;
    const commit = world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
    await world.until('alpha gets it', () => updatesOf(world, 'alpha').length === 1);
    const soaked = (name: string) => world.entry(name)?.soak?.accumulated ?? 0;
    expect(soaked('dev')).toBeGreaterThanOrEqual(hours(2));
    await world.until('beta gets it', () => updatesOf(world, 'beta').length === 1);
    expect(soaked('alpha')).toBeGreaterThanOrEqual(hours(24));
    const berlin = new Intl.DateTimeFormat('en-GB', {
      timeZone: 'Europe/Berlin',
      weekday: 'short',
      hour: '2-digit',
      hour12: false,
    });
    const [weekday, hour] = berlin.format(updatesOf(world, 'beta')[0]?.at).split(', ');
    expect(['Mon', 'Tue', 'Wed', 'Thu']).toContain(weekday);
    expect(Number(hour)).toBeGreaterThanOrEqual(8);
    expect(Number(hour)).toBeLessThan(16);
    await world.until('beta soaked', () => (world.entry('beta')?.soak?.accumulated ?? 0) >= hours(72));
    // Nobody has approved, no backup was reported, nobody has asked: stable does not move.
    await world.passTime(hours(12));
    expect(updatesOf(world, 'stable')).toEqual([]);
    expect(
      (await judge(world, 'stable')).evaluation?.reasons
        .filter((one) => one.state !== 'pass')
        .map((one) => one.gate),
    ).toEqual(['backup', 'approvals']);
    const closed = (await judge(world, 'stable')).evaluation?.reasons.find((one) => one.gate === 'backup');
    expect(closed?.message).toContain('5 of 5 clusters of stable have no fresh backup');
    backUp(world, world.now);
    await approve(world, 'stable');
    await world.passTime(hours(1));
    expect(world.entry('beta')?.phase).toBe('awaiting-approval');
    expect(updatesOf(world, 'stable')).toEqual([]);
    const request = await ask(world, 'promote', 'stable', world.entry('beta')?.revisionId ?? '');
    await world.until(
      'stable runs it',
      () => world.running('stable', 'cluster/app.yaml', 'image: 2\n') === 5,
    );
    expect(world.stores.requestById.get(request)).toMatchObject({ state: 'done' });
    expect(world.git.branches.get('stable')).toBe(commit);
    for (const name of world.names) {
      expect(world.running(name, 'cluster/app.yaml', 'image: 2\n')).toBe(world.clustersOf(name).length);
    }
    figures.push(
      `good commit: dev → stable in ${formatDuration(world.now - begun)} of virtual time, ${world.passes} channel passes`,
    );
    for (const name of ['dev', 'alpha', 'beta']) {
      const entry = world.entry(name);
      const lead = (entry?.promotedAt ?? 0) - (entry?.enteredAt ?? 0);
      expect(entry?.phase).toBe('promoted');
      figures.push(
        `lead time in ${name}: ${formatDuration(lead)} (waves ${entry?.wave}/${entry?.waves}, ${world.clustersOf(name).length} clusters)`,
      );
    }
    expect(world.stores.events.filter((one) => one.type === 'promotion.done')).toHaveLength(3);
  });

  it('takes the same time however time is cut', async () => {
    const leads = async (longestStep: number): Promise<readonly number[]> => {
      const world = new PromotionWorld({ sizes: { dev: 1, alpha: 2, beta: 3, stable: 1 }, policy: POLICY });
      world.longestStep = longestStep;
      await world.until('beta runs the first content', () => world.running('beta', APP, 'image: 1\n') === 3);
      await world.passTime(START + hours(24) - world.now);
      world.git.push('dev', { [APP]: 'image: 2\n' }, 'image 2');
      await world.until(
        'beta has soaked',
        () => world.entry('beta')?.phase === 'awaiting-approval' || world.entry('beta')?.phase === 'eligible',
      );
      return ['dev', 'alpha', 'beta'].map((name) => {
        const { promotedAt, verifiedAt = 0, enteredAt = 0 } = world.entry(name) ?? {};
        return (promotedAt ?? verifiedAt) - enteredAt;
      });
    };
    const [coarse, fine] = [await leads(hours(4)), await leads(minutes(47))];
    expect(fine).toEqual(coarse);
    figures.push(
      `lead times by steps of 4h and of 47m alike: ${coarse.map((one) => formatDuration(one)).join(', ')}`,
    );
  });

  it('stops a commit that breaks conformance in dev', async () => {
    const world = await settledWorld();
    const commit = world.git.push('dev', { 'cluster/conformance.yaml': 'broken\n' }, 'breaks DNS');
    await world.until(
      'dev failed',
      () => world.commitOf('dev') === commit && world.entry('dev')?.phase === 'failed',
    );
    const said = world.stores.events.find((one) => one.type === 'revision.failed');
    expect(said?.message).toContain('[sig-network] DNS should resolve');
    await world.passTime(hours(48));
    expect(world.git.refUpdates).toEqual([]);
    expect(touched(world, 'alpha', commit)).toEqual([]);
    figures.push(
      `conformance-breaking commit: stopped in dev, 1 of 84 clusters touched, named "${said?.message.slice(0, 70)}…"`,
    );
  });

  it('stops a commit that breaks clusters of beta within the budget, and rolls all back', async () => {
    const world = await settledWorld();
    const clusters = world.clustersOf('beta');
    // The third cluster of the order and all after it.
    const order = (await import('#promotion')).rolloutOrder(
      clusters.map((cluster) => ({
        ...cluster,
        criticality: cluster.criticalityLevel,
        canary: false,
        phase: 'ready' as const,
        onRevision: false,
        healthy: true,
        since: 0,
        unreachable: false,
      })),
    );
    const poisoned = order.slice(2).map((one) => one.alias);
    const good = world.commitOf('beta');
    const bad = world.git.push(
      'dev',
      { 'cluster/poison.yaml': poisoned.join('\n') },
      'breaks the third cluster of beta',
    );
    await world.until(
      'beta paused',
      () => world.stores.channelByName.get('beta')?.pausedReason !== undefined,
    );
    const broken = () => clusters.filter((cluster) => world.status(cluster.id)?.phase === 'failed').length;
    const moved = touched(world, 'beta', bad);
    expect(broken()).toBeLessThanOrEqual(2);
    expect(broken()).toBeGreaterThan(0);
    await world.passTime(hours(24));
    expect(touched(world, 'beta', bad)).toEqual(moved);
    expect(updatesOf(world, 'stable')).toEqual([]);
    const [brokenBefore, at] = [broken(), world.now];
    const back = world.stores.entries
      .get('beta')
      ?.find((one) => world.stores.revisions.get(one.revisionId)?.commit === good);
    await ask(world, 'rollback', 'beta', back?.revisionId ?? '');
    await world.until(
      'beta is well again',
      () =>
        broken() === 0 &&
        clusters.every((one) => world.status(one.id)?.phase === 'ready') &&
        touched(world, 'beta', bad).length === 0,
    );
    figures.push(
      `beta-breaking commit: ${moved.length} of 75 touched, ${brokenBefore} broken (budget 2), channel paused itself; rollback brought all 75 back in ${formatDuration(world.now - at)}`,
    );
    expect(moved.length).toBeLessThanOrEqual(2 + 2);
    expect(world.git.refUpdates.filter((one) => one.branch === 'beta')).toHaveLength(2);
    expect([...world.stores.holdById.values()]).toMatchObject([
      { blocks: 'promotion', scope: { channel: 'beta' } },
    ]);
    // Automation does not bring it in again, not even without the hold.
    world.stores.holdById.clear();
    await world.passTime(hours(72));
    expect(world.git.refUpdates.filter((one) => one.branch === 'beta')).toHaveLength(2);
    expect(world.stores.entries.get('beta')?.map((one) => one.phase)).toContain('rolled-back');
  });
});
