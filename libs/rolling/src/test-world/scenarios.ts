import { hours, minutes, seconds } from '#kernel';
import type { EvictionReply } from '../action.js';
import { newRollMemory } from '../memory.js';
import type { PoolScope } from '../scope.js';
import { drive, type Ending, type Story } from './drive.js';
import { mastersAndWorkers, testPolicy, workersOnly } from './stories.js';
import { RollWorld } from './world.js';
import { START } from './world-types.js';
import { flap, switchOff } from './unreachable.js';
import type { SimInstance, WorldSpec } from './world-types.js';

/** A story of rolling.md's hard cases that tests and `npm run sim` play. */
export interface Scenario {
  readonly about: string;
  readonly play: (seed: number) => Played;
}

export interface Played {
  readonly end: Ending;
  readonly world: RollWorld;
}

const play = (spec: WorldSpec, seed: number, story: (world: RollWorld) => Story): Played => {
  const world = new RollWorld({ ...spec, seed });
  return { end: drive(world, story(world)), world };
};

/** Every story's world is an hour old when it begins. */
const ZERO = START + hours(1);

const refuses = (until: number, reply: EvictionReply, prefix: string): Partial<Story> => ({
  answer: (action, world) => (action.name.startsWith(prefix) && world.now < until ? reply : undefined),
});

/** The pools as they are when the stack has made another version of the launch template. */
const withTarget = (world: RollWorld, version: string): readonly PoolScope[] =>
  world
    .scope(newRollMemory('u2'))
    .groups.map((pool) => ({ ...pool, targetVersion: { ...pool.targetVersion, version } }));

const lonely = workersOnly(3, {
  workloads: [
    { name: 'web', replicas: 3, maxUnavailable: 1 },
    { name: 'single', replicas: 1, maxUnavailable: 1 },
  ],
});

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'masters-and-workers': {
    about: 'three masters, then four workers, with PDBs, volumes and a critical workload',
    play: (seed) => play(mastersAndWorkers, seed, () => ({ policy: testPolicy() })),
  },
  'webhook-denies': {
    about: 'an admission webhook denies for ten minutes while its operator moves the pod, then allows',
    play: (seed) =>
      play(lonely, seed, () => ({
        policy: testPolicy(),
        ...refuses(
          ZERO + minutes(10),
          { kind: 'webhook-denied', message: 'admission webhook "move.example" denied the request: moving' },
          'single',
        ),
      })),
  },
  'namespace-terminating': {
    about: 'the API refuses the eviction because the namespace goes away',
    play: (seed) =>
      play(lonely, seed, () => ({
        policy: testPolicy(),
        ...refuses(
          ZERO + minutes(4),
          { kind: 'namespace-terminating', message: 'namespace apps is being terminated' },
          'single',
        ),
      })),
  },
  'two-pdbs': {
    about: 'a pod under two PDBs: told at once, quarantined at the deadline, never asked for',
    play: (seed) =>
      play(lonely, seed, (world) => ({
        policy: testPolicy(),
        scope: () => {
          const pdbs = world.pdbs();
          const second = pdbs
            .filter(({ name }) => name === 'single')
            .map((pdb) => ({ ...pdb, name: 'second' }));
          return { pdbs: [...pdbs, ...second] };
        },
        until: (decision) => decision.state === 'blocked' && world.now > ZERO + hours(3),
      })),
  },
  'all-replicas-on-one-node': {
    about: 'eight replicas without a PDB on one node: the synthetic budget takes two at a time',
    play: (seed) =>
      play(workersOnly(1, { workloads: [{ name: 'web', replicas: 8, startMs: 30_000 }] }), seed, () => ({
        policy: testPolicy(),
      })),
  },
  'stateful-set-same-name': {
    about: 'pods that come back under the same name and another uid are not taken for the old ones',
    play: (seed) =>
      play(
        workersOnly(2, {
          workloads: [{ name: 'db', kind: 'StatefulSet', replicas: 2, maxUnavailable: 1, volumes: true }],
        }),
        seed,
        () => ({ policy: testPolicy() }),
      ),
  },
  'zone-without-capacity': {
    about: 'AWS has no instances in one zone for 40 minutes; its volumes wait there, the other zones go on',
    play: (seed) =>
      play(
        {
          groups: ['a', 'b', 'c'].map((zone) => ({
            name: `asg-${zone}`,
            pool: 'workers',
            size: 2,
            zones: [zone],
          })),
          workloads: [{ name: 'db', kind: 'StatefulSet', replicas: 6, maxUnavailable: 1, volumes: true }],
          noCapacity: { zone: 'a', forMs: minutes(40) },
        },
        seed,
        () => ({ policy: testPolicy() }),
      ),
  },
  'pause-for-three-days': {
    about: 'the pool is held for three days in the middle of the roll',
    play: (seed) =>
      play(workersOnly(5), seed, (world) => {
        // Who releases a hold rings for the cluster; in between there is little to look for.
        world.after(hours(72), () => undefined);
        return {
          policy: testPolicy({ pollInterval: minutes(5) }),
          maxMs: hours(100),
          scope: () => {
            const held = world.now > ZERO + minutes(4) && world.now < ZERO + hours(72);
            return { frozen: held ? ['workers'] : [] };
          },
        };
      }),
  },
  'commit-at-six-of-twelve': {
    about:
      'a new commit when six of twelve nodes are replaced: the node in flight finishes, all go to the newest',
    play: (seed) =>
      play(workersOnly(12), seed, (world) => {
        let updateId = 'u1';
        return {
          policy: testPolicy(),
          limits: { movesAgain: true },
          before: () => {
            if (updateId === 'u2' || world.terminations.length < 6) return;
            updateId = 'u2';
            for (const group of world.groups) group.version = '3';
          },
          scope: () => ({ updateId, ...(updateId === 'u2' && { groups: withTarget(world, '3') }) }),
        };
      }),
  },
  blackout: {
    about: 'the API is away for 30 seconds in every second minute',
    play: (seed) =>
      play(mastersAndWorkers, seed, (world) => ({
        policy: testPolicy(),
        away: () => (world.now - ZERO) % minutes(2) < seconds(30) && world.now > ZERO,
      })),
  },
  'bad-image': {
    about: 'new nodes never join: the roll halts after two, old nodes untouched',
    play: (seed) => play(workersOnly(3, { badImage: true }), seed, () => ({ policy: testPolicy() })),
  },
  'autoscaler-and-spot': {
    about: 'an autoscaler adds four nodes and a spot instance dies in the middle',
    play: (seed) =>
      play(workersOnly(5, { losesPods: true }), seed, (world) => {
        let [added, killed] = [false, false];
        return {
          policy: testPolicy(),
          limits: { surge: 5, unavailable: 1, involuntary: 1 },
          before: () => {
            if (!added && world.terminations.length === 1) {
              added = true;
              world.group('asg-workers').desired += 4;
              world.reconcile();
            }
            const victim = world
              .allInstances()
              .find(({ original, node }) => original && !node?.unschedulable);
            if (killed || world.terminations.length < 2 || !victim) return;
            killed = true;
            for (const pod of world.pods.filter((each) => each.node === victim.node?.name))
              world.deletePod(pod);
            world.terminate(victim, false);
          },
        };
      }),
  },
  'surge-where-volumes-are': {
    about:
      'one group over three zones: each node with volumes is drained after a new node serves in its zone',
    play: (seed) => play(stateful(6), seed, () => ({ policy: testPolicy() })),
  },
  'volumes-without-capacity': {
    about:
      'one group over three zones; zone a has no instances for 40 minutes, and volumes that cannot leave it',
    play: (seed) =>
      play({ ...stateful(6), noCapacity: { zone: 'a', forMs: minutes(40) } }, seed, () => ({
        policy: testPolicy(),
      })),
  },
  'az-rebalance': {
    about: 'AWS starts nodes in any of its emptiest zones; the zones are even before AZRebalance is resumed',
    play: (seed) => play({ ...workersOnly(8), anyZone: true }, seed, () => ({ policy: testPolicy() })),
  },
  'zone-away': {
    about: 'a zone without capacity for a day: the roll ends, AZRebalance stays suspended, people are told',
    play: (seed) =>
      play({ ...workersOnly(6), noCapacity: { zone: 'a', forMs: hours(24) } }, seed, () => ({
        policy: testPolicy(),
      })),
  },
  'unreachable-stopped': {
    about: 'a machine is switched off: Kubernetes is told that it is out of service, then it is ended',
    play: (seed) => withTrouble(seed, switchOff),
  },
  'unreachable-silent': {
    about:
      'a kubelet is silent on a machine that runs: pods deleted after 5 min, 10 min for them, then ended',
    play: (seed) =>
      withTrouble(seed, (world, victim) => {
        if (victim.node) world.silence(victim.node, true);
      }),
  },
  'unreachable-flapping': {
    about: 'a kubelet answers one minute in four: it is drained in those minutes, and never taken for dead',
    play: (seed) => withTrouble(seed, flap),
  },
};

/** Every node holds volumes, which stay in its zone. */
export function stateful(size: number): WorldSpec {
  return workersOnly(size, {
    workloads: [
      { name: 'web', replicas: size, maxUnavailable: 1 },
      { name: 'db', kind: 'StatefulSet', replicas: size, maxUnavailable: 1, volumes: true },
    ],
  });
}

function withTrouble(seed: number, trouble: (world: RollWorld, victim: SimInstance) => void): Played {
  const spec = { ...stateful(3), lingerMs: 15_000, losesPods: true };
  const world = new RollWorld({ ...spec, seed });
  const victim = world.instance('i-asg-workers-o2');
  if (victim) trouble(world, victim);
  return { end: drive(world, { policy: testPolicy(), limits: { involuntary: 1 } }), world };
}
