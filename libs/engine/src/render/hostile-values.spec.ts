import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConfigProblem, LockedInputs } from '#fleet';
import type { RenderInput } from '#config';
import { cluster, fixtureTree, lock, pool } from '../../../config/src/testing/fixture-repo.js';
import { ThreadRenderer } from './thread-renderer.js';

const RESERVED = ['__proto__', 'constructor', 'prototype'] as const;
const DEFAULTS = 'cluster/config-defaults.yaml';
const FORGED = 'x\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding';

/** An object with an own key of any name, as JSON and databases make them. */
const own = <T>(key: string, value: T): Record<string, T> =>
  JSON.parse(`{${JSON.stringify(key)}: ${JSON.stringify(value)}}`) as Record<string, T>;
const base = (): RenderInput => ({ tree: fixtureTree(), cluster: cluster(), inputs: lock() });
const defaults = (more: string): Partial<RenderInput> => ({
  tree: fixtureTree({ [DEFAULTS]: `${fixtureTree().files.get(DEFAULTS) ?? ''}\n${more}\n` }),
});
const ownFile = (text: string): Partial<RenderInput> => ({
  tree: fixtureTree({ [`clusters/${cluster().alias}.yaml`]: text }),
});
const worker = (configItems: Record<string, string>): Partial<RenderInput> => ({
  cluster: cluster({ nodePools: [pool('master-default'), pool('worker-default', { configItems })] }),
});

type Layers = Readonly<Record<string, Partial<RenderInput>>>;
const keyIn = (key: string): Layers => ({
  'config-defaults.yaml': defaults(`${key}: polluted`),
  'the cluster file': ownFile(`config_items:\n  ${key}: polluted\n`),
  'a pool of the cluster file': ownFile(
    `node_pools:\n- {name: more, profile: worker-default, instance_types: [m5.large], min_size: 1, max_size: 1, config_items: {${key}: polluted}}\n`,
  ),
  'the record': { cluster: cluster({ configItems: own(key, 'polluted') }) },
  'a pool of the record': worker(own(key, 'polluted')),
  'an override': { overrides: [{ key, value: 'polluted', reason: 'test' }] },
});
const valueIn = (text: string): Layers => ({
  'config-defaults.yaml': defaults(`forged: ${JSON.stringify(text)}`),
  'the cluster file': ownFile(`config_items:\n  forged: ${JSON.stringify(text)}\n`),
  'the record': { cluster: cluster({ configItems: { forged: text } }) },
  'a pool of the record': worker({ forged: text }),
  'an override': { overrides: [{ key: 'forged', value: text, reason: 'test' }] },
  'a decrypted value': {
    cluster: cluster({ configItems: { forged: 'aws:kms:AQ' } }),
    inputs: { ...lock(), decrypted: { 'aws:kms:AQ': text } },
  },
  'an output of the cluster stack': { inputs: { ...lock(), clusterStackOutputs: { Forged: text } } },
  'the owner': { account: { name: 'a', owner: text } },
});

describe('through the render thread', () => {
  let renderer: ThreadRenderer;
  beforeAll(() => {
    renderer = new ThreadRenderer({ timeLimit: 60_000 });
  });
  afterAll(() => renderer.close());

  const refused = async (changes: Partial<RenderInput>): Promise<readonly ConfigProblem[]> => {
    const rendered = await renderer.render({ ...base(), ...changes });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    return rendered.ok ? [] : rendered.error;
  };

  for (const key of RESERVED) {
    it.each(Object.entries(keyIn(key)))(`the key ${key} in %s is refused`, async (_, changes) => {
      const problems = await refused(changes);
      expect(problems).not.toEqual([]);
      expect(problems[0]).toMatchObject({ code: 'refused-key', file: expect.any(String) });
      expect(problems[0]?.message).toContain(key);
    });

    it(`the key ${key} in the inputs is an ordinary, missing name`, async () => {
      const inputs: LockedInputs = {
        ...lock(),
        images: { ...lock().images, ...own(key, 'ami-1') },
        subnets: { ...lock().subnets },
        clusterStackOutputs: { ...lock().clusterStackOutputs, ...own(key, 'x') },
      };
      const problems = await refused({
        inputs,
        tree: fixtureTree({
          'cluster/manifests/rbac/x.yaml': `a: {{ .Values.${key} }}\nb: {{ .Values.ClusterStackOutputs.toString }}`,
        }),
      });
      expect(problems).toMatchObject([
        { code: 'template-error', file: 'cluster/manifests/rbac/x.yaml', line: 1 },
      ]);
    });
  }

  it.each(Object.entries(valueIn(FORGED)))(
    'a document forged in %s is refused',
    async (_, changes) => {
      expect(await refused(changes)).toMatchObject([
        { code: 'config-item-breaks-document', hint: expect.stringContaining('base64') },
      ]);
    },
    30_000,
  );
});
