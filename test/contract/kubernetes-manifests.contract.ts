import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CoreV1Api } from '@kubernetes/client-node';
import {
  classifyImmutable,
  compareApply,
  desiredBody,
  KUBECTL_APPLY_MANAGERS,
  needsAdoption,
} from '#manifests';
import type { KubernetesObject } from '#fleet';
import type { KubernetesPort } from '#ports';
import { eventually } from '../support/eventually.js';
import { ContractSpace, failureOf } from './kubernetes-adapter.fixture.js';
import type { KubernetesTarget } from './kubernetes-adapter.contract.js';

const FAIRWAY = { force: true, fieldManager: 'fairway' } as const;

/** What the manifests step relies on, asked of any Kubernetes API server without controllers. */
export function manifestsContract(name: string, makeTarget: () => Promise<KubernetesTarget>): void {
  describe(`Server-side apply on ${name}`, () => {
    let space: ContractSpace;
    let port: KubernetesPort;
    let ns = '';
    beforeAll(async () => {
      space = await ContractSpace.open((await makeTarget()).kubeconfig);
      ({ port, ns } = space);
    });
    afterAll(() => space?.close());

    const deployment = (over: Record<string, unknown> = {}): KubernetesObject => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: ns, labels: { suite: 'manifests' } },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'main', image: 'example.org/a:1', ports: [{ containerPort: 80 }] }] },
        },
        ...over,
      },
    });
    const live = async (): Promise<KubernetesObject> => {
      const found = await port.list(
        { apiVersion: 'apps/v1', kind: 'Deployment' },
        { namespace: ns, labelSelector: 'suite=manifests', managedFields: true },
      );
      const [object] = found;
      if (!object) throw new Error('the deployment is not there');
      return object;
    };

    it('the dry-run of a creation has no resourceVersion, and changes nothing', async () => {
      const dryRun = await port.apply(deployment(), { ...FAIRWAY, dryRun: true });
      expect(dryRun.metadata.resourceVersion ?? '').toBe('');
      expect(
        await port.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: ns, name: 'web' }),
      ).toBeUndefined();
    });

    it('an apply of what is there is equal in its dry-run and is not written, server defaults included', async () => {
      await port.apply(deployment(), { ...FAIRWAY, dryRun: false });
      // Where controllers run they write as well, until they are through.
      await eventually(async () => {
        const before = await live();
        const dryRun = await port.apply(deployment(), { ...FAIRWAY, dryRun: true });
        const again = await port.apply(deployment(), { ...FAIRWAY, dryRun: false });
        expect(dryRun.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
        expect(compareApply(before, dryRun, [])).toMatchObject({ action: 'none' });
        expect(again.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
        return true;
      });
    });

    it('a list tells who owns which field, and what another applies is left to it', async () => {
      const scaled = {
        ...deployment(),
        metadata: { name: 'web', namespace: ns },
        spec: { replicas: 5 },
      } as unknown as KubernetesObject;
      await port.apply(scaled, { dryRun: false, force: true, fieldManager: 'scaler' });
      const body = desiredBody(deployment(), await live(), []);
      expect(body.left).toEqual([{ path: 'spec.replicas', manager: 'scaler' }]);
      const dryRun = await port.apply(body.object, { ...FAIRWAY, dryRun: true });
      expect(compareApply(await live(), dryRun, [])).toMatchObject({ action: 'none' });
    });

    it('fields of kubectl apply that were adopted go with the next apply', async () => {
      const core = space.config.makeApiClient(CoreV1Api);
      const map = space.configMap('old', { keep: '1' });
      await core.createNamespacedConfigMap({
        namespace: ns,
        body: {
          metadata: {
            name: 'old',
            annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
          },
          data: { keep: '1', drop: '2' },
        },
        fieldManager: 'kubectl-client-side-apply',
      });
      const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: ns, name: 'old' };
      expect(needsAdoption((await port.get(ref)) as KubernetesObject)).toBe(true);
      const adoption = { from: KUBECTL_APPLY_MANAGERS, fieldManager: 'fairway' };
      expect(await port.adoptFields(ref, adoption)).toBe(true);
      expect(await port.adoptFields(ref, adoption)).toBe(false);
      const applied = await port.apply(map, { ...FAIRWAY, dryRun: false });
      expect(applied['data']).toEqual({ keep: '1' });
      expect(applied.metadata.annotations ?? {}).toEqual({});
    });

    it('a field that cannot change is named', async () => {
      const other = { matchLabels: { app: 'other' } };
      const template = {
        metadata: { labels: { app: 'other' } },
        spec: { containers: [{ name: 'main', image: 'example.org/a:1' }] },
      };
      const changed = deployment({ selector: other, template });
      const failure = await failureOf(port.apply(changed, { ...FAIRWAY, dryRun: true }));
      expect(failure).toMatchObject({ class: 'invalid' });
      const words = [failure?.message ?? '', ...(failure?.details ?? []).map(({ message }) => message)].join(
        '\n',
      );
      expect(classifyImmutable(words)).toMatchObject({ immutable: true });
      expect(JSON.stringify(failure)).toContain('spec.selector');
    });
  });
}
