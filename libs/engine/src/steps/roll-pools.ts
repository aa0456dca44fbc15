import type { Instant, Outcome } from '#kernel';
import { done, failed, formatDuration, toFailure } from '#kernel';
import type { DesiredNodePool, StepKind } from '#fleet';
import {
  decide,
  observeEviction,
  observeLaunch,
  readRollMemory,
  type EvictAction,
  type RollAction,
  type RollDecision,
  type RollMemory,
} from '#rolling';
import type { Pass } from '../pass/pass.js';
import { tell } from '../pass/pass.js';
import { runRollAction, type RollActionResult } from './roll-actions.js';
import { poolPolicies, type PoolPolicies } from './roll-policy.js';
import { forgetObservation, observeRoll } from './roll-scope.js';
import { tellNotes } from './roll-notes.js';
import { redoRollIntents } from './roll-recovery.js';
import { reportBoots } from './roll-throttle.js';
import { applyRollRequests, rollMemoryKey } from './roll-requests.js';

/**
 * One look at the pools and one round of actions. Nothing here waits: the next look comes from a watch, or after the
 * time that the decision names. `in-flight`: no further node is started, but for those that serve nobody.
 */
export async function rollPools(
  pass: Pass,
  step: StepKind,
  pools: readonly DesiredNodePool[],
  which: 'all' | 'in-flight' = 'all',
): Promise<Outcome> {
  const policies = poolPolicies(pass, pools);
  if (!policies.ok) return failed(policies.error);
  await applyRollRequests(pass);
  await redoRollIntents(pass, step);
  const memory = readRollMemory(pass.memory.get(rollMemoryKey(step)), pass.update.id);
  const observed = await observeRoll(pass, pools, policies.value, memory);
  if (observed.kind === 'outcome') return observed.outcome;
  const starts = which === 'all' ? 'any' : 'dead';
  const decision = decide({ ...observed.scope, starts }, policies.value.scope, observed.at);
  pass.nodes.push(...decision.nodes);
  pass.rolls.push(...decision.efficiency);
  addEta(pass, decision);
  reportBoots(pass, step, decision.boots);
  const after = await act(pass, step, decision);
  tellNotes(pass, step, decision.notes);
  // The update's own roll is still to come where only the last one's is finished.
  if (which === 'all') tellFinished(pass, step, decision);
  pass.memory.set(rollMemoryKey(step), after);
  return outcomeOf(pass, decision, policies.value);
}

async function act(pass: Pass, step: StepKind, decision: RollDecision): Promise<RollMemory> {
  // The memory goes into the database with the intents, before the first action.
  pass.memory.set(rollMemoryKey(step), decision.memory);
  const performed = await pass.intents.performAll(
    decision.actions
      .filter((action) => action.kind !== 'forget')
      .map((action) => ({
        step,
        target: action.key,
        verb: action.kind,
        data: { action },
      })),
    (request) => runRollAction(pass, request.data?.['action'] as RollAction),
  );
  if (performed.length > 0) forgetObservation(pass);
  let memory = decision.memory;
  for (const { request, result, error } of performed) {
    const action = request.data?.['action'] as RollAction;
    if (error !== undefined) reportFailedAction(pass, action, error);
    else memory = remember(memory, action, result, pass.ports.clock.now());
    if (error === undefined) tellAction(pass, action);
  }
  return memory;
}

function remember(
  memory: RollMemory,
  action: RollAction,
  result: RollActionResult | undefined,
  now: Instant,
): RollMemory {
  if (action.kind === 'launch-in-zone' && result?.launch) {
    return observeLaunch(memory, action, result.launch, now);
  }
  if (action.kind !== 'evict' || result?.eviction === undefined) return memory;
  return observeEviction(memory, action as EvictAction, result.eviction, now);
}

/** An action that fails is decided on again from the next look; only what needs people or code is made known. */
function reportFailedAction(pass: Pass, action: RollAction, error: unknown): void {
  const failure = toFailure(error);
  if (failure.class === 'bug' || failure.class === 'denied' || failure.class === 'invalid') throw error;
  pass.ports.log.warn('roll action failed', {
    clusterId: pass.cluster.id,
    action: action.kind,
    target: action.key,
    code: failure.code,
    reason: failure.message,
  });
}

const TOLD_ACTIONS: Readonly<Partial<Record<RollAction['kind'], string>>> = {
  cordon: 'node.cordoned',
  terminate: 'node.terminated',
  'set-desired-capacity': 'pool.scaled',
  'launch-in-zone': 'pool.scaled',
  'restore-node': 'node.restored',
  'delete-pod': 'pod.forced',
};

function tellAction(pass: Pass, action: RollAction): void {
  const type = TOLD_ACTIONS[action.kind];
  if (type === undefined) return;
  tell(pass, {
    type,
    message: `${action.pool}: ${action.kind} ${action.key} (${action.reason})`,
    data: { pool: action.pool, target: action.key, reason: action.reason },
  });
}

/** Once per update: how long the roll of the step took, its η and what the rest of the time went into. */
function tellFinished(pass: Pass, step: StepKind, decision: RollDecision): void {
  const key = `roll/finished/${step}`;
  if (decision.state !== 'done' || decision.progress.done === 0) return;
  if (pass.memory.text(key) === pass.update.id) return;
  pass.memory.set(key, pass.update.id);
  const pools = decision.efficiency.map(
    ({ pool, observedMs, eta }) =>
      `${pool} in ${formatDuration(observedMs)}${eta === undefined ? '' : ` (η ${eta.toFixed(2)})`}`,
  );
  tell(pass, {
    type: 'roll.finished',
    message: `${decision.progress.done} nodes replaced: ${pools.join(', ')}`,
    data: { rolls: decision.efficiency },
  });
}

function addEta(pass: Pass, decision: RollDecision): void {
  if (decision.etaMs === undefined || decision.progress.total === 0) return;
  pass.report.etaMs = (pass.report.etaMs ?? 0) + decision.etaMs;
  if (decision.etaIf !== undefined) pass.report.etaIf = decision.etaIf;
}

function outcomeOf(pass: Pass, decision: RollDecision, policies: PoolPolicies): Outcome {
  const progress = { ...decision.progress, unit: 'nodes' };
  const recheckIn = Math.min(
    decision.nextLookIn,
    Math.max(pass.settings.pollInterval, policies.scope.pollInterval),
  );
  switch (decision.state) {
    case 'done':
      return done(
        progress.total > 0 ? `${progress.done} of ${progress.total} nodes replaced` : 'all nodes are current',
      );
    case 'working':
      return { kind: 'waiting', for: decision.message, recheckIn, progress };
    case 'blocked':
      return {
        kind: 'blocked',
        by: decision.message,
        unblock: decision.unblock ?? 'See the notes of the roll.',
        recheckIn,
        progress,
      };
    case 'halted':
      return failed({
        class: 'terminal',
        code: 'roll-halted',
        message: decision.message,
        hint: decision.unblock ?? 'Look at the diagnostics, then merge a fix or resume the roll.',
      });
    case 'aborted':
      return failed({
        class: 'terminal',
        code: 'roll-aborted',
        message: decision.message,
        hint: decision.unblock ?? 'Resume the roll, or merge a change.',
      });
  }
}
