import { minutes } from '#kernel';
import type { RollDraft } from './draft.js';
import type { GroupState } from './group-state.js';
import type { InstanceMemory } from './memory.js';
import { bootFailed, smoothed } from './new-node.js';
import { tellOutOfService } from './unreachable.js';

/** A Node object that outlives its instance by more than this is told and no longer waited for. */
const NODE_GONE_LIMIT = minutes(5);
const NEW_STATES: readonly string[] = [
  'requested',
  'launched',
  'registered',
  'ready',
  'in-service',
  'failed-boot',
];

/** Instances that are in memory and not in the group any more: replaced, lost, or a boot that failed. */
export function closeGone(draft: RollDraft, group: GroupState): void {
  const present = new Set(group.members.map((member) => member.id));
  for (const [id, memory] of draft.instancesOf(group.name)) {
    if (present.has(id) || (memory.terminate?.decrement === true && !memory.terminate.settled)) continue;
    if (nodeLingers(draft, group, id, memory)) continue;
    close(draft, group, id, memory);
    draft.dropInstance(id);
  }
}

function nodeLingers(draft: RollDraft, group: GroupState, id: string, memory: InstanceMemory): boolean {
  const node = group.pool.nodes.find((candidate) => candidate.instanceId === id);
  if (!node) return false;
  // Its pods were not drained: they and their volumes are let go now that the machine is off for sure.
  if (memory.terminate?.exemption !== undefined) tellOutOfService(draft, group.pool.pool, id, node);
  draft.enter(id, 'instance-gone');
  const since = draft.instance(id)?.since ?? draft.now;
  if (draft.now - since < NODE_GONE_LIMIT) {
    draft.look(group.policy.pollInterval);
    return true;
  }
  draft.note({
    pool: group.pool.pool,
    instance: id,
    code: 'node-lingers',
    severity: 'warning',
    message: `Node ${memory.nodeName ?? id} is still there though its instance is gone.`,
    unblock: 'Check that the cloud controller manager runs.',
  });
  return false;
}

function close(draft: RollDraft, group: GroupState, id: string, memory: InstanceMemory): void {
  const ordered = memory.terminate !== undefined;
  const wasNew =
    NEW_STATES.includes(memory.state) || memory.leaves === 'surplus' || memory.leaves === 'failed-boot';
  if (!wasNew) replaced(draft, group, id, memory);
  if (!ordered) lost(draft, group, id, memory, wasNew);
  draft.act({
    kind: 'forget',
    pool: group.pool.pool,
    key: id,
    reason: ordered ? 'instance and node are gone' : 'gone without us',
    instance: id,
  });
}

function replaced(draft: RollDraft, group: GroupState, id: string, memory: InstanceMemory): void {
  const pool = draft.pool(group.name);
  if (!pool || pool.replaced.includes(id)) return;
  const took =
    memory.nominatedAt === undefined
      ? undefined
      : Math.max(0, draft.now - memory.nominatedAt - (memory.blockedMs ?? 0));
  draft.changePool(group.name, {
    replaced: [...pool.replaced, id],
    canaryAt: pool.canaryAt ?? draft.now,
    ...(took !== undefined && { drainMs: smoothed(pool.drainMs, took) }),
  });
}

function lost(
  draft: RollDraft,
  group: GroupState,
  id: string,
  memory: InstanceMemory,
  wasNew: boolean,
): void {
  if (wasNew && memory.initialisedAt === undefined) {
    if (memory.state !== 'failed-boot')
      bootFailed(draft, group, id, 'it was gone before its node was complete');
    return;
  }
  draft.note({
    pool: group.pool.pool,
    instance: id,
    code: 'instance-lost',
    severity: 'info',
    message: `${id} went away without Fairway (spot, health check, autoscaler or a person).`,
  });
}
