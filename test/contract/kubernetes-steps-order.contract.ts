import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesObject, ObjectRef } from '#fleet';
import { customResourceDefinition } from './kubernetes-adapter.fixture.js';
import { StepsSpace, type StepsTarget } from './kubernetes-steps.fixture.js';

const ROLES = 'rbac.authorization.k8s.io/v1';

/** What waits for what when something goes wrong, and objects that Git names in words of its own; on any API server. */
export function stepsOrderContract(name: string, makeTarget: () => Promise<StepsTarget>): void {
  describe(`The order of the steps on ${name}`, () => {
    let steps: StepsSpace;
    beforeAll(async () => {
      steps = await StepsSpace.open(await makeTarget());
    });
    afterAll(() => steps?.close());

    /** An object that is deleted when the suite ends. */
    const passing = <T extends KubernetesObject>(object: T, namespace?: string): T => {
      const { apiVersion, kind, metadata } = object;
      const ref: ObjectRef = {
        apiVersion,
        kind,
        name: metadata.name,
        ...(namespace !== undefined && { namespace }),
      };
      steps.later(() => steps.port.delete(ref, {}));
      return object;
    };
    const role = (part: string, metadata: Record<string, unknown> = {}): KubernetesObject =>
      passing({
        apiVersion: ROLES,
        kind: 'ClusterRole',
        metadata: { name: `fairway-${steps.id}-${part}`, ...metadata },
        rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }],
      } as KubernetesObject);
    const find = (object: KubernetesObject) =>
      steps.port.get({ apiVersion: object.apiVersion, kind: object.kind, name: object.metadata.name });

    it('a cluster role that is refused stops its component, in every pass, and nobody else', async () => {
      const bad = role('bad', { labels: { 'no spaces': 'x' } });
      const components = (first: KubernetesObject) => [
        { name: 'a', objects: [first, steps.map('with-bad')] },
        { name: 'b', dependsOn: ['a'], objects: [steps.map('after-bad')] },
        { name: 'c', dependsOn: ['b'], objects: [steps.map('long-after-bad')] },
        { name: 'free', objects: [role('good'), steps.map('free')] },
      ];
      steps.bed.commit(components(bad));
      for (let look = 0; look < 3; look += 1) {
        expect((await steps.bed.settle()).manifests).toMatchObject({
          kind: 'failed',
          failure: { class: 'invalid', place: { file: 'cluster/manifests/a/all.yaml', line: 1 } },
        });
        expect(await steps.ours()).toEqual(['free']);
      }
      await steps.settled(components(role('bad')));
      expect(await steps.ours()).toEqual(['after-bad', 'free', 'long-after-bad', 'with-bad']);
      await steps.settled(['a', 'b', 'c', 'free'].map((one) => ({ name: one, removed: true, objects: [] })));
      expect(await steps.ours()).toEqual([]);
    });

    it('a new webhook waits for its component, a change of it does not', async () => {
      const hook = (timeoutSeconds: number): KubernetesObject =>
        ({
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingWebhookConfiguration',
          metadata: { name: `fairway-${steps.id}` },
          webhooks: [
            {
              name: 'nobody.example.org',
              clientConfig: { url: 'https://127.0.0.1:9/never' },
              rules: [
                {
                  apiGroups: ['nobody.example.org'],
                  apiVersions: ['v1'],
                  operations: ['CREATE'],
                  resources: ['x'],
                },
              ],
              sideEffects: 'None',
              admissionReviewVersions: ['v1'],
              timeoutSeconds,
            },
          ],
        }) as unknown as KubernetesObject;
      const component = (timeoutSeconds: number, health: 'wait' | 'ignore', image: string) => [
        { name: 'guard', health, objects: [steps.deployment('guard', image), passing(hook(timeoutSeconds))] },
      ];
      steps.bed.commit(component(5, 'wait', 'registry.example.org/never:1'));
      for (let look = 0; look < 2; look += 1) {
        expect((await steps.bed.pass()).manifests).toMatchObject({ kind: 'waiting' });
        expect(await find(hook(5))).toBeUndefined();
      }
      await steps.settled(component(5, 'ignore', 'registry.example.org/never:1'));
      expect(await find(hook(5))).toMatchObject({ webhooks: [{ timeoutSeconds: 5 }] });
      steps.bed.commit(component(7, 'wait', 'registry.example.org/never:2'));
      expect((await steps.bed.pass()).manifests).toMatchObject({ kind: 'waiting' });
      expect(await find(hook(5))).toMatchObject({ webhooks: [{ timeoutSeconds: 7 }] });
      await steps.settled([{ name: 'guard', removed: true, objects: [] }]);
    });

    it('an object that Git names in other words stays the same object', async () => {
      const spelt = (namespace?: string): KubernetesObject => ({
        ...steps.map('x'),
        metadata: { name: `fairway-${steps.id}`, ...(namespace !== undefined && { namespace }) },
      });
      passing(spelt(), 'default');
      const uids = async (): Promise<readonly (string | undefined)[]> => {
        const map = await steps.port.get({ ...spelt(), name: spelt().metadata.name, namespace: 'default' });
        return [map, await find(role('spelt'))].map((one) => one?.metadata.uid);
      };
      await steps.settled([{ name: 'a', objects: [spelt(), role('spelt', { namespace: steps.ns })] }]);
      const before = await uids();
      expect(before).toEqual([expect.any(String), expect.any(String)]);
      for (const objects of [
        [spelt('default'), role('spelt')],
        [spelt(), role('spelt', { namespace: 'gone' })],
      ]) {
        const { prune, report } = await steps.settled([{ name: 'a', objects }]);
        expect(prune).toMatchObject({ summary: '0 objects deleted' });
        expect(report.problems).toEqual([]);
        expect(await uids()).toEqual(before);
      }
      expect(await steps.bed.stores.updates.inventory(steps.bed.clusterId)).toHaveLength(2);
      await steps.settled([{ name: 'a', removed: true, objects: [] }]);
      expect(await uids()).toEqual([undefined, undefined]);
    });

    it('what was applied by a version of the API that is no more is pruned by another', async () => {
      const definition = (served: readonly string[]): KubernetesObject => {
        const base = customResourceDefinition(steps.space.crd, steps.id) as unknown as {
          readonly spec: { readonly versions: readonly Record<string, unknown>[] };
        };
        const versions = ['v1', 'v1beta1'].map((version) => ({
          ...base.spec.versions[0],
          name: version,
          served: served.includes(version),
          storage: version === 'v1',
        }));
        return { ...base, spec: { ...base.spec, versions } } as unknown as KubernetesObject;
      };
      const thing = (version: string): KubernetesObject =>
        ({
          apiVersion: `contract.fairway.dev/${version}`,
          kind: `Thing${steps.id}`,
          metadata: { name: 'old', namespace: steps.ns },
          spec: { size: 1 },
        }) as unknown as KubernetesObject;
      const both = definition(['v1', 'v1beta1']);
      await steps.settled([{ name: 'a', objects: [both, thing('v1beta1')] }]);
      const { prune } = await steps.settled([{ name: 'a', objects: [definition(['v1'])] }]);
      expect(prune).toMatchObject({ summary: '1 objects deleted' });
      expect(await steps.live('contract.fairway.dev/v1', `Thing${steps.id}`, 'old')).toBeUndefined();
    });
  });
}
