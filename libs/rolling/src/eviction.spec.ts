import { seconds } from '#kernel';
import { describe, expect, it } from 'vitest';
import type { EvictAction, EvictionReply } from './action.js';
import { observeEviction } from './eviction.js';
import { newRollMemory } from './memory.js';

const NOW = 1_000_000;
const action: EvictAction = {
  kind: 'evict',
  pool: 'workers',
  key: 'apps/web/u1',
  reason: 'drain',
  namespace: 'apps',
  name: 'web',
  uid: 'u1',
  node: 'n1',
  instance: 'i-1',
  pdb: 'apps/web',
};

describe('observeEviction', () => {
  it.each<[EvictionReply, string, readonly number[]]>([
    [{ kind: 'blocked-by-pdb', message: 'm' }, 'pdb:apps/web', [5, 7.5, 11.25]],
    [{ kind: 'blocked-by-pdb', message: 'm', retryAfterMs: 10_000 }, 'pdb:apps/web', [10, 15, 22.5]],
    [{ kind: 'throttled', retryAfterMs: 3_000 }, 'pod:u1', [3, 3, 3]],
    [{ kind: 'several-pdbs', message: 'm' }, 'pod:u1', [60, 60]],
    [{ kind: 'namespace-terminating', message: 'm' }, 'pod:u1', [5, 5]],
    [{ kind: 'forbidden-with-pdb', message: 'm' }, 'pdb:apps/web', [30, 30]],
    [{ kind: 'webhook-denied', message: 'm' }, 'pod:u1', [5, 7.5]],
    [{ kind: 'transient', message: 'm' }, 'pod:u1', [1, 2, 4, 8, 16, 30, 30]],
  ])('backs off as the table says: %o', (answer, key, waits) => {
    let memory = newRollMemory('u');
    for (const wait of waits) {
      memory = observeEviction(memory, action, answer, NOW);
      expect(memory.evictions[key]?.nextAt).toBe(NOW + seconds(wait));
    }
    expect(memory.evictions[key]?.attempts).toBe(waits.length);
  });

  it('caps the wait for a PDB at a minute', () => {
    let memory = newRollMemory('u');
    for (let i = 0; i < 20; i += 1)
      memory = observeEviction(memory, action, { kind: 'blocked-by-pdb', message: '' }, NOW);
    expect(memory.evictions['pdb:apps/web']?.intervalMs).toBe(seconds(60));
  });

  it('forgets the wait for the PDB when an eviction is accepted', () => {
    const blocked = observeEviction(newRollMemory('u'), action, { kind: 'blocked-by-pdb', message: '' }, NOW);
    const after = observeEviction(blocked, action, { kind: 'accepted' }, NOW + 1);
    expect(after.evictions['pdb:apps/web']).toBeUndefined();
    expect(after.evictions['pod:u1']?.kind).toBe('accepted');
  });

  it('begins anew when the answer is another one, and keeps the time of the first', () => {
    const first = observeEviction(newRollMemory('u'), action, { kind: 'transient', message: 'a' }, NOW);
    const second = observeEviction(first, action, { kind: 'transient', message: 'b' }, NOW + 1000);
    const third = observeEviction(second, action, { kind: 'webhook-denied', message: 'c' }, NOW + 2000);
    expect(second.evictions['pod:u1']).toMatchObject({ attempts: 2, firstAt: NOW });
    expect(third.evictions['pod:u1']).toMatchObject({ attempts: 1, firstAt: NOW + 2000 });
  });
});
