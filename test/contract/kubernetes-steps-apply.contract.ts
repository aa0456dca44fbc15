import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesObject } from '#fleet';
import type { ComponentInput } from '../support/steps-bed.js';
import { customResourceDefinition } from './kubernetes-adapter.fixture.js';
import { StepsSpace, type StepsTarget } from './kubernetes-steps.fixture.js';

/** The manifests step against any API server without controllers: what is applied, with how many requests. */
export function stepsApplyContract(
  name: string,
  makeTarget: () => Promise<StepsTarget>,
  /** 40 components have 250 objects. */
  components = 40,
): void {
  describe(`The manifests step on ${name}`, () => {
    let steps: StepsSpace;
    beforeAll(async () => {
      steps = await StepsSpace.open(await makeTarget());
    });
    afterAll(() => steps?.close());

    const service = (app: string): KubernetesObject => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: app, namespace: steps.ns },
      spec: { selector: { app }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    const many = (): readonly ComponentInput[] =>
      Array.from({ length: components }, (_, at) => ({
        name: `component-${at}`,
        health: 'ignore' as const,
        objects: Array.from({ length: at < 10 ? 7 : 6 }, (_entry, index) =>
          index === 0
            ? steps.deployment(`many-${at}`)
            : index === 1
              ? service(`many-${at}`)
              : steps.map(`many-${at}-${index}`),
        ),
      }));
    const KINDS = [
      ['v1', 'ConfigMap'],
      ['v1', 'Service'],
      ['apps/v1', 'Deployment'],
    ] as const;

    it('objects need two requests each; looking again writes nothing, also by a new process', async () => {
      steps.bed.commit(many());
      const plan = await steps.bed.plan();
      expect(plan.objects.every(({ action }) => action === 'create')).toBe(true);
      expect(await steps.bed.settle()).toMatchObject({ manifests: { kind: 'done' } });
      const objects = plan.objects.length;
      // And one for the parent of the ApplySet.
      expect(steps.requests().length).toBeLessThanOrEqual(2 * objects + 1);
      const before = await steps.versions(...KINDS);
      expect(before.length).toBeGreaterThanOrEqual(objects);
      for (const restarted of [false, true]) {
        if (restarted) steps.bed.restart();
        const since = steps.requestCount;
        steps.bed.commit(many());
        await steps.bed.plan();
        expect(await steps.bed.settle()).toMatchObject({ manifests: { kind: 'done', changed: false } });
        expect(steps.writes(since)).toEqual([]);
        // A Deployment is asked about once more where its controller has annotated it since.
        expect(steps.requests(since).length).toBeLessThanOrEqual(12 + components);
        expect(await steps.versions(...KINDS)).toEqual(before);
      }
      await steps.settled(many().map((one) => ({ ...one, objects: [], removed: true })));
      expect(await steps.ours()).toEqual([]);
    });

    it('a CRD, its custom resource and a namespace with content work in one commit', async () => {
      const fresh = `${steps.ns}-fresh`;
      steps.later(async () => {
        const core = steps.port;
        await core.delete(
          { apiVersion: 'v1', kind: 'ConfigMap', namespace: fresh, name: 'in-fresh' },
          { propagationPolicy: 'Background' },
        );
        await steps.space.removeNamespace(fresh);
      });
      const thing = {
        apiVersion: 'contract.fairway.dev/v1',
        kind: `Thing${steps.id}`,
        metadata: { name: 'one', namespace: steps.ns },
        spec: { size: 1 },
      };
      const inFresh = { ...steps.map('in-fresh'), metadata: { name: 'in-fresh', namespace: fresh } };
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: fresh } };
      const definition = customResourceDefinition(steps.space.crd, steps.id);
      steps.bed.commit([
        { name: 'a-user', objects: [thing, inFresh] },
        { name: 'b-definer', objects: [definition, namespace] },
      ]);
      expect((await steps.bed.plan()).blockers).toEqual([]);
      expect(await steps.bed.settle()).toMatchObject({ manifests: { kind: 'done' } });
      expect(await steps.live(thing.apiVersion, thing.kind, 'one')).toMatchObject({ spec: { size: 1 } });
      expect(
        await steps.port.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: fresh, name: 'in-fresh' }),
      ).toBeDefined();
    });

    it('a component that is refused stops those that depend on it and nobody else', async () => {
      const bad = steps.map('bad');
      const labelled = { ...bad, metadata: { ...bad.metadata, labels: { 'no spaces': 'x' } } };
      steps.bed.commit([
        { name: 'bad', objects: [labelled] },
        { name: 'dependent', dependsOn: ['bad'], objects: [steps.map('dependent')] },
        { name: 'free', objects: [steps.map('free')] },
      ]);
      const { manifests } = await steps.bed.settle();
      expect(manifests).toMatchObject({
        kind: 'failed',
        failure: { class: 'invalid', place: { file: 'cluster/manifests/bad/all.yaml', line: 1 } },
      });
      expect(await steps.live('v1', 'ConfigMap', 'free')).toBeDefined();
      expect(await steps.live('v1', 'ConfigMap', 'dependent')).toBeUndefined();
    });

    it('a newer revision does not wait for what the older one waits for', async () => {
      steps.bed.commit([{ name: 'slow', objects: [steps.deployment('slow')] }]);
      expect((await steps.bed.pass()).manifests).toMatchObject({
        kind: 'waiting',
        for: expect.stringContaining('slow'),
      });
      steps.bed.commit([
        { name: 'quick', objects: [steps.map('quick')] },
        { name: 'slow', removed: true, objects: [] },
      ]);
      expect(await steps.bed.pass()).toMatchObject({ manifests: { kind: 'done' }, prune: { kind: 'done' } });
      expect(await steps.live('apps/v1', 'Deployment', 'slow')).toBeUndefined();
    });

    it('fields that kubectl apply once wrote go when Git drops them', async () => {
      const old = steps.map('old', { keep: '1', drop: '2' });
      const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(old) };
      const written = { ...old, metadata: { ...old.metadata, annotations } };
      const collection = `/api/v1/namespaces/${steps.ns}/configmaps`;
      await steps.post(collection, written, 'kubectl-client-side-apply');
      steps.bed.commit([{ name: 'moved', objects: [steps.map('old', { keep: '1' })] }]);
      expect((await steps.bed.plan()).objects).toMatchObject([
        { action: 'change', fields: expect.arrayContaining(['data.drop']) },
        ...(await steps.bed.plan()).objects.slice(1),
      ]);
      expect(await steps.bed.settle()).toMatchObject({ manifests: { kind: 'done' } });
      const moved = await steps.live('v1', 'ConfigMap', 'old');
      expect(moved?.['data']).toEqual({ keep: '1' });
      expect(moved?.metadata.annotations ?? {}).toEqual({});
    });

    describe('fields that cannot change', () => {
      const force = { 'fairway.dev/force': 'enabled' };
      const job = (image: string, annotations: Record<string, string> = {}): KubernetesObject => ({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'migrate', namespace: steps.ns, annotations },
        spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'm', image }] } } },
      });
      const set = (serviceName: string): KubernetesObject => ({
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'db', namespace: steps.ns, annotations: force },
        spec: {
          serviceName,
          selector: { matchLabels: { app: 'db' } },
          template: {
            metadata: { labels: { app: 'db' } },
            spec: { containers: [{ name: 'db', image: 'a:1' }] },
          },
        },
      });
      const jobs = (...objects: readonly KubernetesObject[]): readonly ComponentInput[] => [
        { name: 'jobs', health: 'ignore', objects },
      ];
      const uids = async () => [
        (await steps.live('batch/v1', 'Job', 'migrate'))?.metadata.uid,
        (await steps.live('apps/v1', 'StatefulSet', 'db'))?.metadata.uid,
      ];

      it('a Job is created again only where it says so', async () => {
        await steps.settled(jobs(job('a:1')));
        const [uid] = await uids();
        steps.bed.commit(jobs(job('a:2')));
        expect((await steps.bed.settle()).manifests).toMatchObject({
          kind: 'failed',
          failure: { code: 'field-immutable', message: expect.stringContaining('spec.template') },
        });
        expect((await uids())[0]).toBe(uid);
        await steps.settled(jobs(job('a:2', force)));
        const [fresh] = await uids();
        expect(fresh).toBeTruthy();
        expect(fresh).not.toBe(uid);
      });

      it('a bad label is no reason, and a StatefulSet never is', async () => {
        await steps.settled(jobs(job('a:2', force), set('one')));
        const before = await uids();
        const labelled = job('a:2', force);
        const bad = { ...labelled, metadata: { ...labelled.metadata, labels: { 'no spaces': 'x' } } };
        steps.bed.commit(jobs(bad, set('two')));
        const { manifests } = await steps.bed.settle();
        expect(manifests.kind).toBe('failed');
        expect(JSON.stringify(manifests)).toMatch(/StatefulSet is never deleted/);
        expect(await uids()).toEqual(before);
      });
    });
  });
}
