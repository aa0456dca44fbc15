import { describe, expect, it } from 'vitest';
import type { NodeView, PodView } from '#fleet';
import { newRollMemory } from './memory.js';
import { findHomes, type Move } from './placement.js';
import { drive } from './test-world/drive.js';
import { checkClean } from './test-world/invariants.js';
import { testPolicy, workersOnly } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';

const world = new RollWorld(workersOnly(1));
const scope = world.scope(newRollMemory('u1'));
const nodeView = scope.groups[0]?.nodes[0] as NodeView;
const podView = scope.pods.find(({ labels }) => labels['app'] === 'web') as PodView;

const ZONE = 'topology.kubernetes.io/zone';
const HOST = 'kubernetes.io/hostname';

const node = (name: string, zone: string, more: Partial<NodeView> = {}): NodeView => ({
  ...nodeView,
  name,
  zone,
  labels: { [ZONE]: zone, [HOST]: name },
  ...more,
});

const pod = (name: string, more: Partial<PodView> = {}): PodView => ({
  ...podView,
  name,
  uid: `uid-${name}`,
  nodeName: 'old',
  ...more,
});

const [a, b, old] = [node('a', 'zone-a'), node('b', 'zone-b'), node('old', 'zone-a')];
const selector = { labelSelector: { matchLabels: { app: 'web' } } };
const near = {
  podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ ...selector, topologyKey: ZONE }] },
};
const apart = (topologyKey: string) => ({
  podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ ...selector, topologyKey }] },
});
const spread = (topologyKey: string, more: object = {}) => ({
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey, whenUnsatisfiable: 'DoNotSchedule', ...selector, ...more },
  ],
});

/** Why the pod has no home when it leaves `old`; undefined when it has one. */
function why(subject: PodView, running: readonly PodView[], more: Partial<Move> = {}): string | undefined {
  return findHomes([subject], { from: old, nodes: [a, b], running: [subject, ...running], ...more })[0]
    ?.reason;
}

describe('a pod that leaves its node', () => {
  it('follows the pods that it wants to be near, wherever the first of them are', () => {
    expect(why(pod('x', { affinity: near }), [pod('y', { nodeName: 'b' })])).toBeUndefined();
    expect(why(pod('x', { affinity: near }), [])).toBeUndefined();
    const alone = pod('x', { affinity: near, labels: { app: 'cache' } });
    expect(why(alone, [])).toBe('required pod affinity is not met');
    expect(why(alone, [pod('y', { nodeName: 'a' })])).toBeUndefined();
    const cordoned = { nodes: [a, { ...b, unschedulable: true }] };
    expect(why(alone, [pod('y', { nodeName: 'b' })], cordoned)).toBe('required pod affinity is not met');
    // Those in other namespaces do not count.
    expect(why(alone, [pod('y', { nodeName: 'a', namespace: 'other' })])).toBe(
      'required pod affinity is not met',
    );
  });

  it('keeps away from its like, and its like from it', () => {
    const taken = [pod('y', { nodeName: 'a' }), pod('z', { nodeName: 'b' })];
    expect(why(pod('x', { affinity: apart(HOST) }), taken)).toBe('required pod anti-affinity is not met');
    expect(why(pod('x', { affinity: apart(HOST) }), taken.slice(1))).toBeUndefined();
    const shy = taken.map((one) => ({ ...one, affinity: apart(HOST) }));
    expect(why(pod('x'), shy)).toBe('the anti-affinity of another pod keeps it away');
    expect(why(pod('x', { labels: { app: 'other' } }), shy)).toBeUndefined();
  });

  it('leaves room in its domain for the next one of the same node', () => {
    const both = ['x', 'y'].map((name) => pod(name, { affinity: apart(ZONE) }));
    const move = { from: old, nodes: [a, b], running: both };
    expect(findHomes(both, move)).toEqual([]);
    expect(findHomes(both, { ...move, nodes: [a] }).map(({ pod: { name } }) => name)).toEqual(['y']);
  });

  it('is spread evenly over zones', () => {
    const x = pod('x', spread(ZONE));
    const inA = ['1', '2'].map((name) => pod(name, { nodeName: 'a' }));
    expect(why(x, inA)).toBeUndefined();
    // Where zone b takes nobody it is still the emptiest.
    const full = { nodes: [a, { ...b, allocatable: { cpuMillis: 0, memoryBytes: 0, pods: 0 } }] };
    expect(why(x, inA, full)).toMatch(/topology spread|not enough CPU/);
    expect(why(pod('x', spread(ZONE, { maxSkew: 3 })), inA, full)).toBeUndefined();
    expect(why(pod('x', spread(ZONE, { whenUnsatisfiable: 'ScheduleAnyway' })), inA, full)).toBeUndefined();
    expect(why(pod('x', spread('rack')), [])).toBe('it has no label rack to spread over');
  });

  it('cannot be spread strictly over hosts while its old node counts as an empty one', () => {
    const others = [pod('y', { nodeName: 'a' }), pod('z', { nodeName: 'b' })];
    const uneven = `topology spread over ${HOST} would be uneven`;
    expect(why(pod('x', spread(HOST)), others)).toBe(uneven);
    const cordoned = { from: { ...old, unschedulable: true } };
    expect(why(pod('x', spread(HOST)), others, cordoned)).toBe(uneven);
    expect(why(pod('x', spread(HOST, { nodeTaintsPolicy: 'Honor' })), others, cordoned)).toBeUndefined();
    expect(why(pod('x', spread(HOST)), others, { from: undefined })).toBeUndefined();
  });

  it('counts only nodes that it may use, and pods of its own revision', () => {
    const x = pod('x', { ...spread(ZONE), nodeSelector: { [ZONE]: 'zone-a' } });
    expect(why(x, [pod('y', { nodeName: 'a' })])).toBeUndefined();
    const hash = (value: string) => ({ labels: { app: 'web', hash: value } });
    const fresh = pod('x', { ...spread(ZONE, { matchLabelKeys: ['hash'] }), ...hash('2') });
    const former = ['1', '2'].map((name) => pod(name, { nodeName: 'a', ...hash('1') }));
    expect(why(fresh, former, { nodes: [a], from: old })).toBeUndefined();
    expect(
      why(pod('x', spread(ZONE, { minDomains: 3 })), [
        pod('y', { nodeName: 'a' }),
        pod('z', { nodeName: 'b' }),
      ]),
    ).toBe(`topology spread over ${ZONE} would be uneven`);
  });

  it('goes where its volumes can be attached', () => {
    const x = pod('x', { persistentVolumeClaims: ['data'] });
    expect(why(x, [])).toBeUndefined();
    expect(why(x, [], { nodes: [b] })).toBe('its volume is in zone zone-a');
    const key = `${x.namespace}/data`;
    expect(why(x, [], { nodes: [b], volumeZones: { [key]: [] } })).toBeUndefined();
    expect(why(x, [], { volumeZones: { [key]: ['zone-c'] } })).toBe('its volume is in zone zone-c');
  });
});

describe('a node with a pod that has no home', () => {
  const rolled = (affinity: unknown) => {
    const town = new RollWorld(
      workersOnly(4, {
        workloads: [
          { name: 'web', replicas: 4, maxUnavailable: 1 },
          { name: 'odd', replicas: 1, maxUnavailable: 1 },
        ],
      }),
    );
    const host = town.pods.find(({ workload }) => workload === 'odd')?.node;
    const end = drive(town, {
      policy: testPolicy(),
      scope: () => ({
        pods: town
          .scope(newRollMemory('u1'))
          .pods.map((one) =>
            one.labels['app'] === 'odd' && one.nodeName === host ? { ...one, affinity } : one,
          ),
      }),
    });
    const cordons = end.log.filter((line) => line.includes(' cordon '));
    return { town, end, turn: cordons.findIndex((line) => line.includes(String(host))) };
  };

  it('is the last one, and people are told why', () => {
    const nowhere = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'gpu', operator: 'Exists' }] }],
        },
      },
    };
    const { town, end, turn } = rolled(nowhere);
    expect(end.decision.state).toBe('done');
    expect(turn).toBe(3);
    const told = end.log.findIndex((line) => line.includes('no-home') && line.includes('apps/odd'));
    expect(told).toBeGreaterThan(-1);
    expect(told).toBeLessThan(end.log.length - 2);
    checkClean(town);
    expect(rolled(undefined).turn).toBeLessThan(3);
  });
});
