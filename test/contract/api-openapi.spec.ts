import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formatsModule from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { minutes } from '#kernel';
import type { ChannelRevision, ConformanceRun, Revision } from '#fleet';
import { DEFAULT_POLICY } from '#promotion';
import { ApiModule } from '../../apps/api/src/api.module.js';
import type { ApiRuntime } from '../../apps/api/src/api-runtime.js';
import { startTestApi, type Answer, type TestApi } from '../support/api.js';
import { account, cluster, status } from '../support/records.js';

const TEXT = readFileSync(new URL('../../docs/api/fairway.yaml', import.meta.url), 'utf8');

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Content }>>;
}
type Content = Readonly<Record<string, { readonly schema: object }>>;
const document = parse(TEXT) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: object;
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);
const keyOf = ({ method, path }: { readonly method: string; readonly path: string }): string =>
  `${method} ${path}`;

/** `GET /api/v1/channels/{channel}` of every handler that the API mounts. */
function mounted(): readonly string[] {
  const controllers = ApiModule.with({} as ApiRuntime).controllers ?? [];
  return controllers.flatMap((controller) => {
    const { prototype } = controller as { readonly prototype: Record<string, object> };
    const base = Reflect.getMetadata(PATH_METADATA, controller) as string;
    return Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler = prototype[name] as object;
      const path =
        name === 'constructor' ? undefined : (Reflect.getMetadata(PATH_METADATA, handler) as string);
      if (path === undefined) return [];
      const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number] as string;
      const whole = `/${base}/${path}`.replace(/\/+/g, '/').replace(/\/$/, '');
      return [`${method} ${whole.replace(/:(\w+)/g, '{$1}')}`];
    });
  });
}

/** Described elsewhere (the registry), or no part of an API for programs. */
const ELSEWHERE = /^\w+ \/(?:kubernetes-clusters|infrastructure-accounts|api\/docs|metrics)/;

describe('the OpenAPI document', () => {
  it('has every route of the server, and no other', () => {
    const routes = mounted().filter((route) => !ELSEWHERE.test(route));
    const documented = operations.map(keyOf);
    expect(
      routes.filter((route) => !documented.includes(route)),
      'add to docs/api/fairway.yaml',
    ).toEqual([]);
    expect(
      documented.filter((route) => !routes.includes(route)),
      'take out of docs/api/fairway.yaml',
    ).toEqual([]);
  });

  it('is sound: ids are unique, parameters are declared, references lead somewhere', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = (operation.parameters ?? [])
        .filter((one) => one.in === 'path')
        .map(({ name }) => name);
      expect(declared, path).toEqual(inPath);
    }
    for (const [, pointer = ''] of TEXT.matchAll(/\$ref: "?'?#\/([\w/]+)/g)) {
      const found = pointer
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);
      expect(found, pointer).toBeDefined();
    }
  });
});

describe('answers of the server', () => {
  let api: TestApi;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  (formatsModule as unknown as (one: Ajv2020) => void)(ajv);
  ajv.addSchema({ $id: 'doc', ...document });
  const compiled = new Map<string, ValidateFunction>();
  const asked = new Set<string>();

  function validatorOf(schema: object): ValidateFunction {
    const text = JSON.stringify(schema).replaceAll('"#/', '"doc#/');
    const known = compiled.get(text) ?? ajv.compile(JSON.parse(text) as object);
    compiled.set(text, known);
    return known;
  }

  /** Asks, and holds status and body against the document. */
  async function ask(
    method: string,
    path: string,
    values: Readonly<Record<string, string>>,
    body?: unknown,
  ): Promise<Answer> {
    const found = operations.find((one) => keyOf(one) === `${method} ${path}`);
    if (!found) throw new Error(`${method} ${path} is not in the document`);
    const url = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? 'none'));
    const answer = await api.send(method, url, body === undefined ? {} : { body });
    asked.add(keyOf(found));
    const response = found.operation.responses[String(answer.status)];
    expect(
      response,
      `${method} ${url} answered ${answer.status}: ${answer.text.slice(0, 300)}`,
    ).toBeDefined();
    const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
    const content =
      response?.$ref === undefined
        ? response?.content
        : { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
    if (content === undefined) {
      expect(answer.text).toBe('');
      return answer;
    }
    expect(Object.keys(content), `${method} ${url}`).toContain(type);
    const validate = validatorOf(content[type]?.schema ?? {});
    validate(answer.body);
    expect(validate.errors ?? [], `${method} ${url} ${answer.text.slice(0, 500)}`).toEqual([]);
    return answer;
  }

  const revision = (commit: string, treeDigest: string): Revision => ({
    id: `repo@${commit}`,
    repository: '',
    commit,
    treeDigest,
    author: 'Ada <ada@example.org>',
    subject: 'image 2',
    committedAt: '2026-06-01T07:59:00Z',
  });
  const entry = (channel: string, of: Revision, more: Partial<ChannelRevision> = {}): ChannelRevision => ({
    channel,
    revisionId: of.id,
    phase: 'eligible',
    wave: 1,
    waves: 1,
    enteredAt: 1,
    admitted: true,
    convergedAt: 2,
    verifiedAt: 3,
    reasons: [{ gate: 'soak', state: 'pending', message: 'not yet', nextChangeAt: 5_000 }],
    ...more,
  });
  const [OLD, NEW] = [revision('a'.repeat(40), 't1'), revision('b'.repeat(40), 't2')];
  const values: Record<string, string> = { channel: 'beta', cluster: 'alpha-1', run: 'run-1', key: 'none' };

  beforeAll(async () => {
    api = await startTestApi({ FAIRWAY_SLACK_WEBHOOK_URL: 'https://hooks.example.org/x' });
    const { channels, leases, registry, decisions, updates, settings } = api.running.runtime;
    await registry.createAccount(account(), { actor: 'test' });
    const { id } = await registry.createCluster(cluster('alpha-1', { channel: 'alpha' }), { actor: 'test' });
    const lease = await leases.acquire('channel/test', minutes(5));
    const own = await leases.acquire(`cluster/${id}`, minutes(5));
    if (!lease || !own) throw new Error('no lease');
    for (const [name, of, more] of [
      ['alpha', OLD, {}],
      ['alpha', NEW, {}],
      ['beta', OLD, {}],
      ['stable', NEW, { phase: 'held', admitted: false }],
    ] as const) {
      const head = { ...of, repository: settings.FAIRWAY_REPOSITORY };
      await channels.recordHead(lease, { channel: name, revision: head, entry: entry(name, of, more) }, []);
      await decisions.savePolicy(
        lease,
        { channel: name, commit: of.commit, policy: DEFAULT_POLICY, readAt: 1 },
        [],
      );
    }
    await channels.commitChannel(lease, {
      channel: 'alpha',
      admit: [{ clusterId: id, revisionId: NEW.id }],
      runs: [],
      events: [],
    });
    await updates.commitPass(own, {
      status: status(id, { desiredDigest: 'd', currentVersion: NEW.commit, lastVersion: OLD.commit }),
      doorbellSeen: 0,
      memory: {},
      events: [],
    });
    const run: ConformanceRun = {
      id: 'run-1',
      channel: 'alpha',
      clusterId: id,
      suite: 'live',
      revisionId: NEW.id,
      commit: NEW.commit,
      treeDigest: 't2',
      desiredDigest: 'd',
      attempt: 1,
      state: 'finished',
      verdict: 'fail',
      reason: 'tests-failed',
      executed: 300,
      failedTests: ['[sig-network] DNS'],
      createdAt: 1,
      startedAt: 2,
      finishedAt: 3,
    };
    await channels.saveRun(lease, run, []);
    await channels.saveConformanceLog(lease, { runId: 'run-1', text: 'a line\n', dropped: 7, updatedAt: 4 });
    await channels.recordPromotion(lease, {
      id: 'p1',
      revisionId: NEW.id,
      fromChannel: 'alpha',
      toChannel: 'beta',
      state: 'refused',
      reason: 'moved',
      evidence: [{ gate: 'soak', state: 'pass', message: 'soaked' }],
      createdAt: 1,
      settledAt: 2,
    });
  });
  afterAll(() => api.close());

  it('are as written, where people change something', async () => {
    const c = '/api/v1/channels/{channel}';
    const reason = 'because';
    const answer = { gate: 'health', name: 'x', state: 'pass', message: 'well', expires_in: '1h' };
    expect((await ask('POST', `${c}/gate-answers`, values, answer)).status).toBe(201);
    expect((await ask('POST', `${c}/promotions`, values, { reason })).status).toBe(409);
    expect((await ask('POST', `${c}/promotions`, values, {})).status).toBe(400);
    expect((await ask('POST', `${c}/approvals`, values, { decision: 'approve' })).status).toBe(201);
    const back = await ask('POST', `${c}/rollback`, { channel: 'alpha' }, { reason });
    expect(back.status).toBe(202);
    values['request'] = (back.body as { id: string }).id;
    expect((await ask('POST', '/api/v1/clusters/{cluster}/rollback', values, { reason })).status).toBe(202);
    const glass = await ask('POST', `${c}/break-glass`, { channel: 'stable' }, { reason, expires_in: '1h' });
    expect(glass.status).toBe(201);
    expect((await ask('POST', `${c}/acknowledge`, values, { reason })).status).toBe(409);
    const hold = { scope: { kind: 'cluster', cluster: 'alpha-1' }, reason, expires_in: '1h' };
    const held = await ask('POST', '/api/v1/holds', {}, hold);
    expect(held.status).toBe(201);
    await ask('GET', '/api/v1/holds', {});
    await ask('DELETE', '/api/v1/holds/{hold}', { hold: (held.body as { id: string }).id });
    expect(
      (await ask('POST', '/api/v1/conformance', {}, { cluster: 'alpha-1', suite: 'live', reason })).status,
    ).toBe(202);
    expect(
      (await ask('POST', '/api/v1/conformance', {}, { cluster: 'alpha-1', suite: 'no', reason })).status,
    ).toBe(400);
    expect((await ask('POST', '/api/v1/notifications/test', {}, {})).status).toBe(202);
    await ask('POST', '/api/v1/notifications/replay', {}, { route: 'slack' });
    expect((await ask('POST', '/api/v1/tokens', {}, { name: 'ci', role: 'viewer' })).status).toBe(201);
    expect((await ask('POST', '/api/v1/clusters/{cluster}/reconcile', values)).status).toBe(202);
  });

  it('are as written, wherever something is read', async () => {
    for (const { method, path } of operations.filter((one) => one.method === 'GET')) {
      const answer = await ask(method, path, values);
      if (
        /channels|conformance|notifications|events|holds|audit|tokens|requests/.test(path) &&
        !path.includes('backups')
      )
        expect(answer.status, path).toBe(200);
    }
    for (const path of [
      '/api/v1/channels/{channel}/gates',
      '/api/v1/conformance/{run}',
      '/api/v1/clusters/{cluster}',
    ])
      expect((await ask('GET', path, {})).status).toBe(404);
    expect(asked.size).toBeGreaterThan(50);
  });

  it('include the document itself', async () => {
    const answer = await api.send('GET', '/api/docs/fairway.yaml', { token: null });
    expect([answer.status, answer.text]).toEqual([200, TEXT]);
  });
});
