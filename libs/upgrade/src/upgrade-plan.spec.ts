import { describe, expect, it } from 'vitest';
import { component, healthy, node } from './doctor/healthy.fixture.js';
import { read, unknown, type DoctorObservation } from './doctor/observation.js';
import { planUpgrade, upgradeTarget } from './upgrade-plan.js';

const at = (version: string, workers = version): DoctorObservation => ({
  ...healthy,
  serverVersion: read(version),
  components: read([1, 2, 3].map((number) => component('kube-apiserver', number, { version }))),
  proxies: read([{ name: 'w1', version: workers }]),
  nodes: read([
    ...['m1', 'm2', 'm3'].map((name) => node(name, { kubeletVersion: version })),
    ...['w1', 'w2'].map((name) => node(name, { kubeletVersion: workers })),
  ]),
});

describe('upgradeTarget', () => {
  it.each([
    [{ asked: '1.33' }, ['v1.29.3'], '1.33', 'asked'],
    [{ configured: '1.30.2' }, ['v1.29.3'], '1.30.2', 'configuration'],
    [{ configured: '1.29.3' }, ['v1.29.3'], '1.30', 'next-minor'],
    [{}, ['v1.29.3'], '1.30', 'next-minor'],
    [{}, ['v1.36.0'], 'v1.36.0', 'next-minor'],
    [{}, ['v1.35.0', 'v1.36.0'], 'v1.36.0', 'next-minor'],
  ])('%o from %o is %s (%s)', (wish, servers, target, targetFrom) =>
    expect(upgradeTarget(wish, servers)).toEqual({ target, targetFrom }),
  );
});

describe('planUpgrade', () => {
  it('lays out the chain of the design with components, proof and the point of no return', () => {
    const plan = planUpgrade('c', at('v1.29.3'), { asked: '1.33' });
    expect(plan.steps.map(({ kind, to }) => `${kind} ${to}`)).toEqual([
      'control-plane v1.30',
      'control-plane v1.31',
      'control-plane v1.32',
      'workers v1.32',
      'control-plane 1.33',
      'workers 1.33',
    ]);
    expect(plan).toMatchObject({
      workerRolls: 2,
      pointOfNoReturn: 0,
      violations: [],
      unknown: [],
      blockers: [],
    });
    expect(plan.steps[4]?.proof).toEqual([
      'API servers run 1.32 and 1.33: 1 minor apart (1 allowed)',
      'the newest kubelet (1.32) is not newer than the oldest API server (1.32)',
      'the oldest kubelet (1.32) is 1 behind the newest API server (3 allowed)',
    ]);
    expect(plan.components.map(({ component: name, current }) => [name, current])).toEqual([
      ['kube-apiserver', ['v1.29.3 × 3']],
      ['kubelet (masters)', ['v1.29.3 × 3']],
      ['kubelet (workers)', ['v1.29.3 × 2']],
      ['kube-proxy', ['v1.29.3 × 1']],
      ['etcd', ['v3.5.16 × 3']],
    ]);
    expect(plan.byHand.join('\n')).toMatch(
      /1\.30.*\n.*1\.31.*\n.*1\.32.*\n.*1\.33.*\n.*roll them less often \(2 instead of 4/,
    );
  });

  it('names the rule that a target violates', () => {
    const plan = planUpgrade('c', at('v1.33.0'), { asked: '1.32' });
    expect(plan.violations).toMatchObject([
      { rule: 'control-plane-downgrade', message: /cannot go back to 1.32/ },
    ]);
    expect(plan.steps).toEqual([]);
    const old = planUpgrade('c', at('v1.33.0', 'v1.29.0'), { asked: '1.34' });
    expect(old.violations.map(({ rule }) => rule)).toContain('kubelet-too-old');
  });

  it('lists what the target removes, not what goes later, and lets it block', () => {
    const uses = [
      { apiVersion: 'a/v1beta1', what: 'A x/y', removedIn: '1.36', source: 'object' as const },
      { apiVersion: 'b/v1beta1', what: 'bs', removedIn: '1.37', source: 'requests' as const },
    ];
    const plan = planUpgrade('c', { ...at('v1.35.0'), removedApis: read(uses) }, {});
    expect(plan.removedApis).toEqual([uses[0]]);
    expect(plan.blockers.map(({ code }) => code)).toEqual(['api-removed-in-target']);
  });

  it('ends a half-done update, and says that there is no way back', () => {
    const half = {
      ...at('v1.35.0'),
      components: read([
        component('kube-apiserver', 1, { version: 'v1.36.0' }),
        component('kube-apiserver', 2, { version: 'v1.35.0' }),
      ]),
    };
    const plan = planUpgrade('c', half, {});
    expect(plan).toMatchObject({ target: 'v1.36.0', noReturnAlready: true, workerRolls: 1 });
    expect(plan.steps[0]).toMatchObject({ kind: 'control-plane', from: ['v1.35.0'], to: 'v1.36.0' });
  });

  it('says what it could not see instead of planning on nothing', () => {
    const blind = planUpgrade('c', { ...healthy, nodes: unknown('no right to list nodes') }, {});
    expect(blind.unknown.join(' ')).toContain('no right to list nodes');
    const dark = { ...healthy, serverVersion: unknown('away'), components: unknown('away') };
    expect(planUpgrade('c', dark, {})).toMatchObject({ apiServers: [], steps: [], violations: [] });
  });

  it('has nothing to do at the newest version', () => {
    expect(planUpgrade('c', at('v1.36.0'), {})).toMatchObject({ steps: [], byHand: [], workerRolls: 0 });
  });
});
