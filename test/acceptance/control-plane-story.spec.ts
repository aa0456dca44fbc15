import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import { controlPlaneGate, orderMasters, type LeaseView } from '#upgrade';
import { drive } from '../../libs/rolling/src/test-world/drive.js';
import { mastersAndWorkers, testPolicy } from '../../libs/rolling/src/test-world/stories.js';
import { RollWorld } from '../../libs/rolling/src/test-world/world.js';

const NAMES = ['kube-controller-manager', 'kube-scheduler'] as const;
const LEASE = seconds(15);
const POLL = seconds(5);

/** Leader election, load balancer and gate around the masters of a virtual roll. */
class ControlPlane {
  private readonly leaders = new Map<string, { node: string; renewedAt: number }>();
  readonly terms = new Map<string, string[]>();
  fewestTargets = Number.POSITIVE_INFINITY;
  longestVacancy = 0;
  earlyWorkers = 0;

  constructor(private readonly world: RollWorld) {}

  private masters() {
    return this.world.group('asg-masters').instances;
  }

  private alive(): readonly string[] {
    return this.masters().flatMap(({ node, lifecycle }) =>
      node?.ready === true && lifecycle === 'InService' ? [node.name] : [],
    );
  }

  /** Once a pass, and so at least every time that something was done. */
  look(): void {
    const { now } = this.world;
    const alive = this.alive();
    for (const name of NAMES) {
      const leader = this.leaders.get(name);
      if (leader && alive.includes(leader.node)) this.leaders.set(name, { ...leader, renewedAt: now });
      else if (!leader || now - leader.renewedAt >= LEASE) this.elect(name, alive, now);
      this.longestVacancy = Math.max(this.longestVacancy, now - (this.leaders.get(name)?.renewedAt ?? now));
    }
    const healthy = this.masters().filter(
      ({ targets, lifecycle }) => lifecycle === 'InService' && Object.values(targets).includes('healthy'),
    );
    this.fewestTargets = Math.min(this.fewestTargets, healthy.length);
    const old = this.masters().some(({ version }) => version !== '2');
    const touched = this.world
      .group('asg-workers')
      .instances.some(({ node, version }) => version === '2' || node?.unschedulable === true);
    if (old && touched) this.earlyWorkers += 1;
  }

  private elect(name: string, alive: readonly string[], now: number): void {
    const [node] = alive;
    if (node === undefined) return;
    this.leaders.set(name, { node, renewedAt: now });
    this.terms.set(name, [...(this.terms.get(name) ?? []), node]);
  }

  gate() {
    const { now } = this.world;
    const serving = this.masters().filter(({ node, lifecycle }) => lifecycle === 'InService' && node?.ready);
    const leases = NAMES.map((name): LeaseView => {
      const leader = this.leaders.get(name);
      return { name, ...(leader && { holder: `${leader.node}_1`, renewedAt: leader.renewedAt }) };
    });
    const leading = [...this.leaders.values()].map(({ node }) => node);
    const verdict = controlPlaneGate({
      now,
      nodes: serving.map(({ node }) => ({ name: node?.name ?? '', ready: true })),
      targets: serving.flatMap(({ id, targets }) =>
        Object.values(targets).map((state) => ({ instanceId: id, state })),
      ),
      leases,
      readyz: [{ name: 'lb', ok: serving.length > 0 }],
      expected: serving.length,
    });
    const order = orderMasters(
      this.masters().map(({ id, zone, node, version }) => ({
        instanceId: id,
        zone,
        ready: node?.ready === true,
        outdated: version !== '2',
        leader: node !== undefined && leading.includes(node.name),
      })),
    ).map(({ instanceId }) => instanceId);
    return { ...verdict, order };
  }
}

function roll(away?: (at: number) => boolean, policy = testPolicy({ pollInterval: POLL })) {
  const world = new RollWorld(mastersAndWorkers);
  const plane = new ControlPlane(world);
  const start = world.now;
  const ending = drive(world, {
    policy,
    // Without new workers to go to, pods move from old node to old node.
    limits: { unavailable: policy.maxUnavailable, movesAgain: policy.strategy === 'one-at-a-time' },
    before: () => plane.look(),
    scope: () => ({ controlPlaneGate: plane.gate() }),
    ...(away && {
      away: () => {
        plane.look();
        return away(world.now - start);
      },
    }),
  });
  return { world, plane, ending };
}

describe('three masters in virtual time', () => {
  const policies = {
    surge: testPolicy({ pollInterval: POLL }),
    'terminate first': testPolicy({ pollInterval: POLL, strategy: 'one-at-a-time', maxUnavailable: 1 }),
  };

  it.each(Object.entries(policies))('by %s: two targets, one leader each, workers last', (_, policy) => {
    const { world, plane, ending } = roll(undefined, policy);
    expect(ending.decision.state).toBe('done');
    expect(world.allInstances().every(({ version }) => version === '2')).toBe(true);
    expect(plane.fewestTargets).toBeGreaterThanOrEqual(2);
    expect(plane.earlyWorkers).toBe(0);
    expect(plane.longestVacancy).toBeLessThanOrEqual(LEASE + POLL);
  });

  it('replaces the leader last: leadership changes hands once', () => {
    const { plane } = roll();
    for (const name of NAMES) expect(plane.terms.get(name)).toHaveLength(2);
  });

  it.each([minutes(1), minutes(10), minutes(60)])('waits through %d ms without an API', (length) => {
    const calm = roll();
    const { world, plane, ending } = roll((at) => at > minutes(2) && at < minutes(2) + length);
    expect(ending.decision.state).toBe('done');
    expect(world.terminations.length).toBe(calm.world.terminations.length);
    expect(ending.elapsedMs).toBeLessThanOrEqual(calm.ending.elapsedMs + length + minutes(2));
    expect(plane.fewestTargets).toBeGreaterThanOrEqual(2);
    expect(plane.earlyWorkers).toBe(0);
  });
});
