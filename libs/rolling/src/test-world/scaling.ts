import type { SimGroup, SimInstance } from './world-types.js';
import type { LaunchAction, LaunchReply } from '../action.js';
import type { RollWorld } from './world.js';

/** EC2 refuses to attach a machine that does not run yet. */
const RUNS_AFTER = 8_000;

const zonesOf = (group: SimGroup): readonly string[] => group.zones ?? ['a', 'b', 'c'];
const live = (group: SimGroup): readonly SimInstance[] =>
  group.instances.filter((instance) => instance.lifecycle !== 'Terminating');

const inZone = (group: SimGroup, zone: string): number =>
  live(group).filter((instance) => instance.zone === zone).length;

/** Without a type any will do, as a group takes what it gets. */
function hasCapacity({ spec, now, began }: RollWorld, zone: string, type?: string): boolean {
  const { noCapacity } = spec;
  if (noCapacity?.type !== undefined && noCapacity.type !== type) return true;
  return noCapacity === undefined || zone !== noCapacity.zone || now >= began + noCapacity.forMs;
}

export function newInstance(
  world: RollWorld,
  group: SimGroup,
  original: boolean,
  where?: string,
): SimInstance {
  const zone = where ?? emptiestWith(world, group, zonesOf(group));
  const letter = original ? 'o' : 'n';
  const number = String(original ? group.instances.length + 1 : (world.launches += 1));
  return {
    id: original ? `i-${group.name}-${letter}${number}` : `i-${letter}${number}`,
    group: group.name,
    zone,
    version: group.version,
    launchedAt: world.now,
    original,
    lifecycle: 'Pending',
    protected: false,
    targets: {},
  };
}

export function launchWhereMissing(world: RollWorld, group: SimGroup): void {
  while (live(group).length < group.desired) {
    const open = zonesOf(group).filter((zone) => hasCapacity(world, zone));
    if (open.length === 0) return;
    const instance = newInstance(world, group, false, emptiestWith(world, group, open));
    group.instances.push(instance);
    world.boot(group, instance);
  }
}

/** The emptiest zone: any of several where the world says so, else the first by name. */
function emptiestWith(world: RollWorld, group: SimGroup, open: readonly string[]): string {
  const least = Math.min(...open.map((zone) => inZone(group, zone)));
  const emptiest = open.filter((zone) => inZone(group, zone) === least);
  return emptiest[world.spec.anyZone === true ? Math.floor(world.random() * emptiest.length) : 0] ?? 'a';
}

/** What AWS does by itself while AZRebalance runs: one more where fewest are, then one less where most are, undrained. */
export function rebalance(world: RollWorld, group: SimGroup): void {
  if (group.suspended.includes('AZRebalance') || live(group).length !== group.desired) return;
  if (group.instances.some(({ lifecycle }) => lifecycle !== 'InService')) return;
  const counts = zonesOf(group)
    .map((zone) => ({ zone, count: inZone(group, zone) }))
    .sort((a, b) => a.count - b.count || (a.zone < b.zone ? -1 : 1));
  const [poorest, richest] = [counts[0], counts.at(-1)];
  if (!poorest || !richest || richest.count - poorest.count < 2 || !hasCapacity(world, poorest.zone)) return;
  const victim = live(group).find((instance) => instance.zone === richest.zone && !instance.protected);
  if (!victim) return;
  world.rebalanced.push(victim.id);
  const instance = newInstance(world, group, false, poorest.zone);
  group.instances.push(instance);
  world.boot(group, instance);
  for (const pod of world.pods.filter(({ node }) => node === victim.node?.name)) world.deletePod(pod);
  world.terminate(victim, false);
}

/** RunInstances with a client token: the same token finds the same machine. */
export function launchInZone(world: RollWorld, action: LaunchAction): LaunchReply {
  const { group: name, zone, token, instanceType } = action;
  const known = world.loose.get(token);
  if (known) return { kind: 'launched', instance: known.id };
  if (!hasCapacity(world, zone, instanceType)) return { kind: 'refused', message: `no capacity in ${zone}` };
  const group = world.group(name);
  const instance = newInstance(world, group, false, zone);
  world.loose.set(token, instance);
  world.boot(group, instance);
  return { kind: 'launched', instance: instance.id };
}

export function attach(world: RollWorld, group: SimGroup, id: string): void {
  const instance = [...world.loose.values()].find((each) => each.id === id);
  if (!instance || world.instance(id) || world.now < instance.launchedAt + RUNS_AFTER) return;
  if (world.spec.neverAttaches === instance.zone) return;
  if (group.desired >= group.max) throw new Error(`attached above the maximum of ${group.name}`);
  group.desired += 1;
  group.instances.push(instance);
  world.reconcile();
}
