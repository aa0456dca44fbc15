import { describe, expect, it } from 'vitest';
import type { EnginePorts } from '../engine-ports.js';
import type { Pass } from '../pass/pass.js';
import { bootThrottle, reportBoots } from './roll-throttle.js';

const quiet = { inFlight: 0, clean: 0, strained: false };

/** Passes of clusters that one worker process reconciles. */
function worker(): (id: string, registry?: string) => Pass {
  const ports = { clock: { now: () => 0 } } as unknown as EnginePorts;
  return (id, registry) =>
    ({
      ports,
      cluster: {
        id,
        region: 'eu-central-1',
        configItems: registry === undefined ? {} : { image_registry: registry },
      },
      account: { externalId: id },
    }) as unknown as Pass;
}

describe('the throttle of boots', () => {
  it('is shared by the clusters that pull from one registry: failed pulls of one halve it for all', () => {
    const pass = worker();
    const [one, two] = [pass('one', 'images.example'), pass('two', 'images.example')];
    const before = bootThrottle(two).free;
    reportBoots(one, 'node-pools', { ...quiet, inFlight: 2, strained: true });
    expect(bootThrottle(two).free).toBe(before / 2 - 2);
    expect(bootThrottle(two).reason).toContain('registry/images.example');
    reportBoots(one, 'node-pools', { ...quiet, clean: 1 });
    expect(bootThrottle(two).free).toBe(before / 2 + 1);
  });

  it('counts masters and workers of one cluster, each by its step', () => {
    const pass = worker();
    const [one, two] = [pass('one', 'r'), pass('two', 'r')];
    const before = bootThrottle(two).free;
    reportBoots(one, 'control-plane', { ...quiet, inFlight: 1 });
    reportBoots(one, 'node-pools', { ...quiet, inFlight: 2 });
    expect(bootThrottle(two).free).toBe(before - 3);
    reportBoots(one, 'control-plane', quiet);
    expect(bootThrottle(two).free).toBe(before - 2);
  });
});
