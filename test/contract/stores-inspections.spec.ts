import { afterAll, beforeAll, expect, it } from 'vitest';
import { minutes } from '#kernel';
import type { Inspection } from '#fleet';
import { startTestApi, type TestApi } from '../support/api.js';
import { wireAccount, wireCluster } from '../support/wire-records.js';

let api: TestApi;
let clusterId: string;
beforeAll(async () => {
  api = await startTestApi();
  await api.send('POST', '/infrastructure-accounts', { body: wireAccount() });
  const cluster = wireCluster('kube-1');
  await api.send('POST', '/kubernetes-clusters', { body: cluster });
  clusterId = String(cluster['id']);
});
afterAll(() => api.close());

const asked = (id: string, more: Partial<Inspection> = {}): Inspection => ({
  id,
  clusterId,
  kind: 'doctor',
  actor: 'ada',
  requestedAt: api.running.runtime.clock.now(),
  ...more,
});
const report = { clusterId: 'c', at: 1, verdict: 'ok', checks: [], findings: [] } as const;

it('joins those who ask for the same at the same time, and keeps what a worker found', async () => {
  const { inspections, leases, clock } = api.running.runtime;
  const first = await inspections.requestInspection(asked('i-1'));
  expect((await inspections.requestInspection(asked('i-2'))).id).toBe('i-1');
  const plan = { kind: 'upgrade-plan', target: '1.33' } as const;
  expect((await inspections.requestInspection(asked('i-3', plan))).id).toBe('i-3');
  expect((await inspections.requestInspection(asked('i-4', { ...plan, target: '1.34' }))).id).toBe('i-4');
  expect((await inspections.openInspections(10)).map(({ id }) => id).sort()).toEqual(['i-1', 'i-3', 'i-4']);
  const lease = await leases.acquire('inspection/i-1', minutes(1));
  if (!lease) throw new Error('no lease');
  const stale = { ...lease, token: lease.token - 1 };
  await expect(inspections.settleInspection(stale, 'i-1', { report }, clock.now())).rejects.toMatchObject({
    failure: { code: 'lease-lost' },
  });
  await inspections.settleInspection(lease, 'i-1', { report }, clock.now());
  expect(await inspections.getInspection('i-1')).toMatchObject({ ...first, report });
  expect((await inspections.latestInspection(clusterId, 'doctor'))?.id).toBe('i-1');
  expect(await inspections.latestInspection(clusterId, 'upgrade-plan')).toBeUndefined();
  const failure = { class: 'denied', code: 'no', message: 'no' } as const;
  await inspections.settleInspection(lease, 'i-3', { failure }, clock.now());
  expect(await inspections.getInspection('i-3')).toMatchObject({ failure });
  expect(await inspections.latestInspection(clusterId, 'upgrade-plan')).toBeUndefined();
});

it('keeps twenty of a kind', async () => {
  const { inspections, leases, clock } = api.running.runtime;
  const lease = await leases.acquire('inspection/many', minutes(1));
  if (!lease) throw new Error('no lease');
  for (let number = 0; number < 22; number += 1) {
    const id = `many-${number}`;
    await inspections.requestInspection(asked(id, { requestedAt: clock.now() + number }));
    await inspections.settleInspection(lease, id, { report }, clock.now() + number);
  }
  expect(await inspections.getInspection('many-1')).toBeUndefined();
  expect(await inspections.getInspection('many-2')).toBeDefined();
  expect((await inspections.latestInspection(clusterId, 'doctor'))?.id).toBe('many-21');
});

it('is asked for and shown by HTTP; a viewer may', async () => {
  const token = await api.tokenFor('viewer');
  const path = `/api/v1/clusters/${encodeURIComponent(clusterId)}`;
  const made = await api.send('POST', `${path}/doctor`, { body: {}, token });
  expect([made.status, made.body]).toEqual([
    202,
    expect.objectContaining({ state: 'pending', kind: 'doctor' }),
  ]);
  const { id } = made.body as { id: string };
  expect((await api.send('GET', `${path}/doctor/${id}`, { token })).body).toMatchObject({ state: 'pending' });
  expect((await api.send('GET', `${path}/upgrade-plan/${id}`, { token })).status).toBe(404);
  expect((await api.send('GET', `${path}/doctor`, { token })).body).toMatchObject({
    state: 'finished',
    report: { verdict: 'ok' },
  });
  expect((await api.send('GET', `${path}/upgrade-plan`, { token })).status).toBe(404);
  const wrong = await api.send('POST', `${path}/upgrade-plan`, { body: { to: 'latest' } });
  expect(wrong.status).toBe(400);
  expect((await api.send('POST', '/api/v1/clusters/nobody/doctor', { body: {} })).status).toBe(404);
});
