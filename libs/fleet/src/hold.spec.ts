import { describe, expect, it } from 'vitest';
import { admissionHoldsOn, holdsOn, type Hold } from './hold.js';

const hold = (id: string, scope: Hold['scope'], more: Partial<Hold> = {}): Hold => ({
  id,
  scope,
  reason: 'x',
  owner: 'ada',
  createdAt: 0,
  ...more,
});
const ALL: readonly Hold[] = [
  hold('fleet', { kind: 'fleet' }),
  hold('dev', { kind: 'channel', channel: 'dev' }),
  hold('beta', { kind: 'channel', channel: 'beta' }),
  hold('one', { kind: 'cluster', clusterId: 'one' }),
  hold('two', { kind: 'cluster', clusterId: 'two' }),
  hold('pool of one', { kind: 'pool', clusterId: 'one', pool: 'workers' }),
  hold('pool of two', { kind: 'pool', clusterId: 'two', pool: 'workers' }),
  hold('over', { kind: 'fleet' }, { expiresAt: 10 }),
  hold('after a rollback', { kind: 'channel', channel: 'dev' }, { blocks: 'promotion' }),
];
const ids = (holds: readonly Hold[]): readonly string[] => holds.map(({ id }) => id);

describe('the holds on a cluster', () => {
  const one = { channel: 'dev', clusterId: 'one' };

  it('are its own and those of its channel and the fleet, as long as they last', () => {
    expect(ids(holdsOn(ALL, one, 10))).toEqual(['fleet', 'dev', 'one']);
    expect(ids(holdsOn(ALL, one, 9))).toEqual(['fleet', 'dev', 'one', 'over']);
  });

  it('are those of its pools too for who rolls them', () => {
    expect(ids(holdsOn(ALL, { ...one, withPools: true }, 10))).toEqual([
      'fleet',
      'dev',
      'one',
      'pool of one',
    ]);
  });

  it('keep newer revisions out where they stop promotion only', () => {
    expect(ids(admissionHoldsOn(ALL, one, 10))).toEqual(['fleet', 'dev', 'one', 'after a rollback']);
  });
});
