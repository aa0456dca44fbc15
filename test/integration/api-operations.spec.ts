import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { wireTo, type CuttableWire } from '../support/cuttable-wire.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { wireAccount, wireCluster } from '../support/wire-records.js';

describe('with the database away and back', () => {
  let database: TestDatabase;
  let wire: CuttableWire;
  let api: TestApi;
  beforeAll(async () => {
    database = await freshDatabase();
    const url = new URL(database.url);
    wire = await wireTo(url.hostname, Number(url.port || 5432));
    url.hostname = '127.0.0.1';
    url.port = String(wire.port);
    api = await startTestApi({ FAIRWAY_DATABASE_URL: url.toString() });
    await api.send('POST', '/infrastructure-accounts', { body: wireAccount() });
  });
  afterAll(async () => {
    await wire.up().catch(() => undefined);
    await api.close();
    await wire.down();
    await database.drop();
  });

  const get = async (path: string) => {
    const response = await fetch(api.url + path);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('is ready, not ready, and ready again; alive all the time', async () => {
    expect(await get('/readyz')).toMatchObject({
      status: 200,
      body: { status: 'ok', checks: { database: 'ok' } },
    });
    await wire.down();
    const away = await get('/readyz');
    expect(away).toMatchObject({
      status: 503,
      body: { status: 'unavailable', checks: { database: 'database-unreachable' } },
    });
    expect((await get('/healthz')).status).toBe(200);
    const list = await api.send('GET', '/kubernetes-clusters');
    expect([list.status, (list.body as { code: number }).code]).toEqual([503, 503]);
    expect((await api.send('GET', '/api/v1/channels')).body).toMatchObject({
      status: 503,
      type: expect.stringContaining('database-unreachable'),
    });
    expect(list.headers.get('retry-after')).toBe('5');
    expect(list.text).not.toMatch(/127\.0\.0\.1|password/);
    await wire.up();
    await eventually(async () => (await get('/readyz')).status === 200, 'ready again');
    expect((await api.send('POST', '/kubernetes-clusters', { body: wireCluster('kube-1') })).status).toBe(
      201,
    );
  });
});

it('shows metrics, without a token', async () => {
  const api = await startTestApi();
  try {
    const answer = await api.send('GET', '/metrics', { token: null });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/plain'),
    ]);
    expect((await api.send('GET', '/nothing/here')).body).toMatchObject({
      status: 404,
      instance: '/nothing/here',
    });
  } finally {
    await api.close();
  }
});

it('starts again on its own database, with the same first token', async () => {
  const database = await freshDatabase();
  const token = 'fwy_bootstrap-token-of-the-test';
  try {
    for (let start = 0; start < 2; start += 1) {
      const api = await startTestApi({ FAIRWAY_DATABASE_URL: database.url, FAIRWAY_BOOTSTRAP_TOKEN: token });
      expect(
        ((await api.send('GET', '/api/v1/tokens', { token })).body as { items: unknown[] }).items,
      ).toHaveLength(1);
      await api.close();
    }
  } finally {
    await database.drop();
  }
});

it('knows the channels of its settings before a worker ever ran', async () => {
  const api = await startTestApi({}, { syncChannels: false });
  try {
    await api.send('POST', '/infrastructure-accounts', { body: wireAccount() });
    const answer = await api.send('POST', '/kubernetes-clusters', {
      body: wireCluster('kube-1', { channel: 'nightly' }),
    });
    expect(answer.status).toBe(400);
  } finally {
    await api.close();
  }
});

describe('as a process', () => {
  const main = fileURLToPath(new URL('../../apps/api/src/main.ts', import.meta.url));
  const run = (environment: Record<string, string>, args: readonly string[] = []) => {
    const env = { PATH: process.env['PATH'] ?? '', ...environment };
    const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', main, ...args], { env });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { child, output, ended };
  };

  it('lists everything that is wrong with its settings, and does not start', async () => {
    const { output, ended } = run({
      FAIRWAY_PORT: '99999',
      FAIRWAY_POLL_INTERVAL: 'often',
      FAIRWAY_CHANNEL: 'dev',
      FAIRWAY_LOG_LEVEL: 'loud',
      FAIRWAY_GIT_WEBHOOK_SECRET_FILE: '/nowhere/secret',
      FAIRWAY_BOOTSTRAP_TOKEN: 'fwy_very-secret-token-value',
    });
    expect(await ended).toBe(2);
    for (const name of [
      'FAIRWAY_DATABASE_URL',
      'FAIRWAY_REPOSITORY',
      'FAIRWAY_PORT',
      'FAIRWAY_POLL_INTERVAL',
      'FAIRWAY_CHANNEL is not',
      'FAIRWAY_LOG_LEVEL',
      '/nowhere/secret',
    ])
      expect(output.stderr).toContain(name);
    expect(output.stderr).not.toContain('very-secret');
    expect(output.stdout).toBe('');
  });

  it('prints one first admin token, serves, logs no secret, and ends on SIGTERM', async () => {
    const database = await freshDatabase();
    const settings = {
      FAIRWAY_DATABASE_URL: database.url,
      FAIRWAY_PORT: '0',
      FAIRWAY_REPOSITORY: 'https://git.example.org/config.git',
      FAIRWAY_LOG_LEVEL: 'debug',
      FAIRWAY_GIT_WEBHOOK_SECRET: 'webhook-secret-value',
    };
    try {
      const first = run(settings, ['bootstrap']);
      expect(await first.ended).toBe(0);
      const token = first.output.stdout.trim();
      expect(token).toMatch(/^fwy_[\w-]{43}$/);
      const second = run(settings, ['bootstrap']);
      expect(await second.ended).toBe(1);
      expect(second.output.stdout).toBe('');
      const server = run(settings);
      const url = await eventually(() => /"url":"([^"]+)"/.exec(server.output.stderr)?.[1], 'listening');
      const answer = await fetch(`${url}/kubernetes-clusters`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      expect(await answer.json()).toEqual({ items: [] });
      server.child.kill('SIGTERM');
      expect(await server.ended).toBe(0);
      for (const { output } of [first, second, server])
        expect(output.stderr).not.toMatch(/fwy_|webhook-secret-value/);
    } finally {
      await database.drop();
    }
  });
});
