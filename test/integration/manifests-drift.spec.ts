import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { minutes } from '#kernel';
import type { KubernetesObject } from '#fleet';
import { withClient } from '../support/database.js';
import { configMap, ManifestsBed, type ComponentInput } from '../support/manifests-bed.js';

const deployment = (image = 'registry/a:1', replicas = 2): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'main', image, ports: [{ containerPort: 80 }] }] },
    },
  },
});
const webhook: KubernetesObject = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'hooks' },
  webhooks: [
    {
      name: 'a.example.org',
      clientConfig: { service: { name: 's', namespace: 'default', path: '/a' } },
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    },
  ],
};

describe('drift', () => {
  let bed: ManifestsBed;
  beforeEach(async () => {
    bed = await ManifestsBed.open();
  });
  afterEach(() => bed.close());

  const settled = async (...objects: readonly KubernetesObject[]) => {
    const components: readonly ComponentInput[] = [{ name: 'a', health: 'ignore', objects }];
    bed.commit(components);
    expect(await bed.settle()).toMatchObject({ manifests: { kind: 'done' } });
  };
  const edit = (body: Record<string, unknown>, manager = 'kubectl-edit') =>
    bed.store.patch('deployments.apps', 'default', 'web', { type: 'strategic', body }, { manager });
  const image = () =>
    (
      bed.store.get('deployments.apps', 'default', 'web') as unknown as {
        spec: { template: { spec: { containers: { image: string }[] } } };
      }
    ).spec.template.spec.containers[0]?.image;
  const setImage = (to: string, manager?: string) =>
    edit({ spec: { template: { spec: { containers: [{ name: 'main', image: to }] } } } }, manager);
  const PATH = 'spec.template.spec.containers[main].image';
  const findings = () => bed.stores.updates.driftFindings(bed.clusterId);
  const ask = (kind: 'accept-drift' | 'correct-drift') => bed.request(kind, 'apps/Deployment default/web');

  it('server defaults, an HPA, an injected caBundle and a mutating webhook are none, in ten rounds', async () => {
    bed.store.admission.add({
      name: 'mutator.example.org',
      operations: ['CREATE', 'UPDATE'],
      resources: ['deployments.apps'],
      review: ({ object }) => {
        const containers = (object as unknown as { spec: { template: { spec: { containers: object[] } } } })
          .spec.template.spec.containers;
        return {
          patch: {
            metadata: { annotations: { 'mutator.example.org/seen': 'yes' } },
            spec: {
              template: { spec: { containers: containers.map((one) => ({ ...one, image: 'mirror/a:1' })) } },
            },
          },
        };
      },
    });
    const hpa: KubernetesObject = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web', namespace: 'default' },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 9 },
    };
    await settled(deployment(), webhook, hpa, configMap('plain'));
    bed.store.patch(
      'validatingwebhookconfigurations.admissionregistration.k8s.io',
      undefined,
      'hooks',
      { type: 'json', body: [{ op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: 'Q0E=' }] },
      { manager: 'cert-manager-cainjector' },
    );
    for (let round = 1; round <= 10; round += 1) {
      bed.store.patch(
        'deployments.apps',
        'default',
        'web',
        { type: 'merge', body: { spec: { replicas: 2 + round } } },
        { manager: 'kube-controller-manager', subresource: 'scale' },
      );
      const revision = bed.store.revision;
      if (round % 3 === 0) bed.restart();
      bed.configItems = { drift_mode: round % 2 === 0 ? 'correct' : 'detect' };
      const { manifests, report } = await bed.resync();
      expect(manifests).toMatchObject({ kind: 'done', changed: false });
      expect(report.problems, `round ${round}`).toEqual([]);
      expect(bed.store.revision, `round ${round}`).toBe(revision);
    }
    // Nor does a new revision take the replicas back.
    bed.restart();
    await settled(deployment('registry/a:2'), webhook, hpa, configMap('plain'));
    expect(bed.store.get('deployments.apps', 'default', 'web')).toMatchObject({ spec: { replicas: 12 } });
  });

  it('a hand edit is told with its path and manager, and is not written over', async () => {
    await settled(deployment());
    setImage('registry/evil:1');
    const revision = bed.store.revision;
    const { manifests, report } = await bed.resync();
    expect(manifests).toMatchObject({ kind: 'done', summary: '1 fields differ from Git' });
    expect(report.problems).toMatchObject([
      {
        type: expect.stringMatching(/drift$/),
        detail: expect.stringContaining(`${PATH} differs from Git by kubectl-edit`),
      },
    ]);
    expect(bed.store.revision).toBe(revision);
    const [finding] = await findings();
    expect(finding).toMatchObject({
      path: PATH,
      manager: 'kubectl-edit',
      before: '"registry/evil:1"',
      after: '"registry/a:1"',
      state: 'open',
    });
    expect(finding?.managedSince).toBeGreaterThan(0);
    // Between two looks it stays told, without a request.
    const before = bed.requestCount;
    expect((await bed.pass()).report.problems).toHaveLength(1);
    expect(bed.requestCount).toBe(before);
    // Whoever asks for a look gets one at once.
    setImage('registry/a:1');
    await bed.request('look', '');
    expect((await bed.pass()).report.problems).toEqual([]);
    expect(await bed.stores.updates.openManifestRequests(bed.clusterId)).toEqual([]);
  });

  it('is put back in mode correct, and on request', async () => {
    await settled(deployment());
    setImage('registry/evil:1');
    bed.configItems = { drift_mode: 'correct' };
    expect((await bed.resync()).manifests).toMatchObject({ kind: 'done', changed: true });
    expect(image()).toBe('registry/a:1');
    bed.configItems = {};
    setImage('registry/evil:2');
    await bed.resync();
    expect(image()).toBe('registry/evil:2');
    await ask('correct-drift');
    await bed.pass();
    expect(image()).toBe('registry/a:1');
    expect(await bed.stores.updates.openManifestRequests(bed.clusterId)).toEqual([]);
    bed.configItems = { drift_mode: 'off' };
    setImage('registry/evil:3');
    expect((await bed.resync()).report.problems).toEqual([]);
    expect(image()).toBe('registry/evil:3');
  });

  it('what was accepted stays through updates, until Git says something else of the object', async () => {
    await settled(deployment());
    setImage('registry/hotfix:1');
    await bed.resync();
    await ask('accept-drift');
    expect((await bed.pass()).report.problems).toEqual([]);
    await settled(deployment(), configMap('new'));
    expect(image()).toBe('registry/hotfix:1');
    bed.configItems = { drift_mode: 'correct' };
    expect((await bed.resync()).manifests).toMatchObject({ changed: false });
    expect(image()).toBe('registry/hotfix:1');
    await settled(deployment('registry/a:2'), configMap('new'));
    expect(image()).toBe('registry/a:2');
  });

  it('a controller that fights is reported after three corrections and left alone', async () => {
    bed.configItems = { drift_mode: 'correct' };
    await settled(deployment());
    for (let round = 1; round <= 3; round += 1) {
      setImage('registry/fight:1', 'stubborn-controller');
      await bed.resync();
      expect(image(), `round ${round}`).toBe('registry/a:1');
    }
    setImage('registry/fight:1', 'stubborn-controller');
    for (let round = 1; round <= 3; round += 1) {
      const { report } = await bed.resync();
      expect(image()).toBe('registry/fight:1');
      expect(report.problems).toMatchObject([
        {
          type: expect.stringMatching(/drift-fight$/),
          detail: expect.stringContaining('stubborn-controller'),
        },
      ]);
    }
    bed.advance(minutes(20));
    await bed.resync();
    expect(image()).toBe('registry/fight:1');
    await settled(deployment('registry/a:2'));
    expect(image()).toBe('registry/a:2');
  });

  it('an object that somebody deleted is told as missing, and comes back in mode correct', async () => {
    await settled(deployment(), configMap('gone'));
    bed.store.remove('configmaps', 'default', 'gone');
    const { report } = await bed.resync();
    expect(report.problems).toMatchObject([{ detail: 'ConfigMap default/gone is missing' }]);
    // To accept it would be a promise that the next update breaks.
    await bed.request('accept-drift', 'ConfigMap default/gone');
    expect((await bed.pass()).report.problems).toMatchObject([
      { detail: 'ConfigMap default/gone is missing' },
    ]);
    const answered = await withClient(bed.stores.url, (client) =>
      client.query<{ result: string }>('SELECT result FROM manifest_requests'),
    );
    expect(answered.rows).toEqual([{ result: expect.stringContaining('cannot be accepted') }]);
    bed.configItems = { drift_mode: 'correct' };
    await bed.resync();
    expect(bed.store.get('configmaps', 'default', 'gone')).toBeDefined();
  });

  it('its mode comes from the channel, and from the cluster before that; what nobody understands writes nothing', async () => {
    const policy = (drift?: string) => ({
      channels: [{ name: 'dev', branch: 'dev', ...(drift !== undefined && { drift }) }],
    });
    const say = async (drift?: string): Promise<void> => {
      const repository = 'https://git.example.org/fleet.git';
      await bed.stores.channels.syncChannels([{ name: 'dev', repository, branch: 'dev', position: 0 }]);
      const lease = await bed.stores.leases.acquire('channel/dev', 60_000);
      if (!lease) throw new Error('no lease');
      const stored = { channel: 'dev', commit: 'c0ffee', readAt: 1, policy: policy(drift) };
      await bed.stores.decisions.savePolicy(lease, stored, []);
      await bed.stores.leases.release(lease);
    };
    const answer = async () => {
      setImage('registry/evil:1');
      const { report } = await bed.resync();
      const found = { image: image(), told: report.problems.map(({ title }) => title) };
      setImage('registry/a:1');
      await bed.resync();
      return found;
    };
    const left = 'registry/evil:1';
    await settled(deployment());
    expect(await answer()).toEqual({ image: left, told: ['drift'] });
    await say('correct');
    expect(await answer()).toEqual({ image: 'registry/a:1', told: [] });
    bed.configItems = { drift_mode: 'off' };
    expect(await answer()).toEqual({ image: left, told: [] });
    bed.configItems = { drift_mode: 'fix-it' };
    expect(await answer()).toEqual({ image: left, told: ['drift mode unknown', 'drift'] });
    bed.configItems = {};
    await say('off');
    expect(await answer()).toEqual({ image: left, told: [] });
    await say(undefined);
    expect(await answer()).toEqual({ image: left, told: ['drift'] });
  });

  it('values of secrets are never told', async () => {
    const secret: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'default' },
      data: { password: Buffer.from('from-git').toString('base64') },
    };
    await settled(secret);
    const body = { data: { password: Buffer.from('by-hand').toString('base64') } };
    bed.store.patch('secrets', 'default', 's', { type: 'merge', body }, { manager: 'kubectl-edit' });
    const { report } = await bed.resync();
    const told = JSON.stringify([report, await findings()]);
    expect(told).toContain('data.password');
    for (const value of ['from-git', 'by-hand']) {
      expect(told).not.toContain(value);
      expect(told).not.toContain(Buffer.from(value).toString('base64'));
    }
  });
});
