import type { Component, KubernetesObject } from '#fleet';
import { describe, expect, it } from 'vitest';
import { CLUSTER_LABEL, labelObject, labelValue } from './labels.js';
import { APPLY_SET_ID } from './apply-set.js';
import { planStages } from './stages.js';

const object = (kind: string, name: string, namespace?: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, ...(namespace !== undefined && { namespace }) },
});

function component(
  name: string,
  objects: readonly KubernetesObject[],
  settings: Partial<Component['settings']> = {},
): Component {
  return {
    name,
    digest: 'sha256:0',
    objects: objects.map((each) => ({ object: each, file: `cluster/manifests/${name}/x.yaml`, line: 1 })),
    settings: {
      dependsOn: [],
      wave: 0,
      timeoutMs: 1000,
      health: 'wait',
      prune: true,
      removed: false,
      ignore: [],
      ...settings,
    },
  };
}

const plan = (components: readonly Component[]) => {
  const stages = planStages(components, 'aws:1:eu:k');
  if (!stages.ok) throw new Error(stages.error.message);
  return stages.value;
};

describe('planStages', () => {
  it('puts definitions first, webhooks last, and components by dependency, wave and name', () => {
    const stages = plan([
      component('zeta', [object('Deployment', 'z'), object('ServiceAccount', 'z'), object('ConfigMap', 'z')]),
      component('alpha', [object('Deployment', 'a')], { dependsOn: ['zeta'] }),
      component('late', [object('Job', 'l')], { wave: 2 }),
      component('crds', [
        object('CustomResourceDefinition', 'c'),
        object('Namespace', 'n'),
        object('ClusterRole', 'r'),
        object('PriorityClass', 'p'),
        object('ValidatingWebhookConfiguration', 'v'),
        object('Widget', 'w'),
      ]),
    ]);
    const lines = stages.map(
      (stage) =>
        `${stage.name}: ${stage.batches.map((batch) => batch.map((each) => each.object.kind).join('+')).join(' > ')}`,
    );
    expect(lines).toEqual([
      'definitions: CustomResourceDefinition > Namespace > ClusterRole',
      'classes: PriorityClass',
      'component/crds: Widget',
      'component/zeta: ServiceAccount > ConfigMap > Deployment',
      'component/alpha: Deployment',
      'component/late: Job',
      'webhooks: ValidatingWebhookConfiguration',
    ]);
    expect(stages.find((stage) => stage.component === 'alpha')?.after).toEqual(['zeta']);
    expect(stages[0]?.waitFor).toBe('established');
  });

  it('labels every object', () => {
    const [stage] = plan([component('a', [object('ConfigMap', 'c')])]);
    expect(stage?.batches[0]?.[0]?.object.metadata.labels).toEqual({
      'app.kubernetes.io/managed-by': 'fairway',
      'applyset.kubernetes.io/part-of': APPLY_SET_ID,
      'fairway.dev/cluster': 'aws-1-eu-k',
      'fairway.dev/component': 'a',
    });
  });

  it('leaves removed components out and counts a dependency on them as met', () => {
    const stages = plan([
      component('gone', [], { removed: true }),
      component('a', [object('ConfigMap', 'c')], { dependsOn: ['gone'] }),
    ]);
    expect(stages.map((stage) => stage.name)).toEqual(['component/a']);
    expect(stages[0]?.after).toEqual([]);
  });

  it('names a cycle', () => {
    const cycle = planStages([
      component('a', [], { dependsOn: ['b'] }),
      component('b', [], { dependsOn: ['c'] }),
      component('c', [], { dependsOn: ['b'] }),
    ]);
    expect(cycle).toMatchObject({ ok: false, error: { class: 'invalid', code: 'component-cycle' } });
    expect(cycle.ok ? '' : cycle.error.message).toContain('b → c → b');
  });

  it('names a dependency that does not exist', () => {
    const unknown = planStages([component('a', [], { dependsOn: ['b'] })]);
    expect(unknown.ok ? '' : unknown.error.message).toContain('depends on b');
  });
});

describe('labelObject', () => {
  it('keeps the author’s labels and leaves the given object alone', () => {
    const given = { ...object('ConfigMap', 'c'), metadata: { name: 'c', labels: { app: 'x' } } };
    const labelled = labelObject(given, { clusterId: 'aws:1:eu:k', component: 'a' });
    expect(labelled.metadata.labels).toMatchObject({ app: 'x', [CLUSTER_LABEL]: 'aws-1-eu-k' });
    expect(given.metadata.labels).toEqual({ app: 'x' });
  });
  it('makes label values that Kubernetes accepts', () => {
    for (const text of ['aws:1:eu:k', '-x-', 'a'.repeat(99), `${'a'.repeat(62)}:b`]) {
      expect(labelValue(text)).toMatch(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
    }
  });
});
