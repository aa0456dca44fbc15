import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KubernetesObject } from '#fleet';
import { LoopbackAuthority } from '#simulation';
import { StepsSpace, type StepsTarget } from './kubernetes-steps.fixture.js';

const IMAGE = 'spec.template.spec.containers[main].image';

/** What is drift and what is not, on any API server without controllers. */
export function stepsDriftContract(name: string, makeTarget: () => Promise<StepsTarget>): void {
  describe(`Drift on ${name}`, () => {
    let steps: StepsSpace;
    beforeAll(async () => {
      steps = await StepsSpace.open(await makeTarget());
    });
    afterAll(() => steps?.close());
    beforeEach(() => {
      steps.bed.configItems = {};
    });
    let removeMutator = async (): Promise<void> => undefined;
    afterEach(() => removeMutator());

    const settled = (...objects: readonly KubernetesObject[]) =>
      steps.settled([{ name: 'a', health: 'ignore', objects }]);
    const image = async (name: string) => {
      const found = await steps.live('apps/v1', 'Deployment', name);
      const spec = found?.['spec'] as { template: { spec: { containers: { image: string }[] } } } | undefined;
      return spec?.template.spec.containers[0]?.image;
    };
    const setImage = (name: string, to: string, manager: string) =>
      steps.patch(
        steps.deploymentPath(name),
        'strategic',
        { spec: { template: { spec: { containers: [{ name: 'main', image: to }] } } } },
        manager,
      );
    const hooks = (): KubernetesObject => ({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: `hooks-${steps.id}.example.org` },
      webhooks: [
        {
          name: 'a.example.org',
          clientConfig: { service: { name: 's', namespace: steps.ns, path: '/a' } },
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          failurePolicy: 'Ignore',
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': `${steps.ns}-none` } },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        },
      ],
    });
    const hpa = (): KubernetesObject => ({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web', namespace: steps.ns },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 99 },
    });

    it('server defaults, an HPA, an injected caBundle and a mutating webhook are none, in ten rounds', async () => {
      removeMutator = await steps.addWebhook(mutator(steps), async () => {
        const options = { dryRun: true, force: true, fieldManager: 'probe' };
        const probe = await steps.port.apply(steps.deployment('probe'), options);
        return probe.metadata.annotations?.['mutator.example.org/seen'] === 'yes';
      });
      steps.later(() => {
        const { apiVersion, kind, metadata } = hooks();
        return steps.port.delete({ apiVersion, kind, name: metadata.name }, {});
      });
      await settled(steps.deployment('web'), hooks(), hpa(), steps.map('plain'));
      expect(await image('web')).toBe('mirror.example.org/a:1');
      await steps.patch(
        `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${hooks().metadata.name}`,
        'json',
        [{ op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: CA_BUNDLE }],
        'cert-manager-cainjector',
      );
      const versions = () =>
        steps.versions(
          ['v1', 'ConfigMap'],
          ['apps/v1', 'Deployment'],
          ['autoscaling/v2', 'HorizontalPodAutoscaler'],
          ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'],
        );
      for (let round = 1; round <= 10; round += 1) {
        const scale = { spec: { replicas: 2 + round } };
        const path = `${steps.deploymentPath('web')}/scale`;
        await steps.patch(path, 'merge', scale, 'kube-controller-manager');
        const before = await versions();
        const since = steps.requestCount;
        if (round % 3 === 0) steps.bed.restart();
        steps.bed.configItems = { drift_mode: round % 2 === 0 ? 'correct' : 'detect' };
        const { manifests, report } = await steps.bed.resync();
        expect(manifests).toMatchObject({ kind: 'done', changed: false });
        expect(report.problems, `round ${round}`).toEqual([]);
        expect(steps.writes(since), `round ${round}`).toEqual([]);
        expect(await versions(), `round ${round}`).toEqual(before);
      }
      // Nor does a new revision take the replicas back.
      steps.bed.restart();
      await settled(steps.deployment('web', 'a:2'), hooks(), hpa(), steps.map('plain'));
      expect(await steps.live('apps/v1', 'Deployment', 'web')).toMatchObject({ spec: { replicas: 12 } });
    });

    it('a hand edit is told with its path and manager, and is not written over', async () => {
      await settled(steps.deployment('edited'));
      await setImage('edited', 'registry.example.org/evil:1', 'kubectl-edit');
      const { manifests, report } = await steps.bed.resync();
      expect(manifests).toMatchObject({ kind: 'done', summary: '1 fields differ from Git' });
      expect(report.problems).toMatchObject([
        { detail: expect.stringContaining(`${IMAGE} differs from Git by kubectl-edit`) },
      ]);
      expect(await image('edited')).toBe('registry.example.org/evil:1');
    });

    it('what was accepted stays and stays known, through an update and a new process', async () => {
      await settled(steps.deployment('accepted'));
      await setImage('accepted', 'registry.example.org/hotfix:1', 'kubectl-edit');
      await steps.bed.resync();
      await steps.bed.request('accept-drift', `apps/Deployment ${steps.ns}/accepted`);
      expect((await steps.bed.pass()).report.problems).toEqual([]);
      await settled(steps.deployment('accepted'), steps.map('beside'));
      for (let round = 1; round <= 3; round += 1) {
        steps.bed.restart();
        steps.bed.configItems = { drift_mode: 'correct' };
        expect((await steps.bed.resync()).manifests).toMatchObject({ changed: false });
        const findings = await steps.bed.stores.updates.driftFindings(steps.bed.clusterId);
        expect(findings).toMatchObject([{ state: 'accepted', path: IMAGE }]);
      }
      expect(await image('accepted')).toBe('registry.example.org/hotfix:1');
      await settled(steps.deployment('accepted', 'registry.example.org/a:2'), steps.map('beside'));
      expect(await image('accepted')).toBe('registry.example.org/a:2');
    });

    it('a controller that fights is reported after three corrections and left alone', async () => {
      steps.bed.configItems = { drift_mode: 'correct' };
      await settled(steps.deployment('fought'));
      for (let round = 1; round <= 3; round += 1) {
        await setImage('fought', 'registry.example.org/fight:1', 'stubborn-controller');
        await steps.bed.resync();
        expect(await image('fought'), `round ${round}`).toBe('registry.example.org/a:1');
      }
      await setImage('fought', 'registry.example.org/fight:1', 'stubborn-controller');
      for (let round = 1; round <= 2; round += 1) {
        const { report } = await steps.bed.resync();
        expect(await image('fought')).toBe('registry.example.org/fight:1');
        expect(report.problems).toMatchObject([
          {
            type: expect.stringMatching(/drift-fight$/),
            detail: expect.stringContaining('stubborn-controller'),
          },
        ]);
      }
    });
  });
}

/** Rewrites images, as a registry mirror's webhook does, and leaves a mark. */
const mutator = (steps: StepsSpace) =>
  ({
    name: `mutator-${steps.id}.example.org`,
    kind: 'Mutating',
    operations: ['CREATE', 'UPDATE'],
    group: 'apps',
    resource: 'deployments',
    namespace: steps.ns,
    review: ({ object }: { readonly object?: KubernetesObject }) => {
      const { containers } = (
        object as unknown as { spec: { template: { spec: { containers: { image: string }[] } } } }
      ).spec.template.spec;
      const mirrored = containers.map((one) => ({
        ...one,
        image: `mirror.example.org/${one.image.split('/').at(-1)}`,
      }));
      const annotations = { ...object?.metadata.annotations, 'mutator.example.org/seen': 'yes' };
      return { patch: { metadata: { annotations }, spec: { template: { spec: { containers: mirrored } } } } };
    },
  }) as const;

/** API servers look whether it is PEM. */
const CA_BUNDLE = Buffer.from(new LoopbackAuthority('injected').caPem).toString('base64');
