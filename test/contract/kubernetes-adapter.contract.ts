import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesObject } from '#fleet';
import type { KubernetesPort } from '#ports';
import { eventually } from '../support/eventually.js';
import {
  ContractSpace,
  customResourceDefinition,
  failureOf,
  openPort,
} from './kubernetes-adapter.fixture.js';

/** Where a Kubernetes API is, and what lets us in. */
export interface KubernetesTarget {
  /** Needs the right to do everything. */
  readonly kubeconfig: string;
}

const OPTIONS = { dryRun: false, force: false, fieldManager: 'fairway-contract' };

/**
 * What the engine relies on, asked of any Kubernetes API server: a bare one without controllers is enough, so the suite
 * writes pod and PDB status itself, always what a controller would write. Works in a namespace of its own.
 */
export function kubernetesContract(name: string, makeTarget: () => Promise<KubernetesTarget>): void {
  describe(`Kubernetes port on ${name}`, () => {
    let space: ContractSpace;
    let port: KubernetesPort;
    let ns = '';

    beforeAll(async () => {
      space = await ContractSpace.open((await makeTarget()).kubeconfig);
      ({ port, ns } = space);
    });
    afterAll(() => space?.close());

    const refTo = (object: KubernetesObject) => ({
      apiVersion: object.apiVersion,
      kind: object.kind,
      namespace: ns,
      name: object.metadata.name,
    });

    describe('the API itself', () => {
      it('has a version and is ready', async () => {
        expect(await port.serverVersion()).toMatch(/^v1\.\d+\.\d+/);
        expect(await port.ready()).toBe(true);
      });

      it('credentials that it does not know are denied', async () => {
        const caData = space.config.getCurrentCluster()?.caData;
        if (caData === undefined) return;
        const token = `wrong-${randomBytes(8).toString('hex')}`;
        const stranger = openPort(space.config.exportConfig(), {
          kind: 'token-source',
          tokens: async () => ({ token, expiresAt: Number.POSITIVE_INFINITY }),
          caPem: Buffer.from(caData, 'base64').toString('utf8'),
        });
        const failure = await failureOf((await stranger.connect()).listNodes());
        expect(failure).toMatchObject({ class: 'denied', code: 'api-denied' });
        expect(JSON.stringify(failure)).not.toContain(token);
        stranger.access.close();
      });

      it('a CA that did not sign its certificate is an error, not a connection', async () => {
        if (!space.config.getCurrentCluster()?.server.startsWith('https:')) return;
        // Without a CA the public roots apply, and those did not sign it.
        const stranger = openPort(space.config.exportConfig(), {
          kind: 'token-source',
          tokens: async () => ({ token: 'x', expiresAt: Number.POSITIVE_INFINITY }),
        });
        const failure = await failureOf((await stranger.connect()).serverVersion());
        expect(failure).toMatchObject({ class: 'denied', code: 'api-tls-untrusted' });
        expect(failure?.hint).toContain('CA');
        stranger.access.close();
      });
    });

    describe('apply', () => {
      it('dry-run writes nothing and shows what would be', async () => {
        const object = space.configMap('dry', { a: '1' });
        const shown = await port.apply(object, { ...OPTIONS, dryRun: true });
        expect(shown).toMatchObject({ kind: 'ConfigMap', data: { a: '1' } });
        expect(await port.get(refTo(object))).toBeUndefined();
      });

      it('makes, leaves alone, changes, and removes what is no longer said', async () => {
        const made = await port.apply(space.configMap('web', { a: '1', b: '2' }, { x: 'y' }), OPTIONS);
        expect(made.metadata.uid).toBeTruthy();
        const again = await port.apply(space.configMap('web', { a: '1', b: '2' }, { x: 'y' }), OPTIONS);
        expect(again.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
        const less = await port.apply(space.configMap('web', { a: '3' }), OPTIONS);
        expect(less['data']).toEqual({ a: '3' });
        expect(less.metadata.labels?.['x']).toBeUndefined();
        expect(less.metadata.uid).toBe(made.metadata.uid);
        expect(await port.get(refTo(less))).toMatchObject({ data: { a: '3' } });
      });

      it('tells who owns a field, and takes it over by force only', async () => {
        await port.apply(space.configMap('shared', { a: 'theirs' }), {
          ...OPTIONS,
          fieldManager: 'somebody-else',
        });
        const failure = await failureOf(port.apply(space.configMap('shared', { a: 'ours' }), OPTIONS));
        expect(failure).toMatchObject({ class: 'conflict', code: 'field-conflict' });
        expect(failure?.details?.[0]?.message).toContain('somebody-else');
        expect(failure?.details?.[0]?.place?.field).toContain('data');
        const taken = await port.apply(space.configMap('shared', { a: 'ours' }), { ...OPTIONS, force: true });
        expect(taken['data']).toEqual({ a: 'ours' });
      });

      it('names what is wrong with an object', async () => {
        const wrong = { ...space.configMap('wrong', {}), dada: { a: '1' } };
        const failure = await failureOf(port.apply(wrong, OPTIONS));
        expect(failure).toMatchObject({ class: 'invalid', code: 'object-invalid' });
        expect(failure?.message).toContain('dada');
        const badLabel = await failureOf(
          port.apply(space.configMap('wrong', {}, { 'not a label!': 'x' }), OPTIONS),
        );
        expect(badLabel).toMatchObject({ class: 'invalid', code: 'object-invalid' });
        expect(badLabel?.details?.[0]?.place?.field).toContain('metadata.labels');
      });

      it('names an immutable field', async () => {
        const deployment = (app: string): KubernetesObject => ({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'immutable', namespace: ns },
          spec: {
            replicas: 0,
            selector: { matchLabels: { app } },
            template: {
              metadata: { labels: { app } },
              spec: { containers: [{ name: 'main', image: 'example.org/none:1' }] },
            },
          },
        });
        await port.apply(deployment('one'), OPTIONS);
        const failure = await failureOf(port.apply(deployment('two'), OPTIONS));
        expect(failure).toMatchObject({ class: 'invalid', code: 'object-invalid' });
        const cause = failure?.details?.find((detail) => detail.place?.field === 'spec.selector');
        expect(cause?.message).toContain('field is immutable');
      });

      it('a namespace or a kind that is not there has a name of its own', async () => {
        const lost = {
          ...space.configMap('lost', {}),
          metadata: { name: 'lost', namespace: `${ns}-absent` },
        };
        expect(await failureOf(port.apply(lost, OPTIONS))).toMatchObject({ code: 'not-found' });
        const unknown = {
          apiVersion: `${space.id}.example.org/v1`,
          kind: 'Thing',
          metadata: { name: 'a', namespace: ns },
        };
        expect(await failureOf(port.apply(unknown, OPTIONS))).toMatchObject({
          class: 'invalid',
          code: 'kind-unknown',
        });
        expect(await port.get({ ...unknown, name: 'a' })).toBeUndefined();
        expect(await port.delete({ ...unknown, name: 'a' }, {})).toBe(false);
      });

      it('a kind is known as soon as its CRD is established', async () => {
        const thing = {
          apiVersion: 'contract.fairway.dev/v1',
          kind: `Thing${space.id}`,
          metadata: { name: 'a', namespace: ns },
          spec: { size: 1 },
        };
        expect(await port.get({ ...thing, namespace: ns, name: 'a' })).toBeUndefined();
        await port.apply(customResourceDefinition(space.crd, space.id), OPTIONS);
        const applied = await eventually(() => port.apply(thing, OPTIONS), 'the CRD is established');
        expect(applied['spec']).toEqual({ size: 1 });
        expect((await port.list(thing, { namespace: ns })).map((one) => one.metadata.name)).toEqual(['a']);
        expect(await port.delete({ ...thing, namespace: ns, name: 'a' }, {})).toBe(true);
      });
    });

    describe('objects', () => {
      it('are created once', async () => {
        const object = space.configMap('once', { a: '1' });
        await port.create(object);
        expect(await failureOf(port.create(object))).toMatchObject({
          class: 'conflict',
          code: 'already-exists',
        });
      });

      it('are listed by label and across pages, with their kind', async () => {
        const names = Array.from({ length: 505 }, (_, at) => `page-${at}`);
        await Promise.all(names.map((one) => port.create(space.configMap(one, {}, { page: 'yes' }))));
        const found = await port.list(
          { apiVersion: 'v1', kind: 'ConfigMap' },
          { namespace: ns, labelSelector: 'page=yes' },
        );
        expect(new Set(found.map((one) => one.metadata.name))).toEqual(new Set(names));
        expect(found[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
        const one = await port.list(
          { apiVersion: 'v1', kind: 'ConfigMap' },
          { namespace: ns, fieldSelector: 'metadata.name=page-7' },
        );
        expect(one.map((object) => object.metadata.name)).toEqual(['page-7']);
      });

      it('are deleted only as the one that was meant', async () => {
        const object = await port.create(space.configMap('doomed', {}));
        expect(await port.delete(refTo(object), { uid: '00000000-0000-4000-8000-000000000000' })).toBe(false);
        expect(await port.get(refTo(object))).toBeDefined();
        expect(
          await port.delete(refTo(object), {
            uid: object.metadata.uid ?? '',
            propagationPolicy: 'Background',
          }),
        ).toBe(true);
        await eventually(async () => (await port.get(refTo(object))) === undefined, 'it is gone');
        expect(await port.delete(refTo(object), {})).toBe(false);
      });

      it('values of Secrets are not repeated in errors', async () => {
        const secret = {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'x', namespace: ns },
          stringData: { pin: 4242171 },
        };
        const failure = await failureOf(port.apply(secret, OPTIONS));
        expect(failure?.class).toBe('invalid');
        expect(JSON.stringify(failure)).not.toContain('4242171');
        const undecodable = { ...secret, stringData: {}, data: { pin: '%4242171%' } };
        const refused = await failureOf(port.apply(undecodable, OPTIONS));
        expect(refused?.class).toBe('invalid');
        expect(JSON.stringify(refused)).not.toContain('4242171');
      });
    });

    describe('nodes', () => {
      const taint = { key: 'fairway.dev/replacing', value: 'u1', effect: 'NoSchedule' } as const;
      const other = { key: 'example.org/other', effect: 'PreferNoSchedule' } as const;
      const node = async () => (await port.listNodes()).find((one) => one.name === space.nodeName);
      let uid = '';

      beforeAll(async () => {
        uid = await space.readyNode();
      });

      it('are seen with what decisions need', async () => {
        expect(await node()).toMatchObject({
          uid,
          instanceId: 'i-0abcdef0',
          zone: 'eu-central-1a',
          ready: true,
          allocatable: { cpuMillis: 1930, memoryBytes: 3_388_360 * 1024, pods: 110 },
        });
      });

      it('are marked and unmarked without touching the marks of others', async () => {
        await port.patchNode({ name: space.nodeName, uid }, { addTaints: [other], labels: { theirs: 'x' } });
        const marks = {
          unschedulable: true,
          labels: { ours: '1' },
          annotations: { 'fairway.dev/since': 'now' },
          addTaints: [taint],
        };
        await port.patchNode({ name: space.nodeName, uid }, marks);
        await port.patchNode({ name: space.nodeName, uid }, marks);
        const marked = await node();
        expect(marked).toMatchObject({
          unschedulable: true,
          labels: { ours: '1', theirs: 'x' },
          annotations: { 'fairway.dev/since': 'now' },
        });
        expect(marked?.taints).toEqual(expect.arrayContaining([taint, other]));
        await port.patchNode(
          { name: space.nodeName, uid },
          {
            unschedulable: false,
            labels: { ours: null },
            annotations: { 'fairway.dev/since': null },
            removeTaints: [taint],
          },
        );
        const restored = await node();
        expect(restored?.unschedulable).toBe(false);
        expect(restored?.labels['ours']).toBeUndefined();
        expect(restored?.annotations['fairway.dev/since']).toBeUndefined();
        expect(restored?.taints.map((one) => one.key)).toContain(other.key);
        expect(restored?.taints.map((one) => one.key)).not.toContain(taint.key);
      });

      it('keep every taint that is added at the same moment', async () => {
        const keys = ['a', 'b', 'c'].map((letter) => `example.org/${letter}`);
        await Promise.all(
          keys.map((key) =>
            port.patchNode(
              { name: space.nodeName, uid },
              { addTaints: [{ key, effect: 'PreferNoSchedule' }] },
            ),
          ),
        );
        expect((await node())?.taints.map((one) => one.key)).toEqual(expect.arrayContaining(keys));
      });

      it('are not touched when the name belongs to another one now', async () => {
        const stranger = { name: space.nodeName, uid: '00000000-0000-4000-8000-000000000000' };
        expect(await failureOf(port.patchNode(stranger, { unschedulable: true }))).toMatchObject({
          class: 'conflict',
          code: 'object-replaced',
        });
        expect((await node())?.unschedulable).toBe(false);
        const absent = { name: `${space.nodeName}-absent`, uid };
        expect(await failureOf(port.patchNode(absent, { unschedulable: true }))).toMatchObject({
          class: 'conflict',
          code: 'not-found',
        });
      });
    });

    describe('eviction', () => {
      const pod = async (podName: string) =>
        (await port.listPods({ namespace: ns, fieldSelector: `metadata.name=${podName}` }))[0];
      const gone = (podName: string) =>
        eventually(async () => (await pod(podName)) === undefined, `${podName} is gone`);

      it('shows pods with what decisions need', async () => {
        const uid = await space.readyPod('seen', { app: 'seen' });
        expect(await pod('seen')).toMatchObject({
          namespace: ns,
          uid,
          phase: 'Running',
          ready: true,
          requests: { cpuMillis: 10, memoryBytes: 16 * 2 ** 20 },
          usesEmptyDir: true,
          mirror: false,
          terminationGracePeriodSeconds: 30,
        });
      });

      it('accepts, and finds gone what is gone', async () => {
        const uid = await space.readyPod('free', { app: 'free' });
        const stranger = '00000000-0000-4000-8000-000000000000';
        expect(await port.evict({ namespace: ns, name: 'free', uid: stranger })).toEqual({ kind: 'gone' });
        expect(await pod('free')).toMatchObject({ uid });
        expect(await port.evict({ namespace: ns, name: 'free', uid })).toEqual({ kind: 'accepted' });
        await gone('free');
        expect(await port.evict({ namespace: ns, name: 'free', uid })).toEqual({ kind: 'gone' });
      });

      it('is held back by a budget that needs every pod, and says what it needs and has', async () => {
        const uid = await space.readyPod('guarded', { app: 'guarded' });
        await space.budget('guarded', 'guarded', 1, 1);
        const answer = await eventually(async () => {
          const one = await port.evict({ namespace: ns, name: 'guarded', uid });
          return one.kind === 'blocked-by-pdb' && /needs/.test(one.message) ? one : undefined;
        }, 'the budget is processed');
        expect(answer.message).toContain('needs 1 healthy pods and has 1 currently');
        expect(
          (await port.listPdbs()).find((one) => one.namespace === ns && one.name === 'guarded'),
        ).toMatchObject({
          expectedPods: 1,
          currentHealthy: 1,
          desiredHealthy: 1,
          disruptionsAllowed: 0,
          disruptedPods: 0,
          selector: { matchLabels: { app: 'guarded' } },
        });
        expect(await pod('guarded')).toBeDefined();
      });

      it('goes through a budget that has room, once', async () => {
        const first = await space.readyPod('room-1', { app: 'room' });
        const second = await space.readyPod('room-2', { app: 'room' });
        await space.budget('room', 'room', 2, 1);
        await eventually(
          async () => (await port.evict({ namespace: ns, name: 'room-1', uid: first })).kind === 'accepted',
          'one disruption is allowed',
        );
        expect((await port.evict({ namespace: ns, name: 'room-2', uid: second })).kind).toBe(
          'blocked-by-pdb',
        );
        await gone('room-1');
      });

      it('two budgets over one pod are told apart from one that says no', async () => {
        const uid = await space.readyPod('twice', { app: 'twice' });
        await space.budget('twice-a', 'twice', 1, 0);
        await space.budget('twice-b', 'twice', 1, 0);
        const answer = await port.evict({ namespace: ns, name: 'twice', uid });
        expect(answer.kind).toBe('several-pdbs');
      });

      it('has no log for a pod that never ran, or is not there', async () => {
        await space.readyPod('quiet', { app: 'quiet' });
        expect(
          await port.podLog({ namespace: ns, name: 'quiet', container: 'main', limitBytes: 100 }),
        ).toBeUndefined();
        expect(
          await port.podLog({ namespace: ns, name: 'absent', container: 'main', limitBytes: 100 }),
        ).toBeUndefined();
      });
    });

    describe('watch', () => {
      it('wakes for a change of its kinds, for all who listen, until the signal', async () => {
        const stop = new AbortController();
        const seen: string[] = [];
        let also = 0;
        port.watch(['pods', 'jobs'], (kind) => seen.push(kind), stop.signal);
        port.watch(['pods'], () => (also += 1), stop.signal);
        // The watch needs a moment to be there; what happens before is not announced.
        await eventually(async () => {
          await space.readyPod(`watched-${seen.length}-${randomBytes(3).toString('hex')}`, {
            app: 'watched',
          });
          return seen.includes('pods') && also > 0;
        }, 'the listeners are called');
        stop.abort();
        const before = seen.length;
        await space.readyPod('unwatched', { app: 'watched' });
        // A second listener proves that the event has passed.
        const proof = new AbortController();
        let proved = 0;
        port.watch(['pods'], () => (proved += 1), proof.signal);
        await eventually(async () => {
          await space.readyPod(`proof-${randomBytes(3).toString('hex')}`, { app: 'watched' });
          return proved > 0;
        }, 'the proof');
        proof.abort();
        expect(seen.length).toBe(before);
      });
    });
  });
}
