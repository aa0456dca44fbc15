import { afterEach, describe, expect, it } from 'vitest';
import { cluster, fixtureTree, lock } from '../../../config/src/testing/fixture-repo.js';
import { createInlineRenderer } from './inline-renderer.js';
import { RenderThread } from './render-thread.js';
import { ThreadRenderer, type ThreadRendererOptions } from './thread-renderer.js';

const FILE = 'cluster/manifests/rbac/x.yaml';
const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');
/** Files that together take a second or more; the full reader looks at no deadline while it reads one of them. */
const slow = (count: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `cluster/manifests/rbac/x-${index}.yaml`,
      `a: &x${index} y\n${lines(28_000, (key) => `k${key}: "v"`)}`,
    ]),
  );
const TIMELY = /^(render-time|template-limit|not-rendered)$/;
const objects = (count: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `cluster/manifests/rbac/x-${index}.yaml`,
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x-${index}, namespace: d}\ndata:\n${lines(20_000, (key) => `  k${key}: "a"`)}`,
    ]),
  );

let renderer: ThreadRenderer;
const start = (options: ThreadRendererOptions = {}): void => {
  renderer = new ThreadRenderer({ timeLimit: 60_000, ...options });
};
const input = (files: Readonly<Record<string, string>> = {}) => ({
  tree: fixtureTree(files),
  cluster: cluster(),
  inputs: lock(),
  accountClusters: [cluster()],
});
afterEach(() => renderer.close());

describe('the render thread', () => {
  it('answers what the calling thread would', async () => {
    start();
    const inline = createInlineRenderer();
    const one = input();
    const here = await inline.render(one);
    expect(here.ok).toBe(true);
    expect(await renderer.render(one)).toEqual(here);
    expect(await renderer.render({ ...one, tree: { ...one.tree, commit: 'later' } })).toEqual(
      here.ok && { ok: true, value: { ...here.value, commit: 'later' } },
    );
    expect(await renderer.lookups(one.tree, one.cluster, [])).toEqual(
      await inline.lookups(one.tree, one.cluster, []),
    );
    expect(await renderer.explain(one)).toEqual(await inline.explain(one));
    const bad = input({ [FILE]: '{{ .Nonsense }}' });
    expect(await renderer.render(bad)).toEqual(await inline.render(bad));
  });

  it('answers all who ask at once, in order', async () => {
    start();
    const aliases = ['a', 'b', 'c', 'd'];
    const states = await Promise.all(
      aliases.map((alias) => renderer.render({ ...input(), cluster: cluster({ alias }) })),
    );
    expect(states.map((state) => state.ok)).toEqual([true, true, true, true]);
  });

  it('ends soon after its time, and says where it was', async () => {
    start({ timeLimit: 300 });
    const stopped = await renderer.render(input(slow(12)));
    const told = (stopped.ok ? [] : stopped.error).filter(({ code }) => TIMELY.test(code));
    expect(told).not.toEqual([]);
    expect(told[0]?.file).toMatch(/^cluster\//);
    await renderer.close();
    start();
    expect((await renderer.render(input())).ok).toBe(true);
  });

  it('is killed where it does not look at the clock itself', async () => {
    start();
    const { tree, ...rest } = input(slow(12));
    // What the thread is told to keep to is far more than what it is held to.
    const thread = new RenderThread({ timeLimit: 600_000 }, 300, 256);
    thread.post({ kind: 'tree-part', id: 1, files: [...tree.files] });
    const ended = await thread.run({ what: 'render', tree: { ...tree, id: 1 }, input: rest });
    expect(ended).toMatchObject({ kind: 'stopped', why: 'time' });
    expect(ended.kind === 'stopped' && [...tree.files.keys()][ended.place]).toMatch(/^cluster\//);
    expect(thread.alive).toBe(false);
    await thread.close();
  });

  it('does not outgrow its memory, names the file, and is replaced', async () => {
    start({ memoryMb: 48 });
    const hostile = input(objects(60));
    const begun = performance.now();
    const stopped = await renderer.render(hostile);
    const tried = performance.now() - begun;
    expect(stopped).toMatchObject({
      ok: false,
      error: [{ code: 'render-memory', file: expect.stringContaining('cluster/manifests/rbac/x-') }],
    });
    // The same tree is not tried again at once, whoever asks.
    const again = performance.now();
    await expect(renderer.lookups(hostile.tree, cluster({ alias: 'other' }), [])).rejects.toThrow(/48 MiB/);
    expect(performance.now() - again).toBeLessThan(Math.max(1_000, tried));
    expect((await renderer.render(input())).ok).toBe(true);
  });
});
