import type { MasterView } from './types.js';

/**
 * Order in which to replace the outdated masters: what is broken already first, what leads last (one change of leader
 * instead of several), zones in turn, so that no zone is touched twice while another still waits.
 */
export function orderMasters(masters: readonly MasterView[]): readonly MasterView[] {
  const open = masters
    .filter((master) => master.outdated)
    .sort((a, b) => rank(a) - rank(b) || (a.instanceId < b.instanceId ? -1 : 1));
  const ordered: MasterView[] = [];
  const used = new Map<string, number>();
  while (open.length > 0) {
    const best = open.filter((master) => rank(master) === rank(open[0] as MasterView));
    const uses = (master: MasterView): number => used.get(master.zone) ?? 0;
    const [next] = [...best].sort((a, b) => uses(a) - uses(b));
    if (!next) break;
    ordered.push(next);
    used.set(next.zone, uses(next) + 1);
    open.splice(open.indexOf(next), 1);
  }
  return ordered;
}

const rank = (master: MasterView): number => (!master.ready ? 0 : master.leader === true ? 2 : 1);
