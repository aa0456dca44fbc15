import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeReplacement } from './etcd-gate.js';
import { heirOf, replacementOrder } from './etcd-order.js';
import { projectionInWords, projectQuorum, quorumOf } from './etcd-quorum.js';
import type { EtcdScope, EtcdScopeMember } from './etcd-scope.js';

const member = (index: number, more: Partial<EtcdScopeMember> = {}): EtcdScopeMember => ({
  id: String(100 + index),
  name: `m${index}`,
  peerUrls: [`http://10.0.0.${index}:2380`],
  learner: false,
  healthy: true,
  leader: index === 1,
  lag: 0,
  instanceId: `i-${index}`,
  ...more,
});

const scopeOf = (members: readonly EtcdScopeMember[], more: Partial<EtcdScope> = {}): EtcdScope => ({
  members,
  machines: members.map((one, index) => ({
    instanceId: one.instanceId as string,
    group: 'etcd',
    zone: 'abc'[index % 3] as string,
    inService: true,
    leaving: false,
    outdated: true,
    protectedFromScaleIn: true,
    peerUrl: one.peerUrls[0] as string,
  })),
  groups: [
    { name: 'etcd', desired: members.length, maxSize: members.length, rebalances: false, recentFailures: [] },
  ],
  alarms: [],
  ...more,
});

const three = (sick: number): EtcdScopeMember[] => [1, 2, 3].map((n) => member(n, { healthy: n !== sick }));
const POLICY = { way: 'member', maxLag: 1000 } as const;

describe('projectQuorum', () => {
  it.each([
    // voters, unhealthy, target is healthy, change, keeps
    [3, 0, true, 'stop', true],
    [3, 0, true, 'remove', true],
    [3, 1, true, 'stop', false],
    [3, 1, true, 'remove', false],
    [3, 1, false, 'remove', true],
    [3, 1, false, 'stop', true],
    [1, 0, true, 'stop', false],
    [1, 0, true, 'remove', false],
    [2, 0, true, 'remove', true],
    [2, 0, true, 'stop', false],
    [4, 0, true, 'stop', true],
    [4, 1, true, 'stop', false],
    [5, 1, true, 'stop', true],
    [5, 2, true, 'stop', false],
    [5, 2, false, 'remove', true],
    [5, 3, false, 'remove', false],
  ] as const)(
    '%i voters, %i unhealthy, target healthy %s, %s: %s',
    (voters, sick, healthy, change, keeps) => {
      const members = Array.from({ length: voters }, (_, n) => member(n, { healthy: n >= sick }));
      expect(projectQuorum(members, String(100 + (healthy ? sick : 0)), change).keepsQuorum).toBe(keeps);
    },
  );

  it('agrees with counting every set of voters by hand', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ healthy: fc.boolean(), learner: fc.boolean() }), { minLength: 1, maxLength: 8 }),
        fc.nat(7),
        fc.constantFrom('stop' as const, 'remove' as const),
        (flags, at, change) => {
          const members = flags.map((flag, n) => member(n, flag));
          const target = members[at % members.length] as EtcdScopeMember;
          const after = members
            .filter((one) => !(change === 'remove' && one.id === target.id))
            .map((one) => (one.id === target.id ? { ...one, healthy: false } : one))
            .filter((one) => !one.learner);
          expect(projectQuorum(members, target.id, change).keepsQuorum).toBe(someMajorityLives(after));
        },
      ),
    );
  });

  it('knows the size of a quorum', () => {
    expect([1, 2, 3, 4, 5, 7].map(quorumOf)).toEqual([1, 2, 2, 3, 3, 4]);
  });

  it('says what it means', () => {
    expect(projectionInWords(three(2), '101', 'remove')).toBe(
      'removing m1 would leave 1 healthy of 2 voters, quorum is 2: etcd would stop taking writes',
    );
    expect(projectionInWords(three(2), '102', 'remove')).toBe(
      'removing m2 would leave 2 healthy of 2 voters, quorum is 2: not one more may fail',
    );
    expect(projectionInWords(three(0), '101', 'stop')).toContain('taking m1 away would leave 2 healthy of 3');
  });
});

/** Some majority of the voters that consists of healthy ones only: all subsets, one by one. */
function someMajorityLives(voters: readonly EtcdScopeMember[]): boolean {
  for (let set = 0; set < 1 << voters.length; set += 1) {
    const chosen = voters.filter((_, n) => set & (1 << n));
    if (chosen.length * 2 > voters.length && chosen.every((one) => one.healthy)) return true;
  }
  return false;
}

describe('judgeReplacement', () => {
  it('lets only the dead one go while one is dead', () => {
    const scope = scopeOf(three(2));
    expect(judgeReplacement(scope, POLICY, '102')).toEqual({ allowed: true, reasons: [] });
    const other = judgeReplacement(scope, POLICY, '103');
    expect(other.allowed).toBe(false);
    expect(other.reasons.join('\n')).toMatch(/m2 is unhealthy/);
    expect(other.reasons.join('\n')).toMatch(/removing m3 would leave 1 healthy of 2 voters, quorum is 2/);
    expect(other.reasons.join('\n')).toMatch(/only m2 may be replaced now/);
  });

  it('refuses a healthy one of five while one is dead, though quorum would hold', () => {
    const five = [1, 2, 3, 4, 5].map((n) => member(n, { healthy: n !== 4 }));
    expect(judgeReplacement(scopeOf(five), { ...POLICY, way: 'static' }, '102').allowed).toBe(false);
    expect(judgeReplacement(scopeOf(five), { ...POLICY, way: 'static' }, '104').allowed).toBe(true);
  });

  it.each([
    ['a learner', scopeOf([...three(0), member(4, { learner: true, name: '' })]), /68 is a learner/],
    ['NOSPACE', scopeOf(three(0), { alarms: [{ memberId: '102', kind: 'NOSPACE' }] }), /NOSPACE on m2.*full/],
    [
      'CORRUPT',
      scopeOf(three(0), { alarms: [{ memberId: '103', kind: 'CORRUPT' }] }),
      /CORRUPT on m3.*differ/,
    ],
    ['an even size', scopeOf([1, 2, 3, 4].map((n) => member(n))), /4 voters are an even number/],
    ['a laggard', scopeOf([member(1), member(2), member(3, { lag: 5_000 })]), /m3 is 5000 entries behind/],
    ['no leader', scopeOf([1, 2, 3].map((n) => member(n, { leader: false }))), /no member leads/],
    ['a stranger', scopeOf([member(2)]), /there is no member 101/],
  ])('refuses because of %s', (_, scope, says) => {
    const verdict = judgeReplacement(scope, POLICY, '101');
    expect(verdict.allowed).toBe(false);
    expect(verdict.reasons.join('\n')).toMatch(says);
  });
});

describe('order', () => {
  it('takes the leader last, the unhealthy first, zones in turn', () => {
    const five = [1, 2, 3, 4, 5].map((n) => member(n, { healthy: n !== 5 }));
    expect(replacementOrder(scopeOf(five)).map(({ name }) => name)).toEqual(['m5', 'm3', 'm4', 'm2', 'm1']);
  });

  it('gives leadership to one that stays', () => {
    const scope = scopeOf(three(0));
    const machines = scope.machines.map((one) => ({ ...one, outdated: one.instanceId !== 'i-3' }));
    expect(heirOf({ ...scope, machines }, scope.members[0] as EtcdScopeMember)?.name).toBe('m3');
    expect(heirOf(scope, scope.members[0] as EtcdScopeMember)?.name).toBe('m2');
  });
});
