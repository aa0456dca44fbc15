import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hours, minutes, type Instant } from '#kernel';
import type { Channel, GateAnswer, GateReason, Hold, Revision } from '#fleet';
import { channelPolicyOf, gatesFor, PolicyReader, StoredPolicies } from '#engine';
import type { ClusterRuntime } from '#ports';
import type { GateEvaluation } from '#promotion';
import { PromotionWorld, START } from './support/promotion-world.js';

/** What may happen in a fleet, in any order. */
type Deed =
  | { readonly kind: 'wait'; readonly minutes: number }
  | { readonly kind: 'restart'; readonly minutes: number }
  | { readonly kind: 'skew'; readonly hours: number }
  | { readonly kind: 'sick' | 'offline'; readonly cluster: number }
  | {
      readonly kind:
        'hold' | 'release' | 'approve' | 'reject' | 'backup' | 'push' | 'revoke' | 'join' | 'leave';
    };

const deed = fc.oneof<fc.Arbitrary<Deed>[]>(
  fc.record({ kind: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 240 }) }),
  fc.record({ kind: fc.constant('wait' as const), minutes: fc.integer({ min: 30, max: 240 }) }),
  fc.record({ kind: fc.constant('restart' as const), minutes: fc.integer({ min: 1, max: 90 }) }),
  fc.record({ kind: fc.constant('skew' as const), hours: fc.integer({ min: -48, max: 48 }) }),
  fc.record({ kind: fc.constantFrom('sick' as const, 'offline' as const), cluster: fc.nat(2) }),
  fc.record({
    kind: fc.constantFrom(
      'hold',
      'release',
      'approve',
      'reject',
      'backup',
      'push',
      'revoke',
      'join',
      'leave',
    ),
  }) as fc.Arbitrary<Deed>,
);
const rarely = fc.nat(3).map((drawn) => drawn === 0);
const policyText = fc
  .record({
    soak: fc.integer({ min: 0, max: 6 }),
    manual: rarely,
    approvals: rarely,
    backup: rarely,
    conformance: fc.boolean(),
    window: rarely,
  })
  .map(({ soak, manual, approvals, backup, conformance, window }) => {
    const gates = [
      'converged: {}',
      `soak: ${soak}h`,
      ...(conformance ? ['conformance: { suites: [quick] }'] : []),
      ...(approvals ? ['approvals: { required: 1, roles: [approver] }'] : []),
      ...(backup ? ['backup: { maxAge: 12h }'] : []),
      ...(window ? ['windows: [{ days: Mon-Fri, start: "08:00", end: "16:00", tz: Europe/Berlin }]'] : []),
    ];
    const target = `{ name: beta, from: dev, promotion: ${manual ? 'manual' : 'automatic'}, waves: [100%], gates: { ${gates.join(', ')} } }`;
    return `apiVersion: fairway.dev/v1\nchannels:\n- { name: dev, waves: [100%] }\n- ${target}\nsuites: { quick: { expectedMin: 3 } }\n`;
  });

/** True where it interrupted the health of a cluster that counts. */
async function act(world: PromotionWorld, what: Deed, step: number): Promise<boolean> {
  const { stores } = world;
  const revision = stores.revisions.get(world.entry('dev')?.revisionId ?? '');
  const clusters = world.clustersOf('dev');
  switch (what.kind) {
    case 'wait':
      await world.passTime(minutes(what.minutes));
      return false;
    case 'restart':
      // Nobody is there for a while; whoever comes has another clock.
      world.now += minutes(what.minutes);
      return false;
    case 'skew':
      world.skew = hours(what.hours);
      return false;
    case 'sick':
    case 'offline': {
      const runtime = stores.runtimeById.get(
        clusters[what.cluster % clusters.length]?.id ?? '',
      ) as ClusterRuntime;
      if (runtime.status?.phase !== 'ready') return false;
      world.setStatus(runtime, { since: world.now + step });
      return runtime.clusterId in (world.entry('dev')?.soak?.basis ?? {});
    }
    case 'hold': {
      const hold: Hold = {
        id: 'h',
        scope: { kind: 'channel', channel: 'beta' },
        reason: 'r',
        owner: 'o',
        createdAt: 0,
        ...(step % 2 === 0 && { blocks: 'promotion' }),
      };
      stores.holdById.set('h', hold);
      return false;
    }
    case 'release':
      stores.holdById.clear();
      return false;
    case 'approve':
    case 'reject':
      stores.approvalList.push({
        id: String(step),
        channel: 'beta',
        revisionId: '',
        treeDigest: revision?.treeDigest ?? '',
        decision: what.kind,
        by: 'bob',
        roles: ['approver'],
        at: world.now + world.skew,
      });
      return false;
    case 'backup': {
      const answer: GateAnswer = {
        channel: 'beta',
        gate: 'backup',
        name: 'etcd',
        state: 'pass',
        message: 'ok',
        by: 'v',
        at: world.now + world.skew,
      };
      await stores.decisions.saveAnswers([answer]);
      return false;
    }
    case 'push':
      world.git.push('dev', { 'cluster/app.yaml': `image: ${step + 10}\n` }, `image ${step}`);
      return false;
    case 'revoke':
      for (const run of stores.runs.values())
        if (run.state === 'finished' && step % 3 === 0)
          stores.runs.set(run.id, { ...run, verdict: 'fail', reason: 'tests-failed' });
      return false;
    case 'join':
      world.addCluster('dev', 10 + step);
      return false;
    case 'leave':
      if (clusters.length > 1) stores.clusters.delete(clusters.at(-1)?.id ?? '');
      return false;
  }
}

const open = (evaluation: GateEvaluation | undefined): readonly GateReason[] =>
  evaluation?.reasons.filter((one) => one.state !== 'pass') ?? [];

/** The API's judge reads stored policies, the worker's reads Git. */
async function judged(world: PromotionWorld, channel: Channel, revision: Revision) {
  const judge = async (source: StoredPolicies | PolicyReader) => {
    const policy = channelPolicyOf(await source.policyOf(channel), channel);
    return gatesFor(world.ports, channel, policy, revision);
  };
  const api = await judge(new StoredPolicies(world.stores.decisions));
  expect(api).toEqual(await judge(new PolicyReader(world.git)));
  expect(api?.eligible).toBe(open(api).length === 0);
  return api;
}

/** A person asks for the promotion: the executor must do what the API said a moment ago, and say the same where it refuses. */
async function checkExecutor(world: PromotionWorld, revision: Revision, step: number): Promise<void> {
  const channel = world.stores.channelByName.get('beta') as Channel;
  const api = await judged(world, channel, revision);
  const id = `ask-${step}`;
  world.stores.requestById.set(id, {
    id,
    kind: 'promote',
    channel: 'beta',
    revisionId: revision.id,
    by: 'olga',
    reason: 'now',
    state: 'open',
    createdAt: world.now,
  });
  await world.pass('dev');
  const request = world.stores.requestById.get(id);
  expect(request?.state).toBe(api?.eligible === true ? 'done' : 'refused');
  if (api?.eligible !== true)
    expect(request?.message).toBe(
      api === undefined
        ? `${revision.commit.slice(0, 12)} was never in dev`
        : open(api)
            .map((one) => `${one.gate}: ${one.message}`)
            .join('; '),
    );
}

/** What automation does when nobody asks, and what lists show afterwards. */
async function checkAutomation(world: PromotionWorld, revision: Revision): Promise<void> {
  const channel = world.stores.channelByName.get('beta') as Channel;
  const api = await judged(world, channel, revision);
  const before = world.git.refUpdates.length;
  const done = [...world.stores.promotionById.values()].some(
    (one) => one.state === 'done' && one.revisionId === revision.id,
  );
  await world.pass('dev');
  const moved = world.git.refUpdates.length - before;
  if (moved > 0) {
    // What was moved was judged in the same pass, after at most one more step of soak and without any other change.
    const promotion = [...world.stores.promotionById.values()].at(-1);
    expect(promotion).toMatchObject({ state: 'done', revisionId: revision.id });
    expect(promotion?.evidence.every((one) => one.state === 'pass')).toBe(true);
    expect(open(api).filter((one) => one.gate !== 'soak')).toEqual([]);
    expect(api?.manual).toBe(false);
  }
  const must =
    api?.eligible === true && !api.manual && !api.already && !done && channel.pausedReason === undefined;
  if (must && world.git.branches.get('dev') === revision.commit) expect(moved).toBe(1);
  const entry = world.entry('dev');
  if (
    entry?.revisionId === revision.id &&
    (entry.phase === 'eligible' || entry.phase === 'awaiting-approval')
  )
    expect(entry.reasons).toEqual(open(await judged(world, channel, revision)));
}

async function checkAgreement(world: PromotionWorld, step: number): Promise<boolean> {
  const entry = world.entry('dev');
  const revision = entry && world.stores.revisions.get(entry.revisionId);
  if (!world.stores.channelByName.get('beta')?.headCommit || !revision) return false;
  await world.pass('beta');
  const before = world.git.refUpdates.length;
  if (step % 3 === 0) await checkExecutor(world, revision, step);
  else await checkAutomation(world, revision);
  return world.git.refUpdates.length > before;
}

/** The longest that the content can have soaked, by the store's clock, which nobody moves. */
class SoakOracle {
  private content = '';
  private notBefore: Instant = START;
  private looked: Instant = START;

  disturbed(at: Instant): void {
    this.notBefore = at;
  }

  check(world: PromotionWorld): void {
    const entry = world.entry('dev');
    const digest = world.stores.revisions.get(entry?.revisionId ?? '')?.treeDigest ?? '';
    const soak = entry?.soak;
    // It began after the last look at which it had not begun.
    if (digest !== this.content || soak === undefined) this.notBefore = Math.max(this.notBefore, this.looked);
    if (soak === undefined) this.notBefore = world.now;
    this.content = digest;
    this.looked = world.now;
    // Nothing asks for more of it then.
    if (entry?.phase === 'promoted') return;
    expect(soak?.accumulated ?? 0).toBeLessThanOrEqual(world.now - this.notBefore);
  }
}

it('list, API, automation and executor agree, whatever happens, and soak is real', async () => {
  let [checks, fresh, moves] = [0, 0, 0];
  await fc.assert(
    fc.asyncProperty(policyText, fc.array(deed, { minLength: 5, maxLength: 25 }), async (policy, deeds) => {
      const world = new PromotionWorld({ sizes: { dev: 2, beta: 1 }, policy });
      await world.passTime(hours(2));
      world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
      const oracle = new SoakOracle();
      for (const [step, what] of deeds.entries()) {
        oracle.check(world);
        if (await act(world, what, step)) oracle.disturbed(world.now);
        checks += 1;
        if (await checkAgreement(world, step)) fresh += 1;
        oracle.check(world);
      }
      moves += world.git.refUpdates.length;
    }),
    { numRuns: 80, interruptAfterTimeLimit: 25_000 },
  );
  process.stdout.write(
    `  ${checks} situations judged alike four times, ${moves} promotions, ${fresh} of them right after the question\n`,
  );
  // A slow machine sees fewer situations; what it sees must agree all the same.
  if (checks > 800) expect(moves).toBeGreaterThan(5);
});
