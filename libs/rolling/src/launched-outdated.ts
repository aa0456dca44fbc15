import type { RollDraft } from './draft.js';
import type { GroupState } from './group-state.js';

/** An instance whose launch was under way when the group changed may still come with the old template. */
const TOLERATED = 2;

/**
 * A group that launches what is outdated from the start would be rolled for ever: every replacement is replaced again.
 * Counts what it launched since we know its target, and halts the roll. Asked once a pass, before anything is decided.
 */
export function watchLaunches(draft: RollDraft, group: GroupState): void {
  const memory = draft.pool(group.name);
  if (!memory || memory.finished !== undefined) return;
  const { targetVersion, instanceTypes = [], market = '' } = group.pool;
  const target = [
    targetVersion.name,
    targetVersion.version,
    [...instanceTypes].sort().join('|'),
    market,
  ].join(' ');
  if (memory.launches?.target !== target) {
    draft.changePool(group.name, { launches: { target, since: draft.now, outdated: [] } });
    return;
  }
  const { since, outdated } = memory.launches;
  const fresh = group.members.filter(
    ({ id, outdated: wrong }) =>
      wrong && !outdated.includes(id) && (draft.instance(id)?.firstSeenAt ?? since) > since,
  );
  if (fresh.length === 0) return;
  const all = [...outdated, ...fresh.map(({ id }) => id)];
  draft.changePool(group.name, { launches: { target, since, outdated: all } });
  if (all.length <= TOLERATED) return;
  draft.halt({
    code: 'launches-outdated',
    pool: group.pool.pool,
    reason: `${group.name} launches instances that are outdated from the start; replacing them would never end`,
    diagnostics: fresh.map(({ id, reason }) => `${id}: ${reason}`),
  });
}
