import { describe, expect, it } from 'vitest';
import type { Cluster } from '#fleet';
import { clusterFileText } from './cluster-file-text.js';

const pool = {
  name: 'w',
  profile: 'worker',
  instanceTypes: ['m5.large'],
  discountStrategy: 'none',
  minSize: 1,
  maxSize: 2,
  configItems: {},
};
const cluster = (configItems: Record<string, string>, nodePools = [pool]): Cluster =>
  ({ id: 'aws:1:eu:kube-1', alias: 'one', configItems, nodePools }) as unknown as Cluster;
const none: ReadonlySet<string> = new Set();

describe('clusterFileText', () => {
  it('writes a new file in which every value is text', () => {
    const made = clusterFileText(undefined, { cluster: cluster({ b: 'true', a: '010' }), sensitive: none });
    expect(made?.text).toContain('config_items:\n  a: "010"\n  b: "true"\n');
    expect(made?.text).toContain('min_size: 1\n');
    expect(made?.written).toEqual({ keys: ['a', 'b'], pools: ['w'] });
  });

  it('changes nothing in a file that says the same', () => {
    const wish = { cluster: cluster({ a: 'x\ny', b: '' }), sensitive: none };
    const once = clusterFileText(undefined, wish);
    expect(clusterFileText(once?.text, wish)?.text).toBe(once?.text);
  });

  it('leaves what people wrote, and takes out only what it had put in', () => {
    const existing =
      '# ours\nconfig_items:\n  by_hand: "1" # keep\n  mine: "2"\nnode_pools:\n  - {name: old, profile: p}\n  - {name: theirs, profile: q}\n';
    const made = clusterFileText(existing, {
      cluster: cluster({ fresh: 'z' }),
      sensitive: none,
      before: { keys: ['mine'], pools: ['old'] },
    });
    expect(made?.text).toMatch(/^# ours\n/);
    expect(made?.text).toContain('by_hand: "1" # keep');
    expect(made?.text).toContain('theirs');
    expect(made?.text).not.toMatch(/mine|old/);
  });

  it('keeps sensitive values out unless they are cipher text', () => {
    const items = { secret: 'hush', sealed: 'aws:kms:AQ==' };
    const made = clusterFileText('', {
      cluster: cluster(items, []),
      sensitive: new Set(['secret', 'sealed']),
    });
    expect(made?.text).not.toContain('hush');
    expect(made?.text).toContain('sealed: aws:kms:AQ==');
  });

  it.each(['- a list', 'config_items: text', 'node_pools: {}', 'a: [', 'a: 1\na: 2'])(
    'leaves alone a file that it does not understand: %s',
    (text) =>
      expect(clusterFileText(text, { cluster: cluster({ a: '1' }), sensitive: none })).toBeUndefined(),
  );
});
