import type { FleetEvent, Update } from '#fleet';
import { recordDigest } from './record-digest.js';
import { SETTLED, settledBasis } from './settled.js';
import type { PassFrame } from './run-pass.js';

/** Memory key: what the open update is for. */
const BASIS = 'update/basis';

interface Basis {
  readonly revisionId: string;
  readonly recordDigest: string;
}

/**
 * The update that this pass works on: the open one while it is for the same revision and record; otherwise a new one,
 * which supersedes it. What the old one had in flight (a node being drained) lives in the cluster's memory and goes on.
 */
export async function openUpdate(frame: PassFrame, decommission: boolean): Promise<Update> {
  const { ports } = frame.parts;
  const open = await ports.updates.openUpdate(frame.cluster.id);
  const kind = decommission ? 'decommission' : 'update';
  const basis = basisOf(frame);
  if (open && open.kind === kind && (decommission || sameBasis(frame.memory.get(BASIS), basis))) return open;
  const resumed = open ? undefined : await verification(frame, basis, decommission);
  if (resumed) return resumed;
  const revision = decommission ? undefined : await ports.channels.getRevision(basis.revisionId);
  const update: Update = {
    id: ports.ids.next(),
    clusterId: frame.cluster.id,
    kind,
    ...(revision && { revisionId: revision.id, commit: revision.commit }),
    state: 'running',
    startedAt: ports.clock.now(),
  };
  frame.memory.set(BASIS, basis);
  await ports.updates.startUpdate(await frame.lease.current(), update, open?.id, [
    started(frame, update, open),
  ]);
  return update;
}

const basisOf = (frame: PassFrame): Basis => ({
  revisionId: frame.runtime.admittedRevisionId ?? '',
  recordDigest: recordDigest(frame.cluster, frame.standing),
});

/** What a carried-over update is for: the look that follows goes on under it instead of starting another. */
export const carriedBasis = (
  revisionId: string,
  recordDigestOf: string,
): Readonly<Record<string, unknown>> => ({
  [BASIS]: { revisionId, recordDigest: recordDigestOf } satisfies Basis,
});

/** Inputs that the open update lacked are its own: it goes on with them. */
export function rebaseUpdate(frame: PassFrame): void {
  if (frame.memory.get(BASIS) !== undefined) frame.memory.set(BASIS, basisOf(frame));
}

/** A resync of a settled cluster looks at everything again under its last update; nothing new is started for it. */
async function verification(
  frame: PassFrame,
  basis: Basis,
  decommission: boolean,
): Promise<Update | undefined> {
  const settled = settledBasis(frame.memory.get(SETTLED));
  if (decommission || !settled || !sameBasis(settled, basis)) return undefined;
  const [last] = await frame.parts.ports.updates.listUpdates(frame.cluster.id, 1);
  return last?.kind === 'update' ? last : undefined;
}

function sameBasis(value: unknown, basis: Basis): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const other = value as Partial<Basis>;
  return other.revisionId === basis.revisionId && other.recordDigest === basis.recordDigest;
}

function started(frame: PassFrame, update: Update, superseded: Update | undefined): FleetEvent {
  return {
    type: update.kind === 'decommission' ? 'decommission.started' : 'update.started',
    at: update.startedAt,
    severity: 'info',
    subject: `cluster/${frame.cluster.id}`,
    channel: frame.cluster.channel,
    clusterId: frame.cluster.id,
    message: superseded
      ? `update to ${update.commit?.slice(0, 12) ?? 'nothing'} supersedes the one to ${superseded.commit?.slice(0, 12)}`
      : `${update.kind} ${update.commit ? `to ${update.commit.slice(0, 12)}` : 'of the cluster'} started`,
    data: { updateId: update.id, commit: update.commit, supersedes: superseded?.id },
  };
}
