import type { NodeView } from '#fleet';
import type { Member } from './group-state.js';
import { findHomes, type Homeless } from './placement.js';
import type { RollScope } from './scope.js';

/** Pods of a node that would find no home in the cluster as it is. */
export const homelessOf = (scope: RollScope, member: Member): readonly Homeless[] => homeless(scope, member);

/** Those that would find none with a new node of the same kind either. */
export const homelessWithSurge = (scope: RollScope, member: Member): readonly Homeless[] =>
  homeless(scope, member, member.node && [twinOf(member.node)]);

function homeless(scope: RollScope, member: Member, more: readonly NodeView[] = []): readonly Homeless[] {
  const { pods: running, volumeZones } = scope;
  const all = scope.nodes ?? scope.groups.flatMap((pool) => pool.nodes);
  const nodes = [...all.filter((node) => node.name !== member.node?.name), ...more];
  return findHomes(member.drainable, {
    from: member.node,
    nodes,
    running,
    ...(volumeZones && { volumeZones }),
  });
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
