import { describe, expect, it } from 'vitest';
import { renderCluster } from '../render/render-cluster.js';
import { cluster, fixtureTree, lock } from '../testing/fixture-repo.js';
import { validateRevision } from '../validation/validate-revision.js';
import { diffDesired, groupDiffs } from './diff-desired.js';
import { diffLines } from './diff-lines.js';
import { explain } from './explain.js';

const SECRET = 'aws:kms:AQICAHsecret';
const inputs = lock({ decrypted: { [SECRET]: 'hush' } });

function state(
  changes: Readonly<Record<string, string | null>> = {},
  alias = 'sandbox-1',
  localId = 'kube-1',
) {
  const record = cluster({ alias, localId, id: `aws:123456789012:eu-central-1:${localId}` });
  const rendered = renderCluster({ tree: fixtureTree(changes), cluster: record, inputs });
  if (!rendered.ok) throw new Error(JSON.stringify(rendered.error));
  return rendered.value;
}

describe('explain', () => {
  it('shows every layer and the winner', () => {
    const tree = fixtureTree({ 'clusters/sandbox-1.yaml': 'config_items:\n  shop_replicas: "5"\n' });
    const record = cluster({ configItems: { shop_replicas: '7' } });
    const overrides = [{ key: 'shop_replicas', value: '9', reason: 'sale', expiresAt: 1 }];
    const [item] = explain({ tree, cluster: record, inputs, overrides }, 'shop_replicas');
    expect(item).toMatchObject({ value: '9', sensitive: false, commit: tree.commit });
    expect(item?.layers).toEqual([
      {
        layer: 'config-defaults',
        value: '3',
        file: 'cluster/config-defaults.yaml',
        line: expect.any(Number),
      },
      { layer: 'cluster-file', value: '5', file: 'clusters/sandbox-1.yaml', line: 1 },
      { layer: 'registry', value: '7' },
      { layer: 'override', value: '9', reason: 'sale', expiresAt: 1 },
    ]);
    const line = item?.layers[0]?.line ?? 0;
    expect(tree.files.get('cluster/config-defaults.yaml')?.split('\n')[line - 1]).toContain('shop_replicas');
  });

  it('masks what came encrypted', () => {
    const record = cluster({ configItems: { shop_greeting: SECRET } });
    const items = explain({ tree: fixtureTree(), cluster: record, inputs });
    expect(JSON.stringify(items)).not.toMatch(/hush|AQICAH/);
    expect(items.find(({ key }) => key === 'shop_greeting')).toMatchObject({ value: '***', sensitive: true });
    expect(items.find(({ key }) => key === 'vpc_id')?.layers).toEqual([{ layer: 'inputs', value: 'vpc-1' }]);
  });
});

describe('diff', () => {
  it('is empty for equal states', () => {
    expect(diffDesired(state(), state())).toEqual([]);
  });

  it('shows objects and stacks that come, change and go', () => {
    const changes = diffDesired(
      state(),
      state({
        'cluster/manifests/rbac/more.yaml':
          'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: more }\n',
        'cluster/manifests/egress/route.yaml': null,
        'cluster/manifests/coredns/pdb.yaml':
          'apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: coredns\n  namespace: kube-system\nspec:\n  maxUnavailable: 2\n  selector:\n    matchLabels: { application: coredns }\n',
      }),
    );
    expect(changes.map(({ kind, subject }) => [kind, subject])).toEqual([
      ['create', 'object ServiceAccount more'],
      ['delete', 'object platform.example.org/EgressRoute kube-system/default'],
      ['change', 'object policy/PodDisruptionBudget kube-system/coredns'],
    ]);
    expect(changes[2]?.lines.filter((line) => /^[+-]/.test(line))).toEqual([
      '-  maxUnavailable: 1',
      '+  maxUnavailable: 2',
    ]);
  });

  it('hides secrets and user data', () => {
    const secret = (value: string) => ({
      'cluster/manifests/shop/secret.yaml': `apiVersion: v1\nkind: Secret\nmetadata: { name: s, namespace: shop }\nstringData: { key: ${value} }\n`,
      'cluster/node-pools/worker-default/userdata.yaml': `#cloud-config\n# ${value} and enough text to be long in base64\n`,
    });
    const changes = diffDesired(state(secret('old-hush')), state(secret('new-hush')));
    expect(changes.map(({ subject }) => subject)).toEqual([
      'object Secret shop/s',
      'user data worker-default',
    ]);
    const base64 = Buffer.from('# new-hush and enough').toString('base64').slice(4, 20);
    expect(JSON.stringify(changes)).not.toMatch(new RegExp(`hush|${base64}`));
  });

  it('groups clusters whose changes differ by their names, and hashes of them, only', () => {
    const change = {
      'cluster/manifests/shop/configmap.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: shop, namespace: shop }\ndata: { greeting: "{{ .Cluster.Alias }}" }\n',
      'cluster/manifests/shop/secret.yaml':
        'apiVersion: v1\nkind: Secret\nmetadata: { name: shop, namespace: shop }\nstringData: { of: "{{ .Cluster.Alias }}" }\n',
    };
    const names = ['one', 'two', 'three'];
    const diffs = new Map(
      names.map((name) => [
        name,
        {
          names: [name, `kube-${name}`],
          changes: diffDesired(state({}, name, `kube-${name}`), state(change, name, `kube-${name}`)),
        },
      ]),
    );
    expect(groupDiffs(diffs).map(({ clusters }) => clusters)).toEqual([names]);
  });

  it('has a line for each line', () => {
    expect(diffLines('a\nb\nc\nd\ne\nf\ng\n', 'a\nb\nX\nd\ne\nf\ng\nh\n')).toEqual([
      ' a',
      ' b',
      '-c',
      '+X',
      ' d',
      ' e',
      ' f',
      ' g',
      '+h',
    ]);
    expect(diffLines('', 'a\n')).toEqual(['+a']);
  });
});

describe('a revision for many clusters', () => {
  it('says once what many have, and whose it is', () => {
    const tree = fixtureTree({ 'cluster/manifests/shop/bad.yaml': 'kind: X\n' });
    const bad = { configItems: { ingress_replicas: '2' } };
    const clusters = [cluster({ alias: 'a' }), cluster({ alias: 'b', ...bad })].map((record) => ({
      cluster: record,
      inputs,
    }));
    expect(validateRevision(tree, clusters)).toMatchObject([
      { code: 'pdb-never-allows', severity: 'warning', clusters: ['b'] },
      { code: 'invalid-object', clusters: ['a', 'b'] },
    ]);
  });
});
