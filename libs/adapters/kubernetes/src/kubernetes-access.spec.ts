import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FailureError, milliseconds } from '#kernel';
import { directoryCredentials, type ClusterCredential } from './credentials.js';
import { createKubernetesAccess, type KubernetesAccessOptions } from './kubernetes-access.js';
import { json, LoopbackApi, type Seen } from './loopback-api.fixture.js';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of cleanUp.splice(0).reverse()) await one();
});

const KUBECONFIG = (token: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'a',
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    clusters: [{ name: 'a', cluster: { server: 'https://elsewhere' } }],
    users: [{ name: 'a', user: { token } }],
  });

async function api(answer: (seen: Seen, response: ServerResponse) => void): Promise<LoopbackApi> {
  const started = await LoopbackApi.start(answer);
  cleanUp.push(() => started.stop());
  return started;
}

async function connect(url: string, options: KubernetesAccessOptions = {}) {
  const access = createKubernetesAccess({
    credentialsFor: async (): Promise<ClusterCredential> => ({
      kind: 'kubeconfig',
      text: KUBECONFIG('t0ken'),
    }),
    ...options,
  });
  cleanUp.push(() => access.close());
  return access.connect({ id: 'aws:123456789012:eu-central-1:kube-1', apiServerUrl: url, configItems: {} });
}

async function directory(files: Record<string, string>): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'fairway-credentials-'));
  cleanUp.push(() => rm(made, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(made, name), content);
  return made;
}

const failureOf = async (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (thrown: unknown) =>
      thrown instanceof FailureError
        ? thrown.failure
        : { class: 'not classified', code: String(thrown), message: '' },
  );

const version = { gitVersion: 'v1.36.0' };
const limits = { connectTimeout: milliseconds(150), readTimeout: milliseconds(200) };

describe('time limits and strange answers', () => {
  it('a server that accepts and never answers is unreachable in time', async () => {
    const silent = net.createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => silent.close());
    const port = await connect(`http://127.0.0.1:${(silent.address() as net.AddressInfo).port}`, { limits });
    const began = Date.now();
    expect(await failureOf(port.serverVersion())).toMatchObject({
      class: 'transient',
      code: 'api-unreachable',
    });
    // Its own limit, not the ten seconds of the product.
    expect(Date.now() - began).toBeLessThan(9_000);
    expect(await port.ready()).toBe(false);
  });

  it('a TLS handshake that hangs counts as no connection', async () => {
    const silent = net.createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => silent.close());
    const port = await connect(`https://127.0.0.1:${(silent.address() as net.AddressInfo).port}`, { limits });
    expect(await failureOf(port.serverVersion())).toMatchObject({
      code: 'api-unreachable',
      message: expect.stringContaining('no connection within'),
    });
  });

  it('a closed port is unreachable, and ready() says no', async () => {
    const server = await api((_, response) => json(response, 200, version));
    const { url } = server;
    await server.stop();
    const port = await connect(url);
    expect(await failureOf(port.serverVersion())).toMatchObject({
      class: 'transient',
      code: 'api-unreachable',
    });
    expect(await port.ready()).toBe(false);
  });

  it('HTML instead of JSON is not taken for an answer', async () => {
    const server = await api((_, response) => response.writeHead(200).end('<title>Sign in</title>'));
    const port = await connect(server.url);
    expect(await failureOf(port.serverVersion())).toMatchObject({
      class: 'transient',
      message: expect.stringContaining('Sign in'),
    });
    expect(await failureOf(port.listNodes())).toMatchObject({ class: 'transient' });
  });

  it.each([
    {},
    { kind: 'NodeList', metadata: {} },
    { kind: 'NodeList', metadata: {}, items: 'none' },
    { kind: 'NodeList', metadata: {}, items: [null] },
    { kind: 'Status', metadata: {}, status: 'Success', items: [] },
  ])('%j is not taken for an empty list', async (body) => {
    const server = await api((_, response) => json(response, 200, body));
    const port = await connect(server.url);
    expect(await failureOf(port.listNodes())).toMatchObject({ class: 'transient' });
    expect(await failureOf(port.listPods())).toMatchObject({ class: 'transient' });
  });

  it('an empty list may be null', async () => {
    const body = { kind: 'NodeList', apiVersion: 'v1', metadata: {}, items: null };
    const server = await api((_, response) => json(response, 200, body));
    expect(await (await connect(server.url)).listNodes()).toEqual([]);
  });

  it('a kind whose CRD was deleted is unknown at once, and known again with it; a 404 of a proxy says nothing', async () => {
    const of = { apiVersion: 'example.org/v1', kind: 'Thing' };
    const served = { name: 'things', kind: 'Thing', namespaced: true };
    let collection = 200;
    let group = 200;
    const server = await api(({ url }, response) => {
      const discovery = url === '/apis/example.org/v1';
      if ((discovery ? group : collection) === 404)
        return void response.writeHead(404).end('404 page not found\n');
      if (discovery) return json(response, 200, { kind: 'APIResourceList', resources: [served] });
      return json(response, 200, { kind: 'ThingList', metadata: {}, items: [] });
    });
    const port = await connect(server.url);
    expect(await port.list(of)).toEqual([]);
    collection = 404;
    expect(await failureOf(port.list(of))).toMatchObject({ class: 'transient', code: 'api-unreachable' });
    group = 404;
    expect(await failureOf(port.list(of))).toMatchObject({ class: 'invalid', code: 'kind-unknown' });
    collection = group = 200;
    expect(await port.list(of)).toEqual([]);
  });

  it('ready() tells away from not allowed', async () => {
    let status = 503;
    const server = await api((_, response) => response.writeHead(status).end(status === 200 ? 'ok' : 'no'));
    const port = await connect(server.url);
    expect(await port.ready()).toBe(false);
    status = 200;
    expect(await port.ready()).toBe(true);
    status = 403;
    expect(await failureOf(port.ready())).toMatchObject({ class: 'denied' });
  });

  it('an answer that is cut off is transient', async () => {
    const server = await api((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{');
      setImmediate(() => response.destroy());
    });
    const port = await connect(server.url);
    expect(await failureOf(port.serverVersion())).toMatchObject({
      class: 'transient',
      code: 'api-unreachable',
    });
  });

  it.each([
    ['http://kube-1.example.org', 'api-url-invalid'],
    ['https://user:pass@kube-1.example.org', 'api-url-invalid'],
    ['not a url', 'api-url-invalid'],
    ['ftp://x', 'api-url-invalid'],
  ])('%s is refused', async (url, code) => {
    expect(await failureOf(connect(url))).toMatchObject({ class: 'invalid', code });
    expect(JSON.stringify(await failureOf(connect(url)))).not.toContain('pass');
  });
});

describe('requests', () => {
  it('go below the path of the server URL, with the token', async () => {
    const server = await api((_, response) => json(response, 200, version));
    const port = await connect(`${server.url}/k8s/clusters/c-1/`);
    expect(await port.serverVersion()).toBe('v1.36.0');
    expect(server.seen[0]).toMatchObject({
      url: '/k8s/clusters/c-1/version',
      headers: { authorization: 'Bearer t0ken' },
    });
  });

  it('a connection closed while idle is tried once more', async () => {
    let count = 0;
    const server = await api((_, response) => {
      count += 1;
      // The second request meets a server that hangs up without a word.
      if (count === 2) response.socket?.destroy();
      else json(response, 200, version);
    });
    const port = await connect(server.url);
    await port.serverVersion();
    expect(await port.serverVersion()).toBe('v1.36.0');
    expect(count).toBe(3);
  });

  it('429 with Retry-After is waited for and shared, but not for ever', async () => {
    let left = 1;
    const server = await api((_, response) => {
      if (left-- > 0)
        response.writeHead(429, { 'retry-after': '0.2' }).end('Too many requests, please try again later.');
      else json(response, 200, version);
    });
    const port = await connect(server.url);
    const began = performance.now();
    expect(await port.serverVersion()).toBe('v1.36.0');
    expect(performance.now() - began).toBeGreaterThan(190);
    left = 100;
    expect(await failureOf(port.serverVersion())).toMatchObject({ class: 'throttled', retryAfterMs: 200 });
  });

  it('at most so many are in flight', async () => {
    let open = 0;
    let most = 0;
    const server = await api((_, response) => {
      most = Math.max(most, ++open);
      setImmediate(() => {
        open -= 1;
        json(response, 200, version);
      });
    });
    const port = await connect(server.url, { limits: { maxInFlight: 3 } });
    await Promise.all(Array.from({ length: 30 }, () => port.serverVersion()));
    expect(most).toBeLessThanOrEqual(3);
    expect(server.seen.length).toBe(30);
  });

  it('a delete carries its preconditions in a framed body', async () => {
    const server = await api((seen, response) =>
      seen.method === 'GET'
        ? json(response, 200, {
            kind: 'APIResourceList',
            resources: [{ name: 'pods', kind: 'Pod', namespaced: true }],
          })
        : json(response, 200, { kind: 'Status', status: 'Success' }),
    );
    const port = await connect(server.url);
    const ref = { apiVersion: 'v1', kind: 'Pod', namespace: 'a', name: 'b' };
    expect(await port.delete(ref, { uid: 'u', gracePeriodSeconds: 5, propagationPolicy: 'Foreground' })).toBe(
      true,
    );
    const sent = server.seen[1];
    expect(sent?.headers['content-length']).toBe(String(sent?.body.length));
    expect(JSON.parse(sent?.body ?? '')).toMatchObject({
      preconditions: { uid: 'u' },
      gracePeriodSeconds: 5,
      propagationPolicy: 'Foreground',
    });
  });

  it('lists follow pages, and start again when a page has expired', async () => {
    let expired = false;
    const server = await api((seen, response) => {
      const next = new URL(seen.url, 'http://x').searchParams.get('continue');
      if (next === null)
        return json(response, 200, {
          kind: 'NodeList',
          metadata: { continue: 'two' },
          items: [{ metadata: { name: 'a' } }],
        });
      if (!expired) {
        expired = true;
        return json(response, 410, { kind: 'Status', reason: 'Expired', message: 'too old' });
      }
      return json(response, 200, { kind: 'NodeList', metadata: {}, items: [{ metadata: { name: 'b' } }] });
    });
    const port = await connect(server.url);
    expect((await port.listNodes()).map((node) => node.name)).toEqual(['a', 'b']);
    expect(server.seen.length).toBe(4);
    expect(server.seen[0]?.url).toContain('limit=500');
  });

  it('discovery is read once, and once more for a kind that was not there', async () => {
    let served = false;
    const server = await api((seen, response) => {
      if (seen.url.startsWith('/apis/example.org/v1/')) {
        return json(response, 200, { metadata: { name: 'x' } });
      }
      if (!served) return response.writeHead(404).end('404 page not found\n');
      return json(response, 200, {
        kind: 'APIResourceList',
        resources: [{ name: 'things', kind: 'Thing', namespaced: false }],
      });
    });
    const port = await connect(server.url);
    const thing = { apiVersion: 'example.org/v1', kind: 'Thing', metadata: { name: 'x' } };
    const options = { dryRun: false, force: true, fieldManager: 'fairway' };
    expect(await failureOf(port.apply(thing, options))).toMatchObject({
      class: 'invalid',
      code: 'kind-unknown',
    });
    expect(await port.get({ ...thing, name: 'x' })).toBeUndefined();
    served = true;
    await port.apply(thing, options);
    await port.apply(thing, options);
    expect(server.seen.map((one) => one.url.split('?')[0])).toEqual([
      '/apis/example.org/v1',
      '/apis/example.org/v1',
      // Another version of the group might have what exists already.
      '/apis/example.org',
      '/apis/example.org/v1',
      '/apis/example.org/v1/things/x',
      '/apis/example.org/v1/things/x',
    ]);
  });

  it('eviction answers are classified, and a lost connection is transient', async () => {
    const server = await api((_, response) => response.socket?.destroy());
    const port = await connect(server.url);
    const answer = await port.evict({ namespace: 'a', name: 'b', uid: 'u' });
    expect(answer.kind).toBe('transient');
    expect(JSON.parse(server.seen[0]?.body ?? '')).toMatchObject({
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      deleteOptions: { preconditions: { uid: 'u' } },
    });
  });
});

describe('credentials', () => {
  it('a token file is read again after it changed and was refused', async () => {
    const made = await directory({ token: 'one\n' });
    const server = await api((seen, response) =>
      seen.headers.authorization === 'Bearer two'
        ? json(response, 200, version)
        : json(response, 401, { kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized' }),
    );
    const credentialsFor = async (): Promise<ClusterCredential> => ({
      kind: 'token-file',
      tokenFile: join(made, 'token'),
    });
    const port = await connect(server.url, { credentialsFor });
    expect(await failureOf(port.serverVersion())).toMatchObject({ class: 'denied', code: 'api-denied' });
    await writeFile(join(made, 'token'), 'two\n');
    expect(await port.serverVersion()).toBe('v1.36.0');
  });

  it('a minted token is kept until shortly before it expires', async () => {
    let now = 0;
    let minted = 0;
    const server = await api((_, response) => json(response, 200, version));
    const tokens = async () => ({ token: `t${(minted += 1)}`, expiresAt: now + 600_000 });
    const credentialsFor = async (): Promise<ClusterCredential> => ({ kind: 'token-source', tokens });
    const port = await connect(server.url, { credentialsFor, clock: { now: () => now } });
    await Promise.all([port.serverVersion(), port.serverVersion()]);
    now = 539_000;
    await port.serverVersion();
    now = 541_000;
    await port.serverVersion();
    expect(server.seen.map((one) => one.headers.authorization)).toEqual([
      'Bearer t1',
      'Bearer t1',
      'Bearer t1',
      'Bearer t2',
    ]);
  });

  it('are found in the directory of the cluster', async () => {
    const made = await directory({});
    const cluster = { id: 'aws:1:r:kube-1', apiServerUrl: 'https://x', configItems: {} };
    const home = join(made, 'aws_1_r_kube-1');
    expect(await failureOf(directoryCredentials(made)(cluster))).toMatchObject({
      class: 'denied',
      code: 'cluster-credentials-missing',
    });
    await import('node:fs/promises').then(({ mkdir }) => mkdir(home));
    await writeFile(join(home, 'eks'), 'kube-1-eks\n');
    const minted: string[] = [];
    const eks = await directoryCredentials(made, async ({ id }, name) => {
      minted.push(`${id} ${name}`);
      return { token: 'k8s-aws-v1.x', expiresAt: 1 };
    })(cluster);
    expect(eks).toMatchObject({ kind: 'token-source' });
    if (eks.kind === 'token-source') await eks.tokens(cluster);
    expect(minted).toEqual(['aws:1:r:kube-1 kube-1-eks']);
    await writeFile(join(home, 'token'), 'x');
    await writeFile(join(home, 'ca.crt'), 'x');
    expect(await directoryCredentials(made)(cluster)).toEqual({
      kind: 'token-file',
      tokenFile: join(home, 'token'),
      caFile: join(home, 'ca.crt'),
    });
    await writeFile(join(home, 'kubeconfig'), 'x');
    expect(await directoryCredentials(made)(cluster)).toEqual({
      kind: 'kubeconfig-file',
      file: join(home, 'kubeconfig'),
    });
  });

  it.each([
    ['not YAML at all: [', 'users:\n- token: hunter2secrettoken\n  x: ['],
    ['without a context', 'users: [{name: a, user: {token: hunter2secrettoken}}]'],
    [
      'that skips verification',
      KUBECONFIG('hunter2secrettoken').replace('"server"', '"insecure-skip-tls-verify":true,"server"'),
    ],
    ['with a proxy', KUBECONFIG('hunter2secrettoken').replace('"server"', '"proxy-url":"http://p","server"')],
  ])('a kubeconfig %s is refused without repeating it', async (_name, text) => {
    const credentialsFor = async (): Promise<ClusterCredential> => ({ kind: 'kubeconfig', text });
    const port = await connect('https://127.0.0.1:1', { credentialsFor });
    const failure = await failureOf(port.serverVersion());
    expect(failure).toMatchObject({ class: 'denied', code: 'cluster-credentials-invalid' });
    expect(JSON.stringify(failure)).not.toContain('hunter2');
  });
});

describe('watch', () => {
  const event = (type: string, version: string) =>
    `${JSON.stringify({ type, object: { metadata: { resourceVersion: version } } })}\n`;

  it('is shared, debounced, resumes where it was, and lists again after 410', async () => {
    const streams: { url: string; response: ServerResponse }[] = [];
    const server = await api((seen, response) => {
      if (!seen.url.includes('watch=1'))
        return json(response, 200, { metadata: { resourceVersion: '10' }, items: [] });
      response.writeHead(200);
      response.flushHeaders();
      return void streams.push({ url: seen.url, response });
    });
    const port = await connect(server.url, { random: () => 0 });
    const stop = new AbortController();
    cleanUp.push(() => stop.abort());
    const calls = { first: 0, second: 0 };
    port.watch(['pods'], () => (calls.first += 1), stop.signal);
    port.watch(['pods'], () => (calls.second += 1), stop.signal);
    await expect.poll(() => streams.length).toBe(1);
    expect(streams[0]?.url).toContain('resourceVersion=10');
    streams[0]?.response.write(event('ADDED', '11') + event('MODIFIED', '12'));
    await expect.poll(() => calls).toEqual({ first: 1, second: 1 });
    streams[0]?.response.write(event('BOOKMARK', '20'));
    streams[0]?.response.end();
    await expect.poll(() => streams.length).toBe(2);
    expect(streams[1]?.url).toContain('resourceVersion=20');
    expect(calls.first).toBe(1);
    streams[1]?.response.end(
      `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' } })}\n`,
    );
    await expect.poll(() => streams.length).toBe(3);
    expect(streams[2]?.url).toContain('resourceVersion=10');
    await expect.poll(() => calls.first).toBe(2);
    stop.abort();
    streams[2]?.response.write(event('ADDED', '30'));
    expect(calls.second).toBe(2);
  });

  it('tries again after trouble, says so, and wakes its listeners since they may have missed something', async () => {
    let broken = true;
    const troubles: string[] = [];
    const server = await api((seen, response) => {
      if (broken) return response.writeHead(503).end('<html></html>');
      if (!seen.url.includes('watch=1')) return json(response, 200, { metadata: { resourceVersion: '10' } });
      return response.writeHead(200).flushHeaders();
    });
    const port = await connect(server.url, {
      random: () => 0,
      onWatchTrouble: (_id, trouble) => troubles.push(trouble.code),
    });
    const stop = new AbortController();
    cleanUp.push(() => stop.abort());
    let calls = 0;
    port.watch(['nodes'], () => (calls += 1), stop.signal);
    await expect.poll(() => troubles).toEqual(['api-unreachable']);
    broken = false;
    await expect.poll(() => calls, { timeout: 5000 }).toBe(1);
  });
});
