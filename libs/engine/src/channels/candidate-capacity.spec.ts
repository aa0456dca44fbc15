import { describe, expect, it } from 'vitest';
import type { Channel, Cluster, ConfigTree } from '#fleet';
import { FailureError } from '#kernel';
import { cluster, fixtureTree, lock } from '../../../config/src/testing/fixture-repo.js';
import type { EnginePorts } from '../engine-ports.js';
import { createInlineRenderer } from '../render/inline-renderer.js';
import type { Renderer } from '../render/renderer.js';
import { checkCapacity } from './candidate-capacity.js';

const BETA = { name: 'beta', repository: 'r', branch: 'beta', position: 1 } as Channel;
const DEFAULTS = 'cluster/config-defaults.yaml';
const STANDARD = 'L-1216C47A';

const running = fixtureTree();
const defaults = (change: (text: string) => string): ConfigTree =>
  fixtureTree({ [DEFAULTS]: change(running.files.get(DEFAULTS) ?? '') });
const newImage = (text: string): string => text.replace('1.31.4-20251103', '1.31.4-20251117');

function counting(): Renderer & { readonly renders: string[] } {
  const renders: string[] = [];
  const inline = createInlineRenderer({ timeLimit: 60_000 });
  const render = inline.render.bind(inline);
  return Object.assign(inline, {
    renders,
    render: (input: Parameters<Renderer['render']>[0]) => {
      renders.push(input.cluster.alias);
      return render(input);
    },
  });
}

/** Clusters that run `running`, in accounts with so many vCPUs to spare. */
function world(clusters: readonly Cluster[], spare: number | Error): EnginePorts {
  return {
    clock: { now: () => 0 },
    registry: {
      listClusters: async () => clusters,
      getAccount: async () => ({ externalId: '123456789012', owner: 'team-shop' }),
    },
    configs: { inputsLock: async () => ({ inputs: lock() }), overrides: async () => [] },
    updates: { runtime: async () => ({ admittedRevisionId: 'r@1' }) },
    channels: { getRevision: async () => ({ repository: 'r', commit: '1' }) },
    git: { readTree: async () => running },
    aws: {
      connect: async () => ({
        vcpuSupply: async () => {
          if (typeof spare !== 'number') throw spare;
          return {
            quotas: [{ code: STANDARD, name: 'Standard', limit: 100 + spare, used: 100 }],
            types: { 'm5.large': { vcpus: 2, onDemand: STANDARD } },
          };
        },
        freeAddresses: async () => ({}),
      }),
    },
  } as unknown as EnginePorts;
}

const named = (count: number): readonly Cluster[] =>
  Array.from({ length: count }, (_, index) =>
    cluster({ id: `aws:1:eu-central-1:c${index}`, alias: `c${index}` }),
  );

// Real renders take as long as the machine is busy.
describe('room for a candidate', { timeout: 60_000 }, () => {
  it('costs no render where one machine more fits', async () => {
    const renderer = counting();
    const answer = await checkCapacity(world(named(2), 2), renderer, BETA, defaults(newImage));
    expect(answer).toEqual({ problems: [], unknown: [], clusters: 2 });
    expect(renderer.renders).toEqual([]);
  });

  it('is wanted for what is replaced only', async () => {
    const full = world(named(1), 1);
    const told = async (tree: ConfigTree) => (await checkCapacity(full, counting(), BETA, tree)).problems;
    expect(await told(running)).toEqual([]);
    expect(await told(defaults((text) => `${text}\n# a comment\n`))).toEqual([]);
    expect((await told(defaults(newImage))).join()).toMatch(
      /^c0: the rolls of master-default and worker-default need 2 more vCPUs at the peak; "Standard" allows 101 in account 123456789012 \(eu-central-1\), 100 run: not even one more m5\.large/,
    );
    // A node of every pool may be missing.
    expect(await told(defaults((text) => `${newImage(text)}\nmax_unavailable: "1"\n`))).toEqual([]);
  });

  it('is told of a few clusters, not of all', async () => {
    const answer = await checkCapacity(world(named(6), 0), counting(), BETA, defaults(newImage));
    expect(answer.problems).toHaveLength(3);
  });

  it('may be unknown', async () => {
    const denied = new FailureError({ class: 'denied', code: 'aws-denied', message: 'not authorized' });
    const answer = await checkCapacity(world(named(2), denied), counting(), BETA, defaults(newImage));
    expect(answer.problems).toEqual([]);
    expect(answer.unknown).toEqual(['quotas: not authorized (aws-denied)']);
  });
});
