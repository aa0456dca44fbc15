import { describe, expect, it } from 'vitest';
import type { CallRecord } from '#simulation';
import { eventually } from '../support/eventually.js';
import { configMap, failure, kubernetesBed, rawGet } from './kubernetes-wire.bed.js';

const bed = kubernetesBed();

describe('faults', () => {
  const get = (): Promise<unknown> => bed.core.listNamespace();

  it('answers 401 without a valid token, with a Status', async () => {
    bed.wire.revokeTokens(bed.cluster.id);
    expect((await failure(get())).code).toBe(401);
    const answer = await rawGet(bed, '/api/v1/namespaces', bed.wire.caPem);
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
      401,
      { kind: 'Status', reason: 'Unauthorized', code: 401 },
    ]);
  });

  it('answers 503 with HTML while no master serves', async () => {
    bed.cluster.unavailable = true;
    const answer = await failure(get());
    expect(answer.code).toBe(503);
    expect(answer.body.message).toContain('<html>');
    bed.cluster.unavailable = false;
    await get();
  });

  it('cuts connections, hangs in a blackout, and drops replies after the commit', async () => {
    bed.cluster.faults.outage = 'closed';
    await expect(get()).rejects.toThrow();
    bed.cluster.faults.outage = 'blackout';
    let answered = false;
    const hanging = get().then(() => (answered = true));
    await eventually(() => bed.cluster.calls.entries.at(-1)?.code === 0, 'the cut call is logged');
    expect(answered).toBe(false);
    bed.cluster.faults.outage = 'none';
    await hanging;
    bed.cluster.faults.failNext({ match: { verb: 'create', resource: 'configmaps' }, dropReply: true });
    await expect(
      bed.core.createNamespacedConfigMap({ namespace: 'default', body: configMap('lost') }),
    ).rejects.toThrow();
    expect(bed.store.get('configmaps', 'default', 'lost')).toBeDefined();
  });

  it('fails the next calls of a kind, denies, and logs what came back', async () => {
    const calls: CallRecord[] = [];
    bed.cluster.calls.subscribe((call) => calls.push(call));
    bed.cluster.faults.failNext({
      match: { verb: 'list', resource: 'namespaces' },
      status: 429,
      reason: 'TooManyRequests',
      retryAfterSeconds: 1,
    });
    expect((await failure(get())).code).toBe(429);
    const allow = bed.cluster.faults.deny({ resource: 'namespaces' });
    const denied = await failure(get());
    expect(denied.body.message).toBe(
      'namespaces "" is forbidden: User "fairway-admin" cannot list resource "namespaces" in API group "" at the cluster scope',
    );
    allow();
    await get();
    expect(calls.map((call) => call.code)).toEqual([429, 403, 200]);
    expect(calls.map((call) => call.seq)).toEqual([1, 2, 3]);
  });
});

describe('TLS', () => {
  it('is verified by the CA in the kubeconfig, and refused without it', async () => {
    expect((await rawGet(bed, '/readyz', bed.wire.caPem)).status).toBe(200);
    await expect(rawGet(bed, '/readyz')).rejects.toThrow(/certificate/);
  });
});
