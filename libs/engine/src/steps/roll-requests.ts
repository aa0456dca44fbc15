import type { StepKind } from '#fleet';
import type { RollRequest } from '#ports';
import { abortRoll, readRollMemory, resumeRoll, type RollMemory } from '#rolling';
import type { Pass } from '../pass/pass.js';
import { tell } from '../pass/pass.js';

export const rollMemoryKey = (step: StepKind): string => `roll/${step}`;

const ROLL_STEPS: readonly StepKind[] = ['control-plane', 'node-pools'];
/** Memory key: requests that the stored memory has in it already. */
const APPLIED = 'roll/requests';

/**
 * What people ask about the roll goes into its memory. A request is settled by the pass after the one that stored that
 * memory: a worker that dies in between finds it open and does the same again.
 */
export async function applyRollRequests(pass: Pass): Promise<void> {
  const open = await pass.ports.updates.openRollRequests(pass.cluster.id);
  const before = pass.memory.get(APPLIED);
  const applied = Array.isArray(before) ? (before as readonly string[]) : [];
  const stored = open.filter((request) => applied.includes(request.id));
  const fresh = open.filter((request) => !applied.includes(request.id));
  const mine = fresh.filter((request) => request.updateId === pass.update.id);
  await settle(pass, stored, 'applied');
  await settle(
    pass,
    fresh.filter((request) => !mine.includes(request)),
    'another update runs',
  );
  for (const request of mine) {
    for (const step of ROLL_STEPS) applyTo(pass, step, request);
    tell(pass, {
      type: request.kind === 'abort' ? 'roll.aborted' : 'roll.resumed',
      severity: request.kind === 'abort' ? 'warning' : 'info',
      message: `${request.actor} ${request.kind === 'abort' ? 'aborts' : 'resumes'} the roll: ${request.reason}`,
      data: { actor: request.actor, reason: request.reason },
    });
  }
  if (mine.length > 0)
    pass.memory.set(
      APPLIED,
      mine.map((request) => request.id),
    );
  else if (applied.length > 0) pass.memory.delete(APPLIED);
}

function applyTo(pass: Pass, step: StepKind, request: RollRequest): void {
  const memory = readRollMemory(pass.memory.get(rollMemoryKey(step)), pass.update.id);
  pass.memory.set(rollMemoryKey(step), changed(memory, request));
}

function changed(memory: RollMemory, request: RollRequest): RollMemory {
  if (request.kind === 'resume') return resumeRoll(memory);
  const { updateId, actor: by, reason, requestedAt: at } = request;
  return abortRoll(memory, { updateId, at, by, reason });
}

async function settle(pass: Pass, requests: readonly RollRequest[], result: string): Promise<void> {
  if (requests.length === 0) return;
  const ids = requests.map((request) => request.id);
  await pass.ports.updates.settleRollRequests(
    await pass.lease.current(),
    ids,
    result,
    pass.ports.clock.now(),
  );
}
