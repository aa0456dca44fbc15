import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { runCli } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { wireAccount, wireCluster } from '../support/wire-records.js';

const BIN = fileURLToPath(new URL('../../apps/cli/bin/fairway.mjs', import.meta.url));
let api: TestApi;
let home: string;
let env: Record<string, string>;

beforeAll(async () => {
  api = await startTestApi();
  home = mkdtempSync(join(tmpdir(), 'fairway-home-'));
  env = { FAIRWAY_HOME: home };
  await api.send('POST', '/infrastructure-accounts', { body: wireAccount() });
});
afterAll(async () => {
  await api.close();
  rmSync(home, { recursive: true, force: true });
});

it('asks for a login before there is one', async () => {
  const run = await runCli(['clusters', 'list'], { env });
  expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('fairway login')]);
});

describe('login', () => {
  it('refuses what is no token, a token that is not known, and a server that is away', async () => {
    expect((await runCli(['login', api.url], { env, input: 'hello' })).code).toBe(2);
    const unknown = await runCli(['login', api.url], { env, input: 'fwy_unknown-token-of-somebody' });
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('valid token')]);
    expect(unknown.stderr + unknown.stdout).not.toContain('unknown-token-of-somebody');
    const away = await runCli(['login', 'http://127.0.0.1:9'], { env, input: api.token });
    expect([away.code, away.stderr]).toEqual([1, expect.stringContaining('does not answer')]);
  });

  it('reads the token from standard input and keeps it for its owner only', async () => {
    const run = await runCli(['login', api.url], { env, input: `${api.token}\n` });
    expect([run.code, run.stdout]).toEqual([0, expect.stringContaining(`logged in to ${api.url}`)]);
    expect(run.stdout + run.stderr).not.toContain(api.token);
    const file = join(home, 'login.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ url: api.url, token: api.token });
  });
});

describe('after login', () => {
  const record = (name: string, over: Record<string, unknown> = {}): string => {
    const file = join(home, `${name}.json`);
    writeFileSync(file, JSON.stringify(wireCluster(name, over)));
    return file;
  };

  it('registers, lists and shows clusters', async () => {
    const made = await runCli(['clusters', 'register', record('kube-1')], { env });
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('registered kube-1')]);
    expect(
      (await runCli(['clusters', 'register', '-'], { env, input: JSON.stringify(wireCluster('kube-2')) }))
        .code,
    ).toBe(0);
    const again = await runCli(['clusters', 'register', record('kube-1')], { env });
    expect([again.code, again.stderr]).toEqual([5, expect.stringContaining('already exists')]);
    const wrong = await runCli(['clusters', 'register', record('kube-3', { channel: 'nightly' })], { env });
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('dev, alpha, beta, stable')]);
    const list = await runCli(['clusters', 'list', '-o', 'json'], { env });
    expect((JSON.parse(list.stdout) as { alias: string }[]).map(({ alias }) => alias)).toEqual([
      'kube-1',
      'kube-2',
    ]);
    expect((await runCli(['clusters', 'list'], { env })).stdout).toMatch(/^ALIAS +CHANNEL/);
    expect((await runCli(['clusters', 'get', 'kube-1', '-o', 'yaml'], { env })).stdout).toMatch(
      /^alias: kube-1$/m,
    );
    const nobody = await runCli(['clusters', 'get', 'nobody'], { env });
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('nobody')]);
  });

  it('holds and releases by alias, and asks what a name was meant to be', async () => {
    expect((await runCli(['hold', 'cluster/kube-1', '--reason', 'a look'], { env })).code).toBe(0);
    const released = await runCli(['release', 'cluster/kube-1'], { env });
    expect([released.code, released.stdout]).toEqual([0, expect.stringContaining('is released (a look)')]);
    expect((await runCli(['hold', 'pool/kube-1/pool-1', '--reason', 'x'], { env })).code).toBe(0);
    expect((await runCli(['release', 'pool/kube-1/pool-1'], { env })).code).toBe(0);
    const told = await runCli(['events', '--cluster', 'kube-1'], { env });
    expect([told.code, told.stdout]).toEqual([0, expect.stringContaining(wireCluster('kube-1').id)]);
    for (const [args, hint] of [
      [['events', '--cluster', 'kubee-1'], 'Did you mean kube-1?'],
      [['clusters', 'get', 'kubee-1'], 'Did you mean kube-1?'],
      [['clusters', 'list', '--channel', 'betta'], 'channels are dev, alpha, beta, stable'],
      [['clusters', 'list', '--phase', 'redy'], '"ready"'],
    ] as const) {
      const { code, stderr } = await runCli([...args], { env });
      expect([code, stderr]).toEqual([1, expect.stringContaining(hint)]);
    }
    const lost = await runCli(['clusters', 'list'], {
      env: { ...env, FAIRWAY_URL: 'localhost:80', FAIRWAY_TOKEN: 'x' },
    });
    expect([lost.code, lost.stderr]).toEqual([2, expect.stringContaining('with its scheme')]);
  });

  it('shows channels, rolls and plans', async () => {
    const channels = await runCli(['channels', '-o', 'json'], { env });
    expect((JSON.parse(channels.stdout) as { name: string }[]).map(({ name }) => name)).toEqual([
      'dev',
      'alpha',
      'beta',
      'stable',
    ]);
    expect((await runCli(['roll', 'status', 'kube-1'], { env })).stdout).toContain('no roll is under way');
    const plan = await runCli(['plan', 'kube-1'], { env });
    expect([plan.code, plan.stderr]).toEqual([1, expect.stringContaining('no plan')]);
    expect((await runCli(['plan'], { env })).code).toBe(2);
    expect((await runCli(['channels', '-o', 'xml'], { env })).code).toBe(2);
  });

  it('follows events until it is interrupted, as one JSON value a line', async () => {
    const child = spawn(process.execPath, [BIN, 'events', '--follow', '--after', '0', '-o', 'json'], {
      env: { PATH: process.env['PATH'], ...env },
    });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    await eventually(() => stdout.includes('kube-2'), 'the events so far');
    await api.send('POST', '/kubernetes-clusters', { body: wireCluster('kube-9') });
    await eventually(() => stdout.includes('kube-9'), 'the new event');
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    for (const line of stdout.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('id');
  });

  it('stops following when its token is revoked, and says so', async () => {
    const made = (await api.send('POST', '/api/v1/tokens', { body: { name: 'follower', role: 'viewer' } }))
      .body;
    const { id, token } = made as { id: string; token: string };
    const following = runCli(['events', '--follow', '--after', '0'], {
      env: { ...env, FAIRWAY_URL: api.url, FAIRWAY_TOKEN: token },
    });
    await eventually(async () => {
      const tokens = (await api.send('GET', '/api/v1/tokens')).body as { items: Record<string, string>[] };
      return tokens.items.some((one) => one['id'] === id && one['last_used_at'] !== undefined);
    }, 'the first use of the token');
    expect((await api.send('DELETE', `/api/v1/tokens/${id}`)).status).toBe(204);
    const run = await following;
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('valid token')]);
  });

  it('is not troubled by a reader that went away', async () => {
    const shell = spawn(
      'bash',
      [
        '-c',
        `set -o pipefail; for i in 1 2 3; do node ${BIN} events -o json | head -c 1 >/dev/null || exit 9; done`,
      ],
      {
        env: { PATH: process.env['PATH'], ...env },
        // Not a socket: bash would take itself for a remote shell.
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let stderr = '';
    shell.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const code = await new Promise((resolve) => shell.once('close', resolve));
    expect([code, stderr]).toEqual([0, '']);
  });

  it('prefers the environment', async () => {
    const run = await runCli(['channels'], {
      env: { ...env, FAIRWAY_URL: api.url, FAIRWAY_TOKEN: 'fwy_another-token-of-another' },
    });
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('valid token')]);
  });
});
