import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minutes } from '#kernel';
import { startTestApi, type TestApi } from '../support/api.js';
import { wireAccount, wireCluster } from '../support/wire-records.js';

describe('the API of rolls', () => {
  let api: TestApi;
  let path: string;
  beforeAll(async () => {
    api = await startTestApi();
    await api.send('POST', '/infrastructure-accounts', { body: wireAccount() });
    const cluster = wireCluster('kube-1');
    const made = await api.send('POST', '/kubernetes-clusters', { body: cluster });
    expect(made.status, made.text).toBeLessThan(300);
    path = `/api/v1/clusters/${encodeURIComponent(String((made.body as { id?: unknown }).id ?? cluster['id']))}/roll`;
  });
  afterAll(() => api.close());

  it('shows a cluster that has not rolled yet, and has no plan of it', async () => {
    const status = await api.send('GET', path);
    expect(status.status).toBe(200);
    expect(status.body).toMatchObject({ nodes: [], pools: [], paused: [], requests: [] });
    expect((await api.send('GET', `${path}/plan`)).status).toBe(404);
  });

  it('pauses pools once, with a reason, and says who', async () => {
    expect((await api.send('POST', `${path}/pause`, { body: {} })).status).toBe(400);
    expect((await api.send('POST', `${path}/pause`, { body: { reason: 'x', pool: 'none' } })).status).toBe(
      400,
    );
    const first = await api.send('POST', `${path}/pause`, { body: { reason: 'peak hours' } });
    expect(first.status).toBe(201);
    const again = await api.send('POST', `${path}/pause`, { body: { reason: 'again' } });
    expect(again.body).toEqual(first.body);
  });

  it('refuses to act on a roll that is not there, and to let a viewer act at all', async () => {
    const wish = { body: { reason: 'wrong image' } };
    expect((await api.send('POST', `${path}/abort`, wish)).status).toBe(409);
    const token = await api.tokenFor('viewer');
    expect((await api.send('POST', `${path}/abort`, { ...wish, token })).status).toBe(403);
    expect((await api.send('GET', path, { token })).status).toBe(200);
  });

  it('keeps requests until a worker settles them under its lease, with an audit row', async () => {
    const { updates, leases, clock } = api.running.runtime;
    const [clusterId] = path.split('/').slice(4, 5).map(decodeURIComponent) as [string];
    const wish = {
      id: 'r-1',
      clusterId,
      kind: 'abort',
      updateId: 'u-1',
      actor: 'ada',
      reason: 'wrong image',
      requestedAt: clock.now(),
    } as const;
    await updates.requestRoll(wish);
    expect(await updates.openRollRequests(clusterId)).toEqual([wish]);
    const shown = await api.send('GET', path);
    expect(shown.body).toMatchObject({ requests: [{ kind: 'abort', actor: 'ada' }] });
    const lease = await leases.acquire(`cluster/${clusterId}`, minutes(1));
    if (!lease) throw new Error('no lease');
    await expect(
      updates.settleRollRequests({ ...lease, token: lease.token - 1 }, ['r-1'], 'applied', clock.now()),
    ).rejects.toMatchObject({ failure: { code: 'lease-lost' } });
    await updates.settleRollRequests(lease, ['r-1'], 'applied', clock.now());
    expect(await updates.openRollRequests(clusterId)).toEqual([]);
  });
});
