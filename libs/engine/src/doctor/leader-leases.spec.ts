import { seconds, toIso } from '#kernel';
import type { KubernetesObject } from '#fleet';
import type { KubernetesPort } from '#ports';
import { describe, expect, it } from 'vitest';
import { readLeaderLeases } from './leader-leases.js';

const START = Date.parse('2026-11-21T12:00:00Z');

/** Leases that are renewed by functions of time; a pause is time. */
class Leases {
  now = START;
  reads = 0;
  constructor(private readonly renewals: Readonly<Record<string, (now: number) => number | undefined>>) {}

  readonly port = {
    get: async ({ name }: { name: string }): Promise<KubernetesObject | undefined> => {
      this.reads += 1;
      const renewed = this.renewals[name]?.(this.now);
      if (renewed === undefined) return undefined;
      const spec = { holderIdentity: `${name}_1`, leaseDurationSeconds: 15, renewTime: toIso(renewed) };
      return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec };
    },
  } as unknown as KubernetesPort;

  read() {
    const pause = async (duration: number): Promise<void> => void (this.now += duration);
    return readLeaderLeases(this.port, { now: () => this.now }, pause);
  }
}

const alive = (now: number): number => now - seconds(2);
const dead = (): number => START - seconds(60);

describe('readLeaderLeases', () => {
  it('takes a fresh lease as it is, with one read each', async () => {
    const leases = new Leases({ 'kube-controller-manager': alive, 'kube-scheduler': alive });
    expect((await leases.read()).leases.map(({ renewedAt }) => renewedAt)).toEqual([
      START - seconds(2),
      START - seconds(2),
    ]);
    expect([leases.reads, leases.now]).toEqual([2, START]);
  });

  it('watches an old one for its duration, and the other does not look old for it', async () => {
    const leases = new Leases({ 'kube-controller-manager': alive, 'kube-scheduler': dead });
    const [controllers, scheduler] = (await leases.read()).leases;
    expect(leases.now - START).toBe(seconds(15));
    expect(scheduler?.renewedAt).toBe(START - seconds(60));
    // Held against the beginning of the look it is two seconds old, whatever the other cost.
    expect(controllers?.renewedAt).toBe(START - seconds(2));
  });

  it.each([
    ['behind ours', (now: number): number => now - seconds(3600)],
    ['ahead of ours', (now: number): number => now + seconds(3600)],
  ])('believes a leader that renews before its eyes, though the cluster runs %s', async (_, renewal) => {
    const leases = new Leases({ 'kube-controller-manager': renewal, 'kube-scheduler': renewal });
    const read = await leases.read();
    expect(read.leases.map(({ renewedAt }) => renewedAt)).toEqual([START, START]);
    const ahead = renewal(START) > START;
    expect(read.clusterNow === undefined).toBe(!ahead);
  });

  it('finds a dead leader whose lease lies in the future of our clock', async () => {
    const leases = new Leases({
      'kube-scheduler': () => START + seconds(3600),
      'kube-controller-manager': () => undefined,
    });
    const read = await leases.read();
    expect(read.leases).toHaveLength(1);
    expect(read.leases[0]?.renewedAt).toBeLessThan(START - seconds(15));
  });
});
