import { minutes, type Outcome } from '#kernel';
import type { DesiredNodePool, NodeGroupView } from '#fleet';
import type { Pass } from '../pass/pass.js';

/** Memory key of a pool: what its groups went on launching after a change of their stack. */
const memoryKey = (pool: string): string => `roll/unreached/${pool}`;

/**
 * The stack made another version of a pool's launch template, and its group goes on launching the one before (a template
 * that names a fixed version does that). No node is outdated then, and none has what Git says. Asked of a finished roll:
 * nodes that the plan replaces for their launch template are still there and count as current. What people make of a
 * template by hand, without a change of the stack, is their affair.
 */
export async function templateUnreached(
  pass: Pass,
  pools: readonly DesiredNodePool[],
): Promise<Outcome | undefined> {
  const suspects = pools.filter(
    ({ name }) => pass.memory.text(memoryKey(name)) !== undefined || kept(pass, name),
  );
  if (suspects.length === 0) return undefined;
  const groups = await pass.aws.describeNodeGroups(pass.cluster.id);
  const words: string[] = [];
  for (const { name } of suspects) {
    const told = await behind(
      pass,
      groups.filter(({ pool }) => pool === name),
    );
    if (told.length === 0) pass.memory.delete(memoryKey(name));
    else pass.memory.set(memoryKey(name), told.join('; '));
    words.push(...told);
  }
  if (words.length === 0) return undefined;
  return {
    kind: 'blocked',
    by: `${words.join('; ')}: what the stack changed reaches no machine`,
    unblock:
      'Let the group of the pool’s stack launch !GetAtt LaunchTemplate.LatestVersionNumber; nothing was launched or ended for it.',
    recheckIn: minutes(1),
  };
}

/** Nodes that were to be replaced for another version of their launch template, and were not. */
function kept({ update, nodes }: Pass, pool: string): boolean {
  const planned = update.plan?.nodes.find((roll) => roll.pool === pool)?.outdated ?? [];
  return nodes.some((node) => node.pool === pool && !node.outdated && planned.includes(node.instanceId));
}

async function behind(pass: Pass, groups: readonly NodeGroupView[]): Promise<readonly string[]> {
  const told: string[] = [];
  for (const { groupName, launchTemplate: has } of groups) {
    const newest = has && (await pass.aws.newestTemplateVersion(has.name));
    if (has === undefined || newest === undefined || newest === has.version) continue;
    told.push(`${groupName} launches version ${has.version} of ${has.name}, whose newest is ${newest}`);
  }
  return told;
}
