import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hours, minutes } from '#kernel';
import type { GateAnswer, Hold } from '#fleet';
import { channelPolicyOf, gatesFor, PolicyReader, StoredPolicies } from '#engine';
import type { ClusterRuntime } from '#ports';
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

async function act(world: PromotionWorld, what: Deed, step: number): Promise<void> {
  const { stores } = world;
  const revision = stores.revisions.get(world.entry('dev')?.revisionId ?? '');
  const clusters = world.clustersOf('dev');
  switch (what.kind) {
    case 'wait':
      return world.passTime(minutes(what.minutes));
    case 'restart':
      // Nobody is there for a while; whoever comes has another clock.
      world.now += minutes(what.minutes);
      return;
    case 'skew':
      world.skew = hours(what.hours);
      return;
    case 'sick':
    case 'offline': {
      const runtime = stores.runtimeById.get(
        clusters[what.cluster % clusters.length]?.id ?? '',
      ) as ClusterRuntime;
      if (runtime.status?.phase === 'ready') world.setStatus(runtime, { since: world.now + step });
      return;
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
      return void stores.holdById.set('h', hold);
    }
    case 'release':
      return void stores.holdById.clear();
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
      return;
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
      return stores.decisions.saveAnswers([answer]);
    }
    case 'push':
      world.git.push('dev', { 'cluster/app.yaml': `image: ${step + 10}\n` }, `image ${step}`);
      return;
    case 'revoke':
      for (const run of stores.runs.values())
        if (run.state === 'finished' && step % 3 === 0)
          stores.runs.set(run.id, { ...run, verdict: 'fail', reason: 'tests-failed' });
      return;
    case 'join':
      world.addCluster('dev', 10 + step);
      return;
    case 'leave':
      if (clusters.length > 1) stores.clusters.delete(clusters.at(-1)?.id ?? '');
      return;
  }
}

/** The same question to the API's judge, the worker's, and what the worker then does. */
async function checkAgreement(world: PromotionWorld): Promise<boolean> {
  const channel = world.stores.channelByName.get('beta');
  const entry = world.entry('dev');
  const revision = entry && world.stores.revisions.get(entry.revisionId);
  if (!channel?.headCommit || !revision) return false;
  const judge = async (source: StoredPolicies | PolicyReader) => {
    const policy = channelPolicyOf(await source.policyOf(channel), channel);
    return gatesFor(world.ports, channel, policy, revision);
  };
  await world.pass('beta');
  const [api, worker] = [
    await judge(new StoredPolicies(world.stores.decisions)),
    await judge(new PolicyReader(world.git)),
  ];
  expect(api).toEqual(worker);
  const shown = api?.reasons.filter((one) => one.state !== 'pass') ?? [];
  expect(api?.eligible).toBe(shown.length === 0);
  const [before, done] = [
    world.git.refUpdates.length,
    [...world.stores.promotionById.values()].some(
      (one) => one.state === 'done' && one.revisionId === revision.id,
    ),
  ];
  await world.pass('dev');
  const moved = world.git.refUpdates.length - before;
  if (moved > 0) {
    // What was moved was judged in the same pass, after at most one more step of soak and without any other change.
    const promotion = [...world.stores.promotionById.values()].at(-1);
    expect(promotion).toMatchObject({ state: 'done', revisionId: revision.id });
    expect(promotion?.evidence.every((one) => one.state === 'pass')).toBe(true);
    const others = shown.filter((one) => one.gate !== 'soak');
    expect(others).toEqual([]);
  }
  const must =
    api?.eligible === true && !api.manual && !api.already && !done && channel.pausedReason === undefined;
  if (must && world.git.branches.get('dev') === revision.commit) expect(moved).toBe(1);
  return moved > 0;
}

it('list, API, automation and executor agree, whatever happens, and soak is real', async () => {
  let [checks, fresh, moves] = [0, 0, 0];
  await fc.assert(
    fc.asyncProperty(policyText, fc.array(deed, { minLength: 5, maxLength: 25 }), async (policy, deeds) => {
      const world = new PromotionWorld({ sizes: { dev: 2, beta: 1 }, policy });
      await world.passTime(hours(2));
      world.git.push('dev', { 'cluster/app.yaml': 'image: 2\n' }, 'image 2');
      for (const [step, what] of deeds.entries()) {
        await act(world, what, step);
        checks += 1;
        if (await checkAgreement(world)) fresh += 1;
        // By the store's clock, which nobody moves: never more soak than time.
        const soaked = world.entry('dev')?.soak?.accumulated ?? 0;
        expect(soaked).toBeLessThanOrEqual(world.now - START);
      }
      moves += world.git.refUpdates.length;
    }),
    { numRuns: 100, interruptAfterTimeLimit: 40_000 },
  );
  process.stdout.write(
    `  ${checks} situations judged alike four times, ${moves} promotions, ${fresh} of them right after the question\n`,
  );
  expect(moves).toBeGreaterThan(5);
});
