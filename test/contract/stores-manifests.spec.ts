import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minutes } from '#kernel';
import type { DriftFinding } from '#fleet';
import type { PostgresStores } from '#adapters/postgres';
import { freshStores } from '../support/database.js';
import { account, cluster } from '../support/records.js';

describe('findings and requests about manifests', () => {
  let stores: PostgresStores & { drop(): Promise<void> };
  const id = cluster('kube-1').id;
  beforeAll(async () => {
    stores = await freshStores();
    await stores.registry.createAccount(account(), { actor: 'test' });
    await stores.registry.createCluster(cluster('kube-1'), { actor: 'test' });
  });
  afterAll(() => stores.drop());

  const finding = (path: string, over: Partial<DriftFinding> = {}): DriftFinding => ({
    ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' },
    component: 'web',
    path,
    segments: ['spec', { key: 'name', value: 'main' }, 0],
    change: 'change',
    before: '1',
    after: '2',
    manager: 'kubectl-edit',
    managedSince: 1_000,
    state: 'open',
    basis: 'sha256:1',
    firstSeen: 2_000,
    lastSeen: 3_000,
    corrections: [2_500],
    ...over,
  });

  it('keeps exactly the findings of the last look', async () => {
    const lease = await stores.leases.acquire(`cluster/${id}`, minutes(1));
    if (!lease) throw new Error('no lease');
    const { manager: _manager, managedSince: _since, before: _before, ...bare } = finding('');
    await stores.updates.recordDrift(lease, id, [finding('spec.a'), bare]);
    expect(await stores.updates.driftFindings(id)).toEqual([bare, finding('spec.a')]);
    await stores.updates.recordDrift(lease, id, [finding('spec.a', { state: 'accepted' })]);
    expect(await stores.updates.driftFindings(id)).toEqual([finding('spec.a', { state: 'accepted' })]);
    const state = {
      digest: 'sha256:abc' as const,
      decidedAt: 5_000,
      confirmable: 1,
      kept: [{ ref: finding('').ref, component: 'web', uid: 'u', code: 'c', reason: 'r', remedy: 'm' }],
    };
    await stores.updates.recordPruneState(lease, id, state);
    expect(await stores.updates.pruneState(id)).toEqual(state);
    await stores.updates.recordPruneState(lease, id, undefined);
    expect(await stores.updates.pruneState(id)).toBeUndefined();
    await stores.leases.release(lease);
  });

  it('a request makes its cluster due, is audited, and is open until it is settled', async () => {
    const request = {
      id: 'r1',
      clusterId: id,
      kind: 'confirm-prune',
      digest: 'sha256:abc',
      actor: 'ann',
      reason: 'meant',
      requestedAt: 10_000,
    } as const;
    await stores.updates.requestManifests(request);
    expect(await stores.updates.openManifestRequests(id)).toEqual([request]);
    expect((await stores.updates.runtime(id))?.nextDueAt).toBeLessThanOrEqual(10_000);
    const lease = await stores.leases.acquire(`cluster/${id}`, minutes(1));
    if (!lease) throw new Error('no lease');
    await stores.updates.settleManifestRequests(lease, ['r1'], 'done', 11_000);
    expect(await stores.updates.openManifestRequests(id)).toEqual([]);
    await stores.leases.release(lease);
  });

  it('refuses a holder whose lease is lost', async () => {
    const lease = await stores.leases.acquire('cluster/stale', minutes(1));
    if (!lease) throw new Error('no lease');
    await stores.leases.release(lease);
    const writes = [
      () => stores.updates.recordDrift(lease, id, []),
      () => stores.updates.recordPruneState(lease, id, undefined),
      () => stores.updates.settleManifestRequests(lease, ['r1'], 'done', 1),
    ];
    for (const write of writes)
      await expect(write()).rejects.toMatchObject({ failure: { class: 'conflict', code: 'lease-lost' } });
  });
});
