import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKubernetesAccess } from '#adapters/kubernetes';
import { FailureError, milliseconds } from '#kernel';
import type { KubernetesPort } from '#ports';
import { KubernetesWire, LivingCluster, ScaledScheduler, SeededRandom } from '#simulation';
import { eventually } from '../support/eventually.js';
import { kubernetesContract } from './kubernetes-adapter.contract.js';

const ID = 'aws:123456789012:eu-central-1:kube-1';
const scheduler = new ScaledScheduler(20);
const cluster = new LivingCluster({ id: ID, scheduler, random: new SeededRandom(1), hosted: true });
const wire = new KubernetesWire();

beforeAll(async () => {
  await wire.start();
  wire.addCluster(cluster.wire);
});
afterAll(async () => {
  await wire.close();
  cluster.close();
  scheduler.close();
});

kubernetesContract('the simulated API', async () => ({ kubeconfig: wire.kubeconfig(ID) }));

const real = process.env['FAIRWAY_TEST_KUBECONFIG'];
if (real !== undefined && real !== '') {
  kubernetesContract('the API of FAIRWAY_TEST_KUBECONFIG', async () => ({
    kubeconfig: readFileSync(real, 'utf8'),
  }));
}

/** Trouble that only a simulator can make on demand. */
describe('trouble with the API', () => {
  /** With the limits of the product. */
  let port: KubernetesPort;
  /** Gives a server up that does not answer; one that is slow to, on a busy machine, as well. */
  let impatient: KubernetesPort;
  const accesses: ReturnType<typeof createKubernetesAccess>[] = [];
  const faults = cluster.wire.faults;
  const failureOf = async (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (thrown: unknown) => (thrown instanceof FailureError ? thrown.failure : thrown),
    );

  beforeAll(async () => {
    const limits = { readTimeout: milliseconds(1500), writeTimeout: milliseconds(1500) };
    const open = (over: object): Promise<KubernetesPort> => {
      const access = createKubernetesAccess({
        credentialsFor: async () => ({ kind: 'kubeconfig', text: wire.kubeconfig(ID, 'somebody') }),
        ...over,
      });
      accesses.push(access);
      return access.connect({ id: ID, apiServerUrl: wire.serverOf(ID), configItems: {} });
    };
    port = await open({});
    impatient = await open({ limits });
  });
  afterAll(() => accesses.forEach((access) => access.close()));

  it.each(['unavailable', 'closed', 'blackout'] as const)(
    'an API that is %s is unreachable, and comes back',
    async (outage) => {
      faults.outage = outage;
      expect(await impatient.ready()).toBe(false);
      expect(await failureOf(impatient.listNodes())).toMatchObject({
        class: 'transient',
        code: 'api-unreachable',
      });
      expect(await impatient.evict({ namespace: 'default', name: 'a', uid: 'u' })).toMatchObject({
        kind: 'transient',
      });
      faults.outage = 'none';
      await eventually(() => impatient.ready(), 'the API to be back');
      expect(await eventually(() => impatient.listNodes())).toEqual([]);
    },
  );

  it('a short plea for patience is granted without anybody noticing', async () => {
    faults.failNext({
      match: { resource: 'nodes' },
      status: 429,
      message: 'Too many requests',
      retryAfterSeconds: 1,
    });
    expect(await port.listNodes()).toEqual([]);
  });

  it('RBAC and an overloaded server each have their class', async () => {
    const allow = faults.deny({ resource: 'nodes', verb: 'list' });
    expect(await failureOf(port.listNodes())).toMatchObject({ class: 'denied', code: 'api-denied' });
    allow();
    faults.failNext({
      match: { resource: 'nodes' },
      status: 500,
      reason: 'InternalError',
      message: 'etcdserver: request timed out',
    });
    expect(await failureOf(port.listNodes())).toMatchObject({ class: 'transient', code: 'api-error' });
  });

  it('a revoked token is denied, until the new one is there', async () => {
    wire.revokeTokens(ID, 'revoked');
    const text = wire.kubeconfig(ID, 'revoked');
    let current = text;
    const own = createKubernetesAccess({
      credentialsFor: async () => ({ kind: 'kubeconfig', text: current }),
    });
    const other = await own.connect({ id: ID, apiServerUrl: wire.serverOf(ID), configItems: {} });
    expect(await other.listNodes()).toEqual([]);
    wire.revokeTokens(ID, 'revoked');
    expect(await failureOf(other.listNodes())).toMatchObject({ class: 'denied', code: 'api-denied' });
    current = wire.kubeconfig(ID, 'revoked');
    expect(await other.listNodes()).toEqual([]);
    own.close();
  });

  it('an apply whose answer is lost can be repeated', async () => {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'lost', namespace: 'default' },
      data: { a: '1' },
    };
    const options = { dryRun: false, force: true, fieldManager: 'fairway' };
    faults.failNext({ match: { resource: 'configmaps', verb: 'patch' }, dropReply: true });
    // On a kept connection it is repeated at once; on a fresh one the caller is told.
    const failure = await failureOf(port.apply(object, options));
    expect([undefined, 'api-unreachable']).toContain(
      failure instanceof Error ? failure : (failure as { code?: string } | undefined)?.code,
    );
    expect(await port.apply(object, options)).toMatchObject({ data: { a: '1' } });
  });

  it('250 objects need one request each and one discovery per group', async () => {
    const before = cluster.wire.calls.entries.length;
    const options = { dryRun: true, force: true, fieldManager: 'fairway' };
    await Promise.all(
      Array.from({ length: 250 }, (_, at) =>
        port.apply(
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `many-${at}`, namespace: 'default' } },
          options,
        ),
      ),
    );
    expect(cluster.wire.calls.entries.length - before).toBeLessThanOrEqual(251);
  });
});
