import { minutes, toFailure } from '#kernel';
import { problemOf } from '#fleet';
import type { PassFrame } from '../pass/run-pass.js';
import { lookUp, storeNewLock } from './lock-inputs.js';

const AGAIN_IN = minutes(1);

/**
 * Looks the inputs up anew because somebody asked. A difference is a new version, an event, and the basis of a new
 * update, which plans it like any change. What cannot be looked up now is asked for again.
 */
export async function refreshInputs(frame: PassFrame): Promise<void> {
  const { ports, rendering } = frame.parts;
  const { cluster, runtime, lease } = frame;
  const requests = await ports.configs.openRefreshes(cluster.id);
  try {
    const wanted = await rendering.lookups(frame, runtime.admittedRevisionId ?? '');
    const aws = await ports.aws.connect((await account(frame)).externalId, cluster.region);
    const before = (await ports.configs.inputsLock(cluster.id))?.inputs;
    const by = [...new Set(requests.map(({ actor }) => actor))].join(', ');
    const why = `refreshed by ${by}: ${requests.map(({ reason }) => reason).join('; ')}`;
    const changed = await storeNewLock(frame, before, await lookUp(frame, wanted, aws), why);
    const result = changed ? `version ${frame.standing.lock?.version}` : 'nothing has changed';
    const ids = requests.map(({ id }) => id);
    await ports.configs.settleRefreshes(await lease.current(), ids, result, ports.clock.now());
    if (!changed) tellUnchanged(frame, by);
  } catch (thrown) {
    report(frame, thrown);
  }
}

async function account(frame: PassFrame) {
  const id = frame.cluster.infrastructureAccount;
  const found = await frame.parts.ports.registry.getAccount(id);
  if (!found) throw new Error(`account ${id} vanished from the registry`);
  return found;
}

function tellUnchanged({ parts, cluster, report: { events } }: PassFrame, by: string): void {
  events.push({
    type: 'inputs.refreshed',
    at: parts.ports.clock.now(),
    severity: 'info',
    subject: `cluster/${cluster.id}`,
    channel: cluster.channel,
    clusterId: cluster.id,
    message: `inputs were looked up anew for ${by}; nothing has changed`,
    data: {},
  });
}

function report(frame: PassFrame, thrown: unknown): void {
  const failure = toFailure(thrown);
  if (failure.code === 'lease-lost' || failure.class === 'bug') throw thrown;
  const now = frame.parts.ports.clock.now();
  frame.parts.ports.log.warn('inputs could not be refreshed', {
    clusterId: frame.cluster.id,
    code: failure.code,
    reason: failure.message,
  });
  frame.report.problems.push(problemOf(failure, `cluster/${frame.cluster.id}`, 'warning'));
  frame.report.lookAgainAt = Math.min(frame.report.lookAgainAt ?? Infinity, now + AGAIN_IN);
}
