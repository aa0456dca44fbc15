import { formatDuration, toIso } from '#kernel';
import type { PdbView, PodView } from '#fleet';
import type { RollDraft } from './draft.js';
import { isHard } from './drain.js';
import { remainingOutdated, type GroupState, type Member } from './group-state.js';
import { UPGRADE_LOCK } from './marks.js';
import { isUnblocked } from './park.js';
import { hasResponder, neverAllows, ownerOf, pdbName, pdbsOf, podName } from './pdb.js';
import type { RollPolicy } from './policy.js';
import type { GroupReport } from './report.js';

/** PDBs that hold the pod until somebody changes them: several, or one that can never allow. */
export function holdingPdbs(pod: PodView, pdbs: readonly PdbView[]): readonly PdbView[] {
  const over = pdbsOf(pod, pdbs);
  return over.length > 1 ? over : over.filter((pdb) => neverAllows(pdb) && !hasResponder(pdb));
}

/** How many causes, and nodes of one cause, are named. */
const NAMED = 2;
/** Stands for the nodes in the words of a cause. */
const NODES = '{nodes}';

interface HeldNode {
  readonly name: string;
  readonly member: Member;
  readonly policy: RollPolicy;
  readonly causes: readonly string[];
}

/**
 * What the estimate counts on, to be read after "if": `PDB default/shop (owner payments) lets worker-1 go; a node that
 * stays blocked is set aside after 6h`. The recurrence reckons with drains of the usual length; a node that somebody is
 * known to hold, now or as soon as its drain begins, has none. Undefined where nothing is known to be in the way.
 */
export function etaCondition(draft: RollDraft, groups: readonly GroupReport[]): string | undefined {
  const held = groups
    .filter(({ finished }) => !finished)
    .flatMap(({ group }) => remainingOutdated(draft, group).map((member) => heldNode(draft, group, member)))
    .filter(({ causes }) => causes.length > 0);
  const nodes = new Map<string, string[]>();
  for (const { name, causes } of held) {
    for (const cause of new Set(causes)) nodes.set(cause, [...(nodes.get(cause) ?? []), name]);
  }
  if (nodes.size === 0) return undefined;
  const named = [...nodes].slice(0, NAMED).map(([cause, names]) => cause.replace(NODES, listed(names)));
  const left = nodes.size - NAMED;
  const more = left > 0 ? [left === 1 ? '1 more cause ends' : `${left} more causes end`] : [];
  return [[...named, ...more].join(' and '), deadlineWords(draft, held)].filter(Boolean).join('; ');
}

function heldNode(draft: RollDraft, { policy }: GroupState, member: Member): HeldNode {
  const name = member.node?.name ?? member.id;
  const causes = member.locked
    ? [`${UPGRADE_LOCK} is taken off ${NODES}`]
    : [...member.drainable.flatMap((pod) => podCauses(draft, pod)), ...answerCauses(draft, policy, member)];
  return { name, member, policy, causes };
}

function podCauses(draft: RollDraft, pod: PodView): readonly string[] {
  const pdbs = holdingPdbs(pod, draft.scope.pdbs);
  if (pdbs.length < 2) return pdbs.map(pdbCause);
  return [`only one of the PDBs ${pdbs.map(pdbName).join(', ')} covers ${podName(pod)}`];
}

/** Refusals that have lasted: shorter ones are the normal life of a PDB. */
function answerCauses(draft: RollDraft, policy: RollPolicy, member: Member): readonly string[] {
  const memory = draft.instance(member.id);
  if (memory?.blockedSince === undefined || draft.now - memory.blockedSince < policy.tellBlockedAfter)
    return [];
  const parked = memory.state === 'slow-lane' || memory.state === 'quarantined';
  if (parked && isUnblocked(draft, member)) return [];
  const told = (memory.blockedBy ?? []).filter((one) => isHard(one) && one.code !== 'several-pdbs');
  return told.map((blocker) => {
    const pdb = draft.scope.pdbs.find((each) => pdbName(each) === blocker.pdb);
    return pdb ? pdbCause(pdb) : `${blocker.pod} may leave ${NODES}`;
  });
}

function pdbCause(pdb: PdbView): string {
  const owner = ownerOf(pdb);
  return `PDB ${pdbName(pdb)}${owner === undefined ? '' : ` (owner ${owner})`} lets ${NODES} go`;
}

function listed(names: readonly string[]): string {
  const more = names.length > NAMED ? ` (and ${names.length - NAMED} more)` : '';
  return `${names.slice(0, NAMED).join(', ')}${more}`;
}

const AT_DEADLINE: Readonly<Record<RollPolicy['onBlockedDeadline'], string>> = {
  quarantine: 'is set aside',
  ladder: 'is cleared by the ladder',
  fail: 'halts the roll',
};

/** What becomes of them otherwise, and when: of the one whose time is up first, else of any whose clock begins. */
function deadlineWords(draft: RollDraft, held: readonly HeldNode[]): string | undefined {
  const open = held.filter(
    ({ member }) => !member.locked && draft.instance(member.id)?.state !== 'quarantined',
  );
  const running = open
    .map((node) => ({ ...node, since: draft.instance(node.member.id)?.blockedSince }))
    .filter((node): node is HeldNode & { readonly since: number } => node.since !== undefined)
    .map((node) => ({ ...node, at: node.since + node.policy.blockedDeadline }))
    .sort((a, b) => a.at - b.at);
  const [next] = running;
  if (next) {
    const at = toIso(next.at).replace(/:\d\d\.\d+Z$/, 'Z');
    return `otherwise ${next.name} ${AT_DEADLINE[next.policy.onBlockedDeadline]} at ${at}`;
  }
  const [first] = open;
  if (!first) return undefined;
  const { blockedDeadline, onBlockedDeadline } = first.policy;
  return `a node that stays blocked ${AT_DEADLINE[onBlockedDeadline]} after ${formatDuration(blockedDeadline)}`;
}
