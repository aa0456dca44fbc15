import { done, hours, toFailure, type Failure, type Outcome } from '#kernel';
import type { KubernetesObject, PruneState } from '#fleet';
import { problemOf, problemType, refKey } from '#fleet';
import type { PruneDecision, PruneItem } from '#manifests';
import type { InventoryEntry, ManifestRequest } from '#ports';
import { mapBounded } from '../bounded.js';
import { declareApplySet } from '../manifests/apply-set.js';
import { APPROVED, askPrune } from '../manifests/ask-prune.js';
import { passesByItself } from '../manifests/compare-objects.js';
import { API_CONCURRENCY } from '../manifests/survey.js';
import type { Pass } from '../pass/pass.js';
import { tell } from '../pass/pass.js';
import { heldOutcome } from './held.js';
import type { StepRunner } from './step-runner.js';

/**
 * Deletes what Fairway applied and Git does not name any more, last and in reverse order. What may not go stays, each with
 * its reason and remedy as a problem; the rest goes on.
 */
export const pruneStep: StepRunner = {
  kind: 'prune',
  title: 'Delete what left Git',
  timeLimit: hours(1),
  errorThreshold: 3,
  irreversible: true,
  run: async (pass): Promise<Outcome> => {
    const { inventory, candidates, live, requests, decision } = await askPrune(pass);
    if (candidates.length === 0) return conclude(pass, inventory, decision, requests, NOTHING);
    const held = decision.prune.length > 0 ? heldOutcome(pass) : undefined;
    if (held) return held;
    if (decision.approved.length > 0) pass.memory.set(APPROVED, decision.approved);
    else pass.memory.delete(APPROVED);
    return conclude(pass, inventory, decision, requests, await pruneAll(pass, decision, live));
  },
};

interface Pruned {
  readonly gone: readonly InventoryEntry[];
  readonly leaving: readonly InventoryEntry[];
  readonly refused: readonly { readonly item: InventoryEntry; readonly failure: Failure }[];
}

const NOTHING: Pruned = { gone: [], leaving: [], refused: [] };

type Live = ReadonlyMap<string, KubernetesObject>;

/** Kind after kind, because the order matters: what others refer to goes last. Objects of one kind go at the same time. */
async function pruneAll(pass: Pass, decision: PruneDecision, live: Live): Promise<Pruned> {
  const gone: InventoryEntry[] = [];
  const leaving: InventoryEntry[] = [];
  const refused: { item: InventoryEntry; failure: Failure }[] = [];
  for (const group of groupsOf(decision.prune)) {
    for (const { item, result } of await pruneGroup(pass, group, live)) {
      if (result === 'gone') gone.push(item);
      else if (result === 'leaving') leaving.push(item);
      else refused.push({ item, failure: result });
    }
  }
  if (gone.length > 0) {
    tell(pass, {
      type: 'objects.pruned',
      message: `${gone.length} objects pruned`,
      data: { objects: gone.slice(0, 100).map(({ ref }) => refKey(ref)) },
    });
  }
  return { gone, leaving, refused };
}

/** As many as one intent names; the lease is looked at between groups. */
const GROUP = 50;

/** Neighbours of one kind, as they come. */
function groupsOf(items: readonly PruneItem[]): readonly (readonly PruneItem[])[] {
  const groups: PruneItem[][] = [];
  for (const one of items) {
    const group = groups.at(-1);
    const joins =
      group !== undefined && group.length < GROUP && group[0]?.item.ref.kind === one.item.ref.kind;
    if (joins) group.push(one);
    else groups.push([one]);
  }
  return groups;
}

interface PrunedOne {
  readonly item: InventoryEntry;
  /** A failure: the API server refused it. Trouble with the API itself is thrown. */
  readonly result: 'gone' | 'leaving' | Failure;
}

async function pruneGroup(
  pass: Pass,
  group: readonly PruneItem[],
  live: Live,
): Promise<readonly PrunedOne[]> {
  const asked = group.filter(
    ({ item }) => live.get(refKey(item.ref))?.metadata.deletionTimestamp === undefined,
  );
  const keys = asked.map(({ item }) => refKey(item.ref));
  const refusals = new Map<string, Failure>();
  if (asked.length > 0) {
    const objects = asked.map(({ item, uid }) => ({ ref: refKey(item.ref), uid }));
    const target = keys.length === 1 ? String(keys[0]) : `${keys.length} of ${asked[0]?.item.ref.kind}`;
    await pass.intents.perform({ step: 'prune', target, verb: 'delete', data: { objects } }, () =>
      mapBounded(asked, API_CONCURRENCY, async (one) => {
        const failure = await deleteOne(pass, one);
        if (failure) refusals.set(refKey(one.item.ref), failure);
      }),
    );
  }
  return mapBounded(group, API_CONCURRENCY, async ({ item, uid }): Promise<PrunedOne> => {
    const refusal = refusals.get(refKey(item.ref));
    if (refusal) return { item, result: refusal };
    // Finalizers or grace may keep it for a while.
    const left = await pass.kubernetes.get(item.ref);
    return { item, result: left?.metadata.uid === uid ? 'leaving' : 'gone' };
  });
}

async function deleteOne(pass: Pass, { item, uid }: PruneItem): Promise<Failure | undefined> {
  try {
    const options = { ...(uid !== '' && { uid }), propagationPolicy: 'Background' } as const;
    await pass.kubernetes.delete(item.ref, options);
    return undefined;
  } catch (error) {
    const failure = toFailure(error);
    if (passesByItself(failure)) throw error;
    return failure;
  }
}

async function conclude(
  pass: Pass,
  inventory: readonly InventoryEntry[],
  decision: PruneDecision,
  requests: readonly ManifestRequest[],
  pruned: Pruned,
): Promise<Outcome> {
  await shrink(pass, inventory, [...decision.forget, ...pruned.gone]);
  const state = stateOf(pass, decision, pruned);
  await recordState(pass, state);
  for (const request of requests) {
    const result = request.digest === decision.digest ? 'done' : 'the set of objects is another one now';
    const lease = await pass.lease.current();
    await pass.ports.updates.settleManifestRequests(lease, [request.id], result, pass.ports.clock.now());
  }
  report(pass, state, pruned);
  return done(summaryOf(pruned, state), pruned.gone.length > 0);
}

async function shrink(
  pass: Pass,
  inventory: readonly InventoryEntry[],
  gone: readonly InventoryEntry[],
): Promise<void> {
  if (gone.length === 0) return;
  const keys = new Set(gone.map(({ ref }) => refKey(ref)));
  const rest = inventory.filter(({ ref }) => !keys.has(refKey(ref)));
  await pass.ports.updates.recordInventory(await pass.lease.current(), pass.cluster.id, rest);
  await declareApplySet(
    pass,
    rest.map(({ ref }) => ref),
  );
}

function stateOf(pass: Pass, decision: PruneDecision, pruned: Pruned): PruneState | undefined {
  const blocked = decision.blocked.map(({ item, code, reason, remedy }) => ({
    ...item,
    code,
    reason,
    remedy,
  }));
  const refused = pruned.refused.map(({ item, failure }) => ({
    ...item,
    code: failure.code,
    reason: failure.message,
    remedy: failure.hint ?? 'It is tried again with the next look at the cluster.',
  }));
  const kept = [...blocked, ...refused].map(({ ref, component, uid, code, reason, remedy }) => ({
    ref,
    component,
    code,
    reason,
    remedy,
    ...(uid !== undefined && { uid }),
  }));
  if (kept.length === 0) return undefined;
  const confirmable = decision.blocked.filter(
    ({ code }) => code === 'needs-confirmation' || code === 'over-budget',
  ).length;
  return { digest: decision.digest, decidedAt: pass.ports.clock.now(), kept, confirmable };
}

/** The time alone is no news. */
async function recordState(pass: Pass, state: PruneState | undefined): Promise<void> {
  const { updates } = pass.ports;
  const known = await updates.pruneState(pass.cluster.id);
  const same = (one: PruneState | undefined): string =>
    JSON.stringify(one && [one.digest, one.kept.map(sortable)]);
  if (same(known) === same(state)) return;
  await updates.recordPruneState(await pass.lease.current(), pass.cluster.id, state);
}

const sortable = (kept: PruneState['kept'][number]): readonly unknown[] => [
  refKey(kept.ref),
  kept.uid,
  kept.code,
  kept.reason,
];

/** More would hide the rest; `fairway prune list` shows all. */
const SHOWN = 10;

function report(pass: Pass, state: PruneState | undefined, pruned: Pruned): void {
  const instance = `cluster/${pass.cluster.id}`;
  for (const { failure } of pruned.refused.slice(0, SHOWN))
    pass.report.problems.push(problemOf(failure, instance, 'warning'));
  const groups = new Map<string, PruneState['kept'][number][]>();
  for (const kept of state?.kept ?? []) {
    if (pruned.refused.some(({ item }) => refKey(item.ref) === refKey(kept.ref))) continue;
    const group = `${kept.code}|${kept.reason}`;
    groups.set(group, [...(groups.get(group) ?? []), kept]);
  }
  for (const members of [...groups.values()].slice(0, SHOWN)) {
    const [first] = members;
    if (!first) continue;
    const names = members.slice(0, 5).map(({ ref }) => refKey(ref));
    const more = members.length > names.length ? ` and ${members.length - names.length} more` : '';
    pass.report.problems.push({
      type: problemType('prune-blocked'),
      title: `prune blocked: ${first.code.replaceAll('-', ' ')}`,
      detail: `${names.join(', ')}${more}: ${first.reason}`,
      hint: first.remedy,
      instance,
      severity: 'warning',
    });
  }
}

function summaryOf(pruned: Pruned, state: PruneState | undefined): string {
  const parts = [`${pruned.gone.length} objects deleted`];
  if (pruned.leaving.length > 0) parts.push(`${pruned.leaving.length} still being deleted`);
  if (state) parts.push(`${state.kept.length} kept`);
  return parts.join(', ');
}
