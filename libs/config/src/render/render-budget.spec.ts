import { describe, expect, it } from 'vitest';
import { cluster, fixtureTree, lock } from '../testing/fixture-repo.js';
import { LimitError } from '../template/errors.js';
import { validateRevision } from '../validation/validate-revision.js';
import { renderCluster } from './render-cluster.js';
import { createRenderCache } from './render-input.js';
import type { RenderOptions } from './render-input.js';

const manifest = (name: string): string => `cluster/manifests/a-first/${name}.yaml`;
const ENDLESS = '{{range 9223372036854775807}}{{end}}';

const input = (files: Readonly<Record<string, string>> = {}) => ({
  tree: fixtureTree(files),
  cluster: cluster(),
  inputs: lock(),
});
function problems(files: Readonly<Record<string, string>>, options: RenderOptions = {}) {
  const rendered = renderCluster(input(files), undefined, options);
  return rendered.ok ? [] : rendered.error;
}

it('a revision that is hostile to one cluster is not tried for all the others', () => {
  const clusters = ['a', 'b', 'c'].map((alias) => ({ cluster: cluster({ alias }), inputs: lock() }));
  const found = validateRevision(fixtureTree({ [manifest('x')]: ENDLESS }), clusters);
  expect(found.map(({ code, file, clusters: whose }) => [code, file, whose])).toEqual([
    ['template-limit', manifest('x'), ['a']],
    ['not-rendered', manifest('x'), ['b', 'c']],
  ]);
});

describe('one budget for all files', () => {
  it('is not spent by five hostile files: each is named', () => {
    const names = ['a', 'b', 'c'];
    const found = problems(Object.fromEntries(names.map((name) => [manifest(name), ENDLESS])));
    expect(found.map(({ file, code }) => [file, code])).toEqual(
      names.map((name) => [manifest(name), 'template-limit']),
    );
  });

  it('ends the render when it is spent, and says after which file and what was left', () => {
    const found = problems(
      Object.fromEntries(Array.from({ length: 30 }, (_, index) => [manifest(`f${index + 10}`), ENDLESS])),
    );
    const left = found.filter(({ code }) => code === 'not-rendered');
    expect(left).toHaveLength(1);
    expect(left[0]?.message).toMatch(
      /^\d+ more files were not rendered after cluster\/manifests\/a-first\/f\d+\.yaml \(.*2000000 steps\): /,
    );
    expect(left[0]?.hint).toContain('validate again');
    expect(found.filter(({ code }) => code === 'template-limit').length).toBeGreaterThan(2);
    expect(found.every(({ code }) => code === 'not-rendered' || code === 'template-limit')).toBe(true);
  });

  it.each([
    ['steps', { steps: 1 }],
    ['bytes of output', { outputBytes: -1e9 }],
  ])('counts %s over all files', (_, renderLimits) => {
    expect(problems({}, { renderLimits }).some(({ code }) => code === 'not-rendered')).toBe(true);
  });

  it('ends at the deadline of the caller, between two files as well', () => {
    let files = 0;
    const options: RenderOptions = {
      progress: () => {
        files += 1;
      },
      checkpoint: () => {
        if (files > 12) throw new LimitError('time is up');
      },
    };
    const found = problems({}, options);
    expect(found.some(({ message }) => /time is up/.test(message))).toBe(true);
    expect(found.find(({ code }) => code === 'not-rendered')?.message).toMatch(/\(time is up\)/);
  });

  it('keeps nothing that was made after it was spent', () => {
    const cache = createRenderCache();
    const one = input();
    expect(renderCluster(one, cache, { renderLimits: { steps: 300 } }).ok).toBe(false);
    expect(renderCluster(one, cache)).toEqual(renderCluster(one));
  });
});
