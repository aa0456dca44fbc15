import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EtcdWay } from './etcd-scope.js';
import { EtcdModel, type StaticIdentity } from './testing/etcd-model.js';

/** xorshift: the same story for the same seed. */
function seeded(seed: number): () => number {
  let state = (seed | 0) + 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
}

interface Story {
  readonly size: number;
  readonly way: EtcdWay;
  readonly identity: StaticIdentity;
  readonly seed: number;
  /** A member dies at this pass; none where negative. */
  readonly deathAt: number;
  readonly crashes: number;
}

function run(story: Story): EtcdModel {
  const random = seeded(story.seed);
  const model = new EtcdModel(story.size, story.way, story.identity, random);
  try {
    for (let pass = 0; pass < 600; pass += 1) {
      if (pass === story.deathAt && model.calm) model.kill(Math.floor(random() * 8));
      const dies = random() < story.crashes;
      const ended = model.pass(dies ? (random() < 0.5 ? 'dies-before' : 'dies-after') : 'lives');
      if (!model.hasQuorum()) throw new Error('no quorum');
      if (ended === 'done' && pass > story.deathAt) return model;
      if (random() < 0.8) model.tick();
    }
  } catch (error) {
    throw new Error(`${JSON.stringify(story)}\n${model.log.slice(-12).join('\n')}`, { cause: error });
  }
  throw new Error(`did not end: ${JSON.stringify(story)}\n${model.log.slice(-12).join('\n')}`);
}

const calm = { identity: 'new', seed: 7, deathAt: -1, crashes: 0 } as const;

describe('planEtcd', () => {
  it.each([
    [1, 'member'],
    [3, 'member'],
    [5, 'member'],
    [3, 'static'],
    [5, 'static'],
  ] as const)('replaces %i machines by %s, one at a time, one change of leader', (size, way) => {
    const model = run({ ...calm, size, way });
    expect(model.finished()).toBe(true);
    expect(model.disruptions).toBe(size);
    expect(model.leaderChanges).toBe(1);
  });

  it('keeps its promises in every story: deaths of members, deaths of the process, both identities', () => {
    fc.assert(
      fc.property(
        fc.record({
          size: fc.constantFrom(3, 5),
          way: fc.constantFrom('member' as const, 'static' as const),
          identity: fc.constantFrom('same' as const, 'new' as const),
          seed: fc.integer({ min: 0, max: 1 << 30 }),
          deathAt: fc.integer({ min: -20, max: 40 }),
          crashes: fc.constantFrom(0, 0.2, 0.5),
        }),
        (story) => {
          const model = run(story);
          expect(model.finished(), model.log.slice(-5).join('\n')).toBe(true);
          if (story.deathAt < 0) expect(model.leaderChanges).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('refuses an even size, a stranger among the learners, and alarms', () => {
    const four = new EtcdModel(4, 'member', 'new', seeded(1));
    four.pass();
    expect(four.log.at(-1)).toMatch(/refused.*4 voters are an even number/);
    const learner = new EtcdModel(3, 'member', 'new', seeded(1));
    (learner.members[2] as { learner: boolean }).learner = true;
    learner.leader = learner.members[0]?.id as string;
    learner.pass();
    expect(learner.log.at(-1)).toMatch(/protect/);
    learner.pass();
    expect(learner.log.at(-1)).toMatch(/refused.*learner that somebody else added/);
    const full = new EtcdModel(3, 'static', 'new', seeded(1));
    full.alarms.push({ memberId: full.members[0]?.id as string, kind: 'NOSPACE' });
    full.pass();
    expect(full.log.at(-1)).toMatch(/refused.*NOSPACE/);
  });

  it('waits for a learner, then tells that it is stuck', () => {
    const model = new EtcdModel(3, 'member', 'new', seeded(3));
    const learner = (): { lag: number } | undefined => model.members.find((member) => member.learner);
    for (let pass = 0; pass < 12 && !learner(); pass += 1) {
      model.pass();
      model.tick();
    }
    expect(learner()).toBeDefined();
    for (let pass = 0; pass < 60; pass += 1) {
      (learner() as { lag: number }).lag = 5_000_000;
      model.pass();
      model.tick();
    }
    expect(model.log.at(-1)).toMatch(/refused.*waiting for learner .* to catch up since 1.m.*entries behind/);
    expect(model.disruptions).toBe(0);
  });

  it('gives a member that is away its time, and touches nobody else meanwhile', () => {
    const model = new EtcdModel(3, 'member', 'new', seeded(5));
    model.kill(1);
    expect(model.pass()).toBe('refused');
    expect(model.log.at(-1)).toMatch(/is unhealthy.*replaced if it is not back within 5m/);
    for (let pass = 0; pass < 14; pass += 1) model.tick();
    expect(model.pass()).toBe('refused');
    model.tick();
    expect(model.pass()).toBe('act');
    expect(model.log.at(-1)).toMatch(/protect/);
    expect(model.pass()).toBe('act');
    expect(model.log.at(-1)).toMatch(/remove-member.*would leave 2 healthy of 2 voters/);
  });
});
