import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ConfigProblem, DesiredState } from '#fleet';
import { cluster, fixtureTree, lock, pool } from '../testing/fixture-repo.js';
import { lookupsOf } from './lookups.js';
import { renderCluster, renderFiles } from './render-cluster.js';
import { createRenderCache } from './render-input.js';
import type { RenderInput } from './render-input.js';

const DEFAULTS = 'cluster/config-defaults.yaml';
const input = (changes: Partial<RenderInput> = {}): RenderInput => ({
  tree: fixtureTree(),
  cluster: cluster(),
  inputs: lock(),
  ...changes,
});

function state(changes: Partial<RenderInput> = {}): DesiredState {
  const rendered = renderCluster(input(changes));
  if (!rendered.ok) throw new Error(JSON.stringify(rendered.error, null, 1));
  return rendered.value;
}

function errors(changes: Partial<RenderInput>): readonly ConfigProblem[] {
  const rendered = renderCluster(input(changes));
  if (rendered.ok) throw new Error('it rendered');
  return rendered.error;
}

const withDefaults = (text: string) => {
  const tree = fixtureTree();
  return fixtureTree({ [DEFAULTS]: `${tree.files.get(DEFAULTS) ?? ''}\n${text}` });
};

describe('the fixture repository', () => {
  it('renders for three masters and four workers', () => {
    const { nodePools, components, clusterStack, etcdStack, warnings, kubernetesVersion } = state();
    expect(nodePools.map((one) => [one.name, one.master, one.stack.name])).toEqual([
      ['master-default', true, 'nodepool-master-default-aws-123456789012-eu-central-1-kube-1'],
      ['worker-default', false, 'nodepool-worker-default-aws-123456789012-eu-central-1-kube-1'],
    ]);
    expect(components.map(({ name }) => name)).toEqual([
      'coredns',
      'egress',
      'ingress',
      'kube-proxy',
      'metrics',
      'platform-config',
      'rbac',
      'shop',
    ]);
    expect(clusterStack.name).toBe('kube-1');
    expect(etcdStack?.name).toBe('etcd-cluster-etcd');
    expect(kubernetesVersion).toBe('1.31.4');
    expect(warnings).toEqual([]);
  });

  it('gives node pools their image, user data, subnets, tags and target group', () => {
    const [master, worker] = state().nodePools;
    const body = (text = '') =>
      parse(text.replaceAll(/!\w+/g, '')) as {
        Resources: Record<string, { Properties: Record<string, unknown> }>;
      };
    const group = body(master?.stack.body).Resources['AutoScalingGroup']?.Properties ?? {};
    expect(group['TargetGroupARNs']).toEqual([
      'arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/kube-1-api/1',
    ]);
    expect(group['VPCZoneIdentifier']).toEqual(['subnet-a', 'subnet-b', 'subnet-c']);
    expect(group['Tags']).toContainEqual({
      Key: 'kubernetes.io/cluster/aws:123456789012:eu-central-1:kube-1',
      Value: 'owned',
      PropagateAtLaunch: true,
    });
    expect(group['Tags']).toContainEqual({
      Key: 'kubernetes.io/node-pool',
      Value: 'master-default',
      PropagateAtLaunch: true,
    });
    const template = body(worker?.stack.body).Resources['LaunchTemplate']?.Properties[
      'LaunchTemplateData'
    ] as Record<string, string>;
    expect(template['ImageId']).toBe('ami-0a1310000000000a1');
    expect(Buffer.from(template['UserData'] ?? '', 'base64').toString()).toBe(worker?.userData);
    expect(worker?.userData).toContain('NODE_ROLE=worker');
    expect(worker?.stack.body).not.toContain('TargetGroupARNs');
  });

  it('takes an image by its id as well', () => {
    const { nodePools } = state({ cluster: cluster({ configItems: { node_image: 'ami-direct' } }) });
    expect(nodePools[0]?.stack.body).toContain('ImageId: "ami-direct"');
  });

  it('writes octal modes as Kubernetes reads them, and hashes of siblings', () => {
    const coredns = state().components.find(({ name }) => name === 'coredns');
    const deployment = coredns?.objects.find(({ object }) => object.kind === 'Deployment')?.object;
    expect(JSON.stringify(deployment)).toContain('"defaultMode":420');
    expect(JSON.stringify(deployment)).toMatch(/"config\/hash":"[0-9a-f]{64}"/);
    expect(coredns?.settings).toMatchObject({
      dependsOn: ['platform-config', 'rbac'],
      timeoutMs: 600_000,
      prune: true,
    });
  });

  it('is complete but provisional while the cluster stack has no outputs', () => {
    const { clusterStackOutputs: _none, ...rest } = lock();
    const provisional = state({ inputs: rest });
    expect(provisional.provisional).toBe(true);
    expect(provisional.nodePools[0]?.stack.body).toContain('provisional-ApiTargetGroupArn');
    expect(state().provisional).toBe(false);
  });

  it('says what to look up first', () => {
    expect(lookupsOf(fixtureTree(), cluster())).toEqual({
      images: [{ name: 'fairway-node-1.31.4-20251103', owner: '861068367966' }],
      instanceTypes: ['m5.large'],
      cipherTexts: [],
    });
  });

  it('renders as files, a pool under its own name', () => {
    const { files } = renderFiles(
      input({ cluster: cluster({ nodePools: [pool('blue', { profile: 'worker-default' })] }) }),
    );
    const paths = files.map(({ path }) => path);
    expect(paths).toContain('cluster/node-pools/blue/userdata.yaml');
    expect(paths).toContain('cluster/manifests/coredns/deployment.yaml');
    expect(paths).not.toContain('cluster/node-pools/worker-default/stack.yaml');
  });
});

describe('rendering is a function of its inputs', () => {
  it('gives the same digest again, whatever the order of the record', () => {
    const items = { coredns_replicas: '3', shop_replicas: '2', ingress_replicas: '4' };
    const turned = Object.fromEntries(Object.entries(items).reverse());
    const other = cluster({ configItems: turned, recordVersion: 9 });
    expect(state({ cluster: other }).digest).toBe(state({ cluster: cluster({ configItems: items }) }).digest);
  });

  it('another commit with the same effect has the same digest; a changed item another', () => {
    const tree = fixtureTree();
    expect(state({ tree: { ...tree, commit: 'f'.repeat(40) } }).digest).toBe(state().digest);
    expect(state({ cluster: cluster({ configItems: { shop_replicas: '4' } }) }).digest).not.toBe(
      state().digest,
    );
  });

  it('renders only the component that a commit touches', () => {
    const cache = createRenderCache();
    const first = renderCluster(input(), cache);
    const file = 'cluster/manifests/shop/configmap.yaml';
    const before = fixtureTree();
    const tree = fixtureTree({ [file]: `${before.files.get(file) ?? ''}  more: "yes"\n` });
    const second = renderCluster(input({ tree }), cache);
    if (!first.ok || !second.ok) throw new Error('not rendered');
    const changed = second.value.components.filter((one, at) => one !== first.value.components[at]);
    expect(changed.map(({ name }) => name)).toEqual(['shop']);
    expect(renderCluster(input({ tree }), cache)).toBe(second);
  });

  it('renders a component without actions once for all clusters', () => {
    const cache = createRenderCache();
    const plain = fixtureTree({
      'cluster/manifests/plain/x.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x, namespace: d }\n',
    });
    const of = (alias: string, options = {}) => {
      const rendered = renderCluster(input({ tree: plain, cluster: cluster({ alias }) }), cache, options);
      if (!rendered.ok) throw new Error(JSON.stringify(rendered.error));
      return (name: string) => rendered.value.components.find((component) => component.name === name);
    };
    expect(of('a')('plain')).toBe(of('b')('plain'));
    expect(of('a')('coredns')).not.toBe(of('b')('coredns'));
    expect(of('a')('plain')).not.toBe(of('b', { duplicateKeys: 'warning' })('plain'));
  });

  it('compresses user data that EC2 would refuse', () => {
    const file = 'cluster/node-pools/worker-default/userdata.yaml';
    const text = `#cloud-config\n${Array.from({ length: 900 }, (_, i) => `# line ${i} of {{ .NodePool.Name }}`).join('\n')}\n`;
    const worker = state({ tree: fixtureTree({ [file]: text }) }).nodePools[1];
    const encoded = /UserData: "([^"]+)"/.exec(worker?.stack.body ?? '')?.[1] ?? '';
    expect(gunzipSync(Buffer.from(encoded, 'base64')).toString()).toBe(worker?.userData);
  });
});

describe('layers', () => {
  const value = (key: string, changes: Partial<RenderInput>): string | undefined =>
    state(changes).nodePools[0]?.configItems[key];

  it('lie over each other: defaults, cluster file, registry, override', () => {
    const tree = fixtureTree({
      'clusters/sandbox-1.yaml': 'config_items: { shop_replicas: 5, ingress_replicas: "6" }\n',
    });
    const record = cluster({ configItems: { ingress_replicas: '7' } });
    const overrides = [{ key: 'coredns_replicas', value: '8', reason: 'load test' }];
    expect(value('shop_image', { tree })).toBe('registry.example.org/shop:1.4.0');
    expect(value('shop_replicas', { tree })).toBe('5');
    expect(value('ingress_replicas', { tree, cluster: record })).toBe('7');
    expect(value('coredns_replicas', { tree, cluster: record, overrides })).toBe('8');
  });

  it('keeps defaults as written and lets them see the record but not its items', () => {
    const tree = withDefaults(
      'octal: 010\nflag: yes\nbig: 1e3\nblank:\nitems: "{{ len .Cluster.ConfigItems }}"\npools: "{{ len .Cluster.NodePools }}"',
    );
    const record = cluster({ configItems: { shop_replicas: '9' } });
    const { configItems } = state({ tree, cluster: record }).nodePools[0] ?? { configItems: {} };
    expect(configItems).toMatchObject({
      octal: '010',
      flag: 'yes',
      big: '1e3',
      blank: '',
      items: '0',
      pools: '2',
    });
  });

  it('gives pools of their own items first, then those of the cluster', () => {
    const pools = [
      pool('master-default'),
      pool('worker-default', { configItems: { ebs_root_volume_size: '99', labels: 'a=b' } }),
    ];
    const { nodePools } = state({ cluster: cluster({ nodePools: pools }) });
    expect(nodePools[0]?.configItems['ebs_root_volume_size']).toBe('50');
    expect(nodePools[1]?.configItems).toMatchObject({
      ebs_root_volume_size: '99',
      kubernetes_version: '1.31.4',
    });
    expect(nodePools[1]?.userData).toContain('lifecycle-status=ready,a=b');
  });

  it('adds pools that only the cluster file has', () => {
    const file =
      'node_pools:\n- { name: extra, profile: worker-default, instance_types: [m5.large], min_size: 1, max_size: 2 }\n';
    const { nodePools } = state({ tree: fixtureTree({ 'clusters/sandbox-1.yaml': file }) });
    expect(nodePools.map(({ name }) => name)).toEqual(['master-default', 'worker-default', 'extra']);
  });

  it('puts secrets in clear into the render only', () => {
    const record = cluster({ configItems: { shop_greeting: 'aws:kms:AQICAH' } });
    const rendered = state({ cluster: record, inputs: lock({ decrypted: { 'aws:kms:AQICAH': 'hush' } }) });
    expect(JSON.stringify(rendered.components)).toContain('hush to sandbox-1');
    expect(errors({ cluster: record })).toMatchObject([{ code: 'not-decrypted', field: 'shop_greeting' }]);
    expect(lookupsOf(fixtureTree(), record).cipherTexts).toEqual(['aws:kms:AQICAH']);
  });
});

describe('faults', () => {
  it('are reported all at once, each with its place', () => {
    const tree = fixtureTree({
      'cluster/manifests/shop/configmap.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Cluster.ConfigItems.nope }}\n',
      'cluster/manifests/egress/route.yaml': 'kind: EgressRoute\nmetadata: { name: x }\n',
      'cluster/manifests/metrics/metrics-server.yaml': 'a: 1\nb: 2\na: 3\n',
      'cluster/manifests/deletions.yaml': 'pre_apply:\n- { kind: Pod, name: a, labels: { b: c } }\n',
      'cluster/cluster.yaml': 'Resources: {}\n',
    });
    const nodePools = [pool('master-default', { profile: 'master-defualt' })];
    const found = errors({ tree, cluster: cluster({ nodePools }) });
    expect(found.filter(({ hint = '' }) => hint === '')).toEqual([]);
    expect(found.map(({ code, file, line }) => [code, file, line])).toEqual([
      ['invalid-stack', 'cluster/cluster.yaml', 1],
      ['invalid-deletion', 'cluster/manifests/deletions.yaml', 1],
      ['invalid-object', 'cluster/manifests/egress/route.yaml', 1],
      ['invalid-yaml', 'cluster/manifests/metrics/metrics-server.yaml', 3],
      ['template-error', 'cluster/manifests/shop/configmap.yaml', 4],
      ['unknown-profile', 'registry/aws:123456789012:eu-central-1:kube-1', undefined],
    ]);
  });

  it('names the other config items that a file stopped at its first one lacks', () => {
    const item = (name: string): string => `  ${name}: "{{ .Cluster.ConfigItems.${name} }}"\n`;
    const data = ['first_gone', 'shop_greeting', 'second_gone', 'third_gone'].map(item).join('');
    const tree = fixtureTree({
      'cluster/manifests/shop/configmap.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x, namespace: shop }\ndata:\n${data}`,
    });
    const [fault] = errors({ tree });
    expect(fault?.message).toContain('"first_gone"');
    expect(fault?.hint).toMatch(/names: second_gone, third_gone\.$/);
  });

  it('in several files of one component are reported all at once as well', () => {
    const dir = 'cluster/manifests/egress';
    const pdb =
      'apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: { name: x, namespace: d }\n';
    const twice = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: y, namespace: d }\n';
    const tree = fixtureTree({
      [`${dir}/a.yaml`]: '{{ nope }}\n',
      [`${dir}/b.yaml`]: pdb,
      [`${dir}/c.yaml`]: 'kind: X\n',
      [`${dir}/d.yaml`]: 'a: [\n',
      [`${dir}/e.yaml`]: `${twice}---\n${twice}`,
    });
    expect(errors({ tree }).map(({ code, file }) => [code, file.slice(dir.length + 1)])).toEqual([
      ['template-syntax', 'a.yaml'],
      ['removed-api', 'b.yaml'],
      ['invalid-object', 'c.yaml'],
      ['invalid-yaml', 'd.yaml'],
      ['duplicate-object', 'e.yaml'],
    ]);
  });

  it.each([
    ['a cyclic alias', 'data: &a { self: *a }', 'cyclic-yaml'],
    [
      'an alias bomb',
      `a: &a [x]\n${Array.from({ length: 12 }, (_, i) => `b${i}: &b${i} [*${i ? `b${i - 1}` : 'a'}, *${i ? `b${i - 1}` : 'a'}, *${i ? `b${i - 1}` : 'a'}, *${i ? `b${i - 1}` : 'a'}, *${i ? `b${i - 1}` : 'a'}]`).join('\n')}`,
      '',
    ],
    ['a key that reaches into objects', 'data: { __proto__: { polluted: yes } }', 'refused-key'],
    ['a broken indentation', 'a: "unclosed', 'invalid-yaml'],
  ])('%s in a manifest', (_name, yaml, code) => {
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n${yaml}\n`;
    const [first] = errors({ tree: fixtureTree({ 'cluster/manifests/shop/extra.yaml': text }) });
    expect(first?.file).toBe('cluster/manifests/shop/extra.yaml');
    if (code) expect(first?.code).toBe(code);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('a config item that would begin another document', () => {
    const evil = 'x"\n---\nkind: ClusterRoleBinding\napiVersion: rbac.authorization.k8s.io/v1\n';
    expect(errors({ cluster: cluster({ configItems: { shop_greeting: evil } }) })[0]).toMatchObject({
      code: 'config-item-breaks-document',
      field: 'shop_greeting',
    });
  });

  it.each(['__proto__', 'constructor', 'prototype'])('the key %s in any layer', (key) => {
    const items = Object.fromEntries([[key, 'x']]);
    const file = fixtureTree({ 'clusters/sandbox-1.yaml': `config_items: { "${key}": x }\n` });
    for (const changes of [
      { cluster: cluster({ configItems: items }) },
      { tree: withDefaults(`"${key}": x`) },
      { tree: file },
      { overrides: [{ key, value: 'x', reason: 'r' }] },
      { cluster: cluster({ nodePools: [pool('master-default', { configItems: items })] }) },
    ]) {
      expect(errors(changes).map(({ code }) => code)).toContain('refused-key');
    }
  });

  it('two objects with one identity, even in two components', () => {
    const text =
      'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: coredns, namespace: kube-system }\n';
    expect(errors({ tree: fixtureTree({ 'cluster/manifests/shop/sa.yaml': text }) })).toMatchObject([
      { code: 'duplicate-object', file: 'cluster/manifests/shop/sa.yaml', line: 1 },
    ]);
  });

  it('an image that is not there, an instance type that is unknown', () => {
    const inputs = lock({ images: {}, instanceTypes: {} });
    expect(errors({ inputs }).map(({ code }) => code)).toContain('unknown-instance-type');
    const { instanceTypes } = lock();
    expect(errors({ inputs: lock({ images: {}, instanceTypes }) })[0]?.message).toContain(
      'not exactly one image',
    );
  });

  it('broken defaults do not drown the rest', () => {
    const found = errors({ tree: fixtureTree({ [DEFAULTS]: 'a: {{ .Cluster.Nope }}\n' }) });
    expect(found[0]).toMatchObject({ file: DEFAULTS, line: 1, code: 'template-error' });
    expect(found.length).toBeLessThan(4);
  });

  it('a missing cluster stack and a render without objects', () => {
    expect(errors({ tree: fixtureTree({ 'cluster/cluster.yaml': null }) })[0]?.code).toBe('missing-file');
    const files = Object.fromEntries(
      [...fixtureTree().files.keys()]
        .filter((path) => path.startsWith('cluster/manifests/'))
        .map((path) => [path, '# nothing\n']),
    );
    expect(errors({ tree: fixtureTree(files) })[0]?.code).toBe('empty-render');
  });

  it('warns of budgets that never allow, and of APIs about to go; refuses removed ones', () => {
    const record = cluster({ configItems: { ingress_replicas: '2' } });
    expect(state({ cluster: record }).warnings).toMatchObject([
      { code: 'pdb-never-allows', file: 'cluster/manifests/ingress/pdb.yaml', line: 1 },
    ]);
    const flow =
      'apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: FlowSchema\nmetadata: { name: x }\n';
    const tree = fixtureTree({ 'cluster/manifests/rbac/flow.yaml': flow });
    expect(state({ tree }).warnings).toMatchObject([{ code: 'deprecated-api' }]);
    const newer = cluster({ configItems: { kubernetes_version: 'v1.32.1' } });
    expect(errors({ tree, cluster: newer })).toMatchObject([{ code: 'removed-api', field: 'apiVersion' }]);
  });

  it('with a schema: unknown keys with the nearest one, and wrong types', () => {
    const properties = Object.fromEntries(
      Object.keys(state().nodePools[0]?.configItems ?? {}).map((key) => [
        key,
        { type: key.endsWith('_replicas') ? 'integer' : 'string' },
      ]),
    );
    const schema = JSON.stringify({
      properties: { ...properties, shop_key: { sensitive: true, default: 'k' } },
    });
    const tree = fixtureTree({ 'cluster/config.schema.json': schema });
    expect(state({ tree }).nodePools[0]?.configItems['shop_key']).toBe('k');
    const record = cluster({ configItems: { shop_replica: '3', coredns_replicas: 'two' } });
    expect(errors({ tree, cluster: record })).toMatchObject([
      { code: 'config-item-type', field: 'coredns_replicas' },
      { code: 'unknown-config-item', field: 'shop_replica', hint: 'Did you mean shop_replicas?' },
    ]);
  });
});
