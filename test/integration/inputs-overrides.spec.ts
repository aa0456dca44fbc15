import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register, startBed, type Bed } from '../acceptance/support/bed.js';
import type { ConfigClone } from '../acceptance/support/config-clone.js';
import { eventually } from '../support/eventually.js';

interface Item {
  readonly key: string;
  readonly value: string;
  readonly layers: readonly { readonly layer: string; readonly file?: string; readonly line?: number }[];
}

/** One cluster; later tests build on what earlier ones left. */
describe('config items of a running cluster', () => {
  let bed: Bed;
  let clone: ConfigClone;
  /** Until an override showed, on this machine (ms). */
  let took = 0;
  let id: string;

  beforeAll(async () => {
    bed = await startBed({ speed: 400 });
    id = await register(bed, { alias: 'first' });
    await bed.ready('first');
    clone = await bed.clone();
  }, 480_000);
  afterAll(() => bed.close());

  const item = (key: string) => bed.api.send<Item>('GET', `/api/v1/clusters/first/config/${key}`);
  const value = (key: string, wanted: string) =>
    eventually(async () => {
      const found = await bed.api.try<Item>('GET', `/api/v1/clusters/first/config/${key}`);
      return found.status === 200 && found.body.value === wanted ? found.body : undefined;
    }, `${key} is ${wanted}`);
  const told = async (type: string) =>
    (
      await bed.api.send<{ items: { type: string; message: string }[] }>('GET', '/api/v1/events?limit=500')
    ).items.filter((event) => event.type === type);

  it('say where they come from', async () => {
    const found = await item('coredns_cpu');
    expect(found).toMatchObject({
      value: '100m',
      layers: [{ layer: 'config-defaults', file: 'cluster/config-defaults.yaml' }],
    });
    expect(found.layers[0]?.line).toBeGreaterThan(1);
    expect((await item('etcd_stack_name')).layers.map(({ layer }) => layer)).toEqual([
      'config-defaults',
      'registry',
    ]);
    expect((await bed.api.try('GET', '/api/v1/clusters/first/config/nothing')).status).toBe(404);
  });

  it('are no longer overridden when somebody says so', async () => {
    const body = { key: 'coredns_cpu', value: '222m', reason: 'trying', expires_in: '1h' };
    const asked = Date.now();
    await bed.api.send('POST', '/api/v1/clusters/first/overrides', body);
    await value('coredns_cpu', '222m');
    took = Date.now() - asked;
    await bed.api.send('DELETE', '/api/v1/clusters/first/overrides/coredns_cpu');
    await value('coredns_cpu', '100m');
    expect((await bed.api.try('DELETE', '/api/v1/clusters/first/overrides/coredns_cpu')).status).toBe(404);
    const refused = await bed.api.try('POST', '/api/v1/clusters/first/overrides', { key: 'coredns_cpu' });
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.body)).toMatch(/value.*reason.*expires_in/s);
    const typo = { ...body, key: 'coredns_cpuu' };
    expect(await bed.api.send('POST', '/api/v1/clusters/first/overrides', typo)).toMatchObject({
      warning: 'no other layer sets coredns_cpuu; did you mean coredns_cpu?',
    });
    await bed.api.send('DELETE', '/api/v1/clusters/first/overrides/coredns_cpuu');
    for (const key of ['__proto__', 'constructor']) {
      const hostile = { ...body, key };
      expect((await bed.api.try('POST', '/api/v1/clusters/first/overrides', hostile)).status).toBe(400);
    }
  });

  it('are overridden for a while, with reason, and are themselves again after it', async () => {
    // Long enough to be seen on this machine.
    const lasts = 6 + Math.ceil((4 * took) / 1_000);
    const body = { key: 'coredns_cpu', value: '333m', reason: 'a flood of lookups', expires_in: `${lasts}s` };
    expect(await bed.api.send('POST', '/api/v1/clusters/first/overrides', body)).toMatchObject({
      value: '333m',
      reason: body.reason,
    });
    expect((await value('coredns_cpu', '333m')).layers.at(-1)).toMatchObject({
      layer: 'override',
      reason: body.reason,
    });
    expect(await bed.api.send('GET', '/api/v1/clusters/first/overrides')).toMatchObject({
      items: [{ key: 'coredns_cpu', reason: body.reason }],
    });
    await value('coredns_cpu', '100m');
    await bed.ready('first');
    expect((await told('override.set')).filter(({ message }) => message.includes(body.reason))).toHaveLength(
      1,
    );
    expect((await told('override.expired'))[0]?.message).toContain('a flood of lookups');
    expect(await bed.api.send('GET', '/api/v1/clusters/first/overrides')).toEqual({ items: [] });
  });

  it('are written back to Git by their author, once', async () => {
    await bed.ready('first');
    const updates = (await told('update.started')).length;
    await bed.api.send('PUT', `/kubernetes-clusters/${encodeURIComponent(id)}/config-items/write_back`, {
      value: 'true',
    });
    await eventually(
      async () => ((await told('cluster.written-back')).length > 0 ? true : undefined),
      'written back',
    );
    await clone.git('fetch', '--quiet', 'origin');
    const head = await clone.git('rev-parse', 'origin/dev');
    await bed.ready('first', head);
    expect(await clone.git('diff', '--name-only', 'origin/dev~1', 'origin/dev')).toBe('clusters/first.yaml');
    expect(await clone.git('log', '-1', '--format=%an|%cn', 'origin/dev')).toMatch(
      /^(?!Fairway).+\|Fairway$/,
    );
    const text = await clone.git('show', 'origin/dev:clusters/first.yaml');
    expect(text).toContain('write_back: "true"');
    expect(text).toContain('name: worker-default');
    expect((await item('write_back')).layers.map(({ layer }) => layer)).toEqual(['cluster-file', 'registry']);
    expect(await clone.git('rev-parse', 'origin/dev')).toBe(head);
    expect((await told('cluster.written-back')).length).toBe(1);
    // The changed record is one update; the commit that it made is at most one more, which moves nothing.
    expect((await told('update.started')).length).toBeLessThanOrEqual(updates + 2);
  });

  it('keep what people wrote beside them, and take out only their own', async () => {
    await clone.git('merge', '--quiet', '--ff-only', 'origin/dev');
    await clone.edit('clusters/first.yaml', (text) =>
      text.replace('config_items:\n', 'config_items:\n  coredns_replicas: "3" # by hand\n'),
    );
    await bed.ready('first', await clone.publish('a replica more'));
    await bed.api.send(
      'DELETE',
      `/kubernetes-clusters/${encodeURIComponent(id)}/config-items/etcd_stack_name`,
    );
    await eventually(
      async () => ((await told('cluster.written-back')).length > 1 ? true : undefined),
      'written back again',
    );
    await clone.git('fetch', '--quiet', 'origin');
    const text = await clone.git('show', 'origin/dev:clusters/first.yaml');
    expect(text).toContain('coredns_replicas: "3" # by hand');
    expect(text).not.toContain('etcd_stack_name');
  });

  it('that are wrong in five files of a revision are five problems at once', async () => {
    await clone.git('merge', '--quiet', '--ff-only', 'origin/dev');
    const faults: readonly (readonly [string, (text: string) => string])[] = [
      ['cluster/cluster.yaml', (text) => `{{ .Cluster.ConfigItems.nothing_of_the_kind }}\n${text}`],
      ['cluster/manifests/coredns/deployment.yaml', (text) => `${text}\n{{ if }}\n`],
      ['cluster/node-pools/worker-default/stack.yaml', (text) => `${text}\n{{ nosuchfunction 1 }}\n`],
      ['cluster/etcd-cluster.yaml', (text) => `${text}\n  : [broken\n`],
      ['clusters/first.yaml', (text) => `${text}\nnode_poools: []\n`],
    ];
    for (const [file, change] of faults) await clone.edit(file, change);
    await clone.publish('five mistakes');
    const row = await bed.until('first', 'problems', ({ problems }) => (problems?.length ?? 0) >= 5);
    const details = (row.problems ?? []).map(({ detail }) => detail ?? '').join('\n');
    for (const [file] of faults) expect(details).toContain(join(file));
  });
});
