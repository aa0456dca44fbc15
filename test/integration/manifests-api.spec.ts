import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minutes, systemClock } from '#kernel';
import { createPostgresStores, type PostgresStores } from '#adapters/postgres';
import { startTestApi, type TestApi } from '../support/api.js';
import { account, cluster } from '../support/records.js';

const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' };
const DIGEST = `sha256:${'a'.repeat(64)}` as const;

describe('drift and prune by API and command line', () => {
  let api: TestApi;
  let stores: PostgresStores;
  let home = '';
  const id = cluster('kube-1').id;
  beforeAll(async () => {
    api = await startTestApi();
    home = await mkdtemp(join(tmpdir(), 'fairway-home-'));
    stores = await createPostgresStores({ url: api.databaseUrl, clock: systemClock, notificationRoutes: [] });
    await stores.registry.createAccount(account(), { actor: 'test' });
    await stores.registry.createCluster(cluster('kube-1'), { actor: 'test' });
    const lease = await stores.leases.acquire(`cluster/${id}`, minutes(1));
    if (!lease) throw new Error('no lease');
    await stores.updates.recordDrift(lease, id, [
      {
        ref,
        component: 'web',
        path: 'spec.replicas',
        segments: ['spec', 'replicas'],
        change: 'change',
        before: '5',
        after: '2',
        manager: 'kubectl-edit',
        state: 'open',
        basis: 'sha256:1',
        firstSeen: 1_000,
        lastSeen: 1_000,
        corrections: [],
      },
      {
        ref: { ...ref, name: 'gone' },
        component: 'web',
        path: '',
        segments: [],
        change: 'add',
        state: 'open',
        basis: 'sha256:1',
        firstSeen: 1_000,
        lastSeen: 1_000,
        corrections: [],
      },
    ]);
    const kept = [{ ref, component: 'web', code: 'over-budget', reason: 'too many', remedy: 'Confirm.' }];
    await stores.updates.recordPruneState(lease, id, { digest: DIGEST, decidedAt: 1, kept, confirmable: 1 });
    await stores.leases.release(lease);
  });
  afterAll(async () => {
    await stores?.close();
    await api?.close();
    await rm(home, { recursive: true, force: true });
  });

  const fairway = async (...args: string[]): Promise<{ code: number; out: string }> => {
    const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home };
    const command = ['apps/cli/bin/fairway.mjs', ...args];
    const run = promisify(execFile)(process.execPath, command, { env });
    if (args[0] === 'login') run.child.stdin?.end(api.token);
    return run.then(
      ({ stdout }) => ({ code: 0, out: stdout }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        out: error.stdout + error.stderr,
      }),
    );
  };

  it('lists, accepts and confirms; a wish for what is not there is refused', async () => {
    expect((await api.send('GET', '/api/v1/clusters/kube-1/drift')).body).toMatchObject({
      items: [
        { object: 'apps/Deployment default/gone', path: '' },
        { object: 'apps/Deployment default/web', path: 'spec.replicas', live: '5', git: '2' },
      ],
    });
    const absent = { object: 'apps/Deployment default/other', reason: 'r' };
    expect((await api.send('POST', '/api/v1/clusters/kube-1/drift/accept', { body: absent })).status).toBe(
      404,
    );
    expect((await api.send('POST', '/api/v1/clusters/kube-1/drift/accept', { body: {} })).status).toBe(400);
    const missing = { object: 'apps/Deployment default/gone', reason: 'r' };
    const refused = await api.send('POST', '/api/v1/clusters/kube-1/drift/accept', { body: missing });
    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('is missing') } });
    const stale = { digest: 'sha256:other', reason: 'r' };
    expect((await api.send('POST', '/api/v1/clusters/kube-1/prune/confirm', { body: stale })).status).toBe(
      409,
    );
    const operator = await api.tokenFor('operator');
    const meant = { digest: DIGEST, reason: 'meant' };
    const denied = await api.send('POST', '/api/v1/clusters/kube-1/prune/confirm', {
      body: meant,
      token: operator,
    });
    expect(denied.status).toBe(403);
    expect(await stores.updates.openManifestRequests(id)).toEqual([]);
  });

  it('the command line shows the same and leaves wishes for the worker', async () => {
    expect(await fairway('login', api.url)).toMatchObject({ code: 0 });
    const diff = await fairway('diff', 'kube-1');
    expect(diff).toMatchObject({ code: 3, out: expect.stringMatching(/spec\.replicas\n\s+- 5\n\s+\+ 2/) });
    expect(await fairway('drift', 'list', 'kube-1')).toMatchObject({
      code: 3,
      out: expect.stringContaining('kubectl-edit'),
    });
    const wish = ['--object', 'apps/Deployment default/web', '--path', 'spec.replicas', '--reason', 'mine'];
    expect(await fairway('drift', 'correct', 'kube-1', ...wish)).toMatchObject({ code: 0 });
    expect(await fairway('prune', 'list', 'kube-1')).toMatchObject({
      code: 4,
      out: expect.stringContaining(`--digest ${DIGEST}`),
    });
    expect(
      await fairway('prune', 'confirm', 'kube-1', '--digest', DIGEST, '--reason', 'meant'),
    ).toMatchObject({
      code: 0,
    });
    // Asked twice, one look.
    await api.send('POST', '/api/v1/clusters/kube-1/reconcile');
    expect(await fairway('drift', 'look', 'kube-1')).toMatchObject({ code: 0 });
    const open = await stores.updates.openManifestRequests(id);
    expect(open.map(({ kind }) => kind)).toEqual(['correct-drift', 'confirm-prune', 'look']);
  });
});
