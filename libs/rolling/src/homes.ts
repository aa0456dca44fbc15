import type { NodeView } from '#fleet';
import type { Member } from './group-state.js';
import { countHomeless, findHomes, leavesHomeless, type Homeless, type Move } from './placement.js';
import { Population } from './population.js';
import type { RollScope } from './scope.js';

/** Pods of a node that would find no home in the cluster as it is: how many, and why the first of them. */
export const homelessOf = (
  scope: RollScope,
  member: Member,
): { readonly count: number; readonly first: Homeless } | undefined =>
  countHomeless(member.drainable, moveFrom(scope, member));

/** Whether there are any, which is less to find out. */
export const hasHomeless = (scope: RollScope, member: Member): boolean =>
  leavesHomeless(member.drainable, moveFrom(scope, member));

/** Those that would find none with a new node of the same kind either. */
export const homelessWithSurge = (scope: RollScope, member: Member): readonly Homeless[] =>
  findHomes(member.drainable, moveFrom(scope, member, member.node && [twinOf(member.node)]));

function moveFrom(scope: RollScope, { node }: Member, more: readonly NodeView[] = []): Move {
  const { pods: running, volumeZones } = scope;
  const nodes = [...nodesOf(scope).filter((other) => other.name !== node?.name), ...more];
  const population = populationOf(scope);
  return { from: node, nodes, running, population, ...(volumeZones && { volumeZones }) };
}

const nodesOf = (scope: RollScope): readonly NodeView[] =>
  scope.nodes ?? scope.groups.flatMap((pool) => pool.nodes);

const populations = new WeakMap<RollScope, Population>();

/** What was seen does not change while it is decided on. */
function populationOf(scope: RollScope): Population {
  const known = populations.get(scope);
  if (known) return known;
  const fresh = new Population(nodesOf(scope), scope.pods);
  populations.set(scope, fresh);
  return fresh;
}

const HOSTNAME = 'kubernetes.io/hostname';

/** An empty node as the one that is to be replaced would be. */
function twinOf(node: NodeView): NodeView {
  const name = `${node.name}-replacement`;
  const labels = HOSTNAME in node.labels ? { ...node.labels, [HOSTNAME]: name } : node.labels;
  const taints = node.taints.filter(
    ({ key }) => !key.startsWith('fairway.dev/') && !key.startsWith('node.kubernetes.io/'),
  );
  return { ...node, name, uid: name, labels, taints, ready: true, unschedulable: false };
}
