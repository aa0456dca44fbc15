import { describe, expect, it } from 'vitest';
import type { Channel, Cluster, LockedInputs } from '#fleet';
import { cluster, fixtureTree, lock } from '../../../config/src/testing/fixture-repo.js';
import type { EnginePorts } from '../engine-ports.js';
import { createInlineRenderer } from '../render/inline-renderer.js';
import type { Renderer } from '../render/renderer.js';
import { checkCandidate } from './candidate-check.js';

const BETA = { name: 'beta', repository: 'r', branch: 'beta', position: 1 } as Channel;
const REMOVED = 'apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: x, namespace: d}\n';

const NO_LOCK = 'none';

/** Renders as the engine does, and counts. */
function counting(instead?: Renderer['render']): Renderer & { readonly renders: string[] } {
  const renders: string[] = [];
  const inline = createInlineRenderer({ timeLimit: 60_000 });
  return Object.assign(inline, {
    renders,
    render: ((render) => (input: Parameters<Renderer['render']>[0]) => {
      renders.push(input.cluster.alias);
      return render(input);
    })(instead ?? inline.render.bind(inline)),
  });
}

const named = (count: number): readonly Cluster[] =>
  Array.from({ length: count }, (_, index) =>
    cluster({
      id: `aws:1:eu-central-1:c${index}`,
      alias: `c${index}`,
      channel: 'beta',
      lifecycleStatus: 'ready',
    }),
  );

function ports(clusters: readonly Cluster[], inputs: LockedInputs | typeof NO_LOCK = lock()): EnginePorts {
  return {
    clock: { now: () => 0 },
    registry: {
      listClusters: async () => clusters,
      getAccount: async () => undefined,
    },
    configs: {
      standing: async () => ({
        refreshAsked: false,
        overrides: [],
        ...(inputs !== NO_LOCK && { lock: { version: 1, digest: inputs.digest } }),
      }),
      inputsLock: async () => (inputs === NO_LOCK ? undefined : { inputs }),
      overrides: async () => [],
    },
  } as unknown as EnginePorts;
}

// Real renders take as long as the machine is busy.
describe('a candidate', { timeout: 60_000 }, () => {
  it('is rendered for every cluster of the channel, once', async () => {
    const renderer = counting();
    const world = ports(named(2));
    const expected = { problems: [], rendered: 2, clusters: 2 };
    expect(await checkCandidate(world, renderer, BETA, fixtureTree())).toEqual(expected);
    expect(await checkCandidate(world, renderer, BETA, fixtureTree())).toEqual(expected);
    expect(renderer.renders).toEqual(['c0', 'c1']);
    // Another lock is another render.
    const other = ports(named(2), { ...lock(), digest: 'sha256:other' as LockedInputs['digest'] });
    await checkCandidate(other, renderer, BETA, fixtureTree());
    expect(renderer.renders).toHaveLength(4);
  });

  it('that is not valid there is told by cluster, file and line, and not for ever', async () => {
    const renderer = counting();
    const world = ports(named(7));
    const bad = fixtureTree({ 'cluster/manifests/rbac/x.yaml': REMOVED });
    const answer = await checkCandidate(world, renderer, BETA, bad);
    expect(answer.problems).toHaveLength(3);
    expect(answer.problems[0]).toMatch(/^c0: cluster\/manifests\/rbac\/x\.yaml:1: .*policy\/v1beta1/);
    expect((await checkCandidate(world, renderer, BETA, fixtureTree())).problems).toEqual([]);
  });

  it('gets its turn at many clusters bit by bit', async () => {
    // How many, not what: a real render of each would take its time.
    const valid = { ok: true } as Awaited<ReturnType<Renderer['render']>>;
    const renderer = counting(async () => valid);
    const world = ports(named(60));
    const looks = [];
    for (let look = 0; look < 3; look += 1)
      looks.push((await checkCandidate(world, renderer, BETA, fixtureTree())).rendered);
    expect(looks).toEqual([25, 50, 60]);
    expect(renderer.renders).toHaveLength(60);
  });

  it('is not blamed for what its clusters are not locked to yet', async () => {
    const asks = fixtureTree({
      'cluster/manifests/rbac/x.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: d}\ndata: {image: "{{ amiID "brand-new" "1" }}", cpu: "{{ instanceTypeCPUQuantity "z9.huge" }}"}\n',
    });
    expect((await checkCandidate(ports(named(1)), counting(), BETA, asks)).problems).toEqual([]);
    const never = counting();
    expect(await checkCandidate(ports(named(1), NO_LOCK), never, BETA, asks)).toMatchObject({ rendered: 1 });
    expect(never.renders).toEqual([]);
  });

  it('is not blamed for a secret that a check does not decrypt', async () => {
    const secret = cluster({
      id: 'aws:1:eu-central-1:s',
      alias: 's',
      channel: 'beta',
      lifecycleStatus: 'ready',
      configItems: { key: 'aws:kms:AQ' },
    });
    const tree = fixtureTree({
      'cluster/manifests/rbac/x.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: d}\ndata: {key: "{{ publicKey .Cluster.ConfigItems.key }}"}\n',
    });
    expect((await checkCandidate(ports([secret]), counting(), BETA, tree)).problems).toEqual([]);
    const bad = fixtureTree({ 'cluster/manifests/rbac/x.yaml': REMOVED });
    expect((await checkCandidate(ports([secret]), counting(), BETA, bad)).problems).toHaveLength(1);
  });
});
