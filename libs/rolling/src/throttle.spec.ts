import { minutes, type Instant } from '#kernel';
import { describe, expect, it, vi } from 'vitest';
import { afterCleanBoot, afterStrain, BootThrottle, bootsFree, newBucket } from './boot-throttle.js';
import { fiveClusters, fiveClustersLearn } from './test-world/five-clusters.js';

describe('a bucket of boots', () => {
  const limits = { start: 4, least: 1, most: 6 };

  it('grows by one per clean boot and is halved once per cause', () => {
    let bucket = newBucket(limits);
    for (let i = 0; i < 5; i += 1) bucket = afterCleanBoot(bucket, limits);
    expect(bucket.limit).toBe(6);
    bucket = afterStrain(bucket, 0, limits);
    expect(bucket.limit).toBe(3);
    expect(afterStrain(bucket, (0 + minutes(1)) as Instant, limits).limit).toBe(3);
    expect(afterStrain(bucket, (0 + minutes(3)) as Instant, limits).limit).toBe(1);
    expect(bootsFree(bucket, 5)).toBe(0);
  });

  it('counts what all clusters have in flight, and names the tightest', () => {
    const throttle = new BootThrottle(limits);
    throttle.report('a', ['registry/x', 'region/r'], { inFlight: 3, clean: 0, strained: false }, 0);
    throttle.report('b', ['registry/x'], { inFlight: 1, clean: 0, strained: false }, 0);
    const { free, reason } = throttle.free(['registry/x', 'region/r'], 0);
    expect(free).toBe(0);
    expect(reason).toContain('registry/x');
    expect(throttle.free(['region/r'], 0).free).toBe(1);
  });

  it('forgets what a cluster said that has said nothing for longer than a boot takes', () => {
    const throttle = new BootThrottle(limits);
    throttle.report('a', ['region/r'], { inFlight: 4, clean: 0, strained: false }, 0);
    expect(throttle.free(['region/r'], (0 + minutes(29)) as Instant).free).toBe(0);
    expect(throttle.free(['region/r'], (0 + minutes(30)) as Instant).free).toBe(4);
  });
});

vi.setConfig({ testTimeout: 60_000 });

describe('five clusters and a registry that carries four boots at a time', () => {
  it('roll under the throttle, and collapse without it', async () => {
    const braked = fiveClusters(true);
    const free = fiveClusters(false);
    expect(braked.states).toEqual(['done', 'done', 'done', 'done', 'done']);
    expect(braked.mostBoots).toBeLessThanOrEqual(4);
    expect(braked.failedBoots).toBe(0);
    expect(free.states.filter((state) => state === 'halted').length).toBeGreaterThan(0);
    await expect(`with throttle: ${braked.figures}\nwithout: ${free.figures}\n`).toMatchFileSnapshot(
      './test-world/five-clusters.golden.txt',
    );
  });

  it('are slowed down by what they see where the throttle does not know the registry', () => {
    const { states, failedBoots, most, overloaded, figures } = fiveClustersLearn('pulls');
    expect(states, figures).toEqual(['done', 'done', 'done', 'done', 'done']);
    expect(failedBoots).toBe(0);
    // It probes upwards after every clean boot, as TCP does, and comes back at once.
    expect(most[0]).toBeGreaterThan(4);
    const later = most.slice(3);
    expect(later.reduce((sum, one) => sum + one, 0) / later.length, most.join(' ')).toBeLessThanOrEqual(6);
    expect(Math.max(...later), most.join(' ')).toBeLessThanOrEqual(8);
    expect(overloaded).toBeLessThan(0.25);
  });

  it('are slowed down by slow boots alone, later and less: slowness shows when the damage is done', () => {
    const { states, failedBoots, most, overloaded, figures } = fiveClustersLearn('slow');
    expect(states, figures).toEqual(['done', 'done', 'done', 'done', 'done']);
    expect(failedBoots).toBe(0);
    expect(overloaded, most.join(' ')).toBeLessThan(0.8);
  });
});
