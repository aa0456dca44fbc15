import { digestOfValue, done, type Failure, type Outcome } from '#kernel';
import type { DriftFinding, DriftMode, KubernetesObject, PathSegment } from '#fleet';
import { problemOf, refKey, refOf } from '#fleet';
import { decideDrift, type DriftDecision, type Stage, type StagedObject } from '#manifests';
import type { ManifestRequest } from '#ports';
import { mapBounded } from '../bounded.js';
import type { Pass } from '../pass/pass.js';
import { tell } from '../pass/pass.js';
import { heldOutcome } from '../steps/held.js';
import { applyObject } from './apply-object.js';
import { compareObjects, type Compared, type LeaveAlone } from './compare-objects.js';
import { driftMode } from './drift-mode.js';
import { reportDrift } from './drift-problems.js';
import { recordApplied, recordUnion, verifiedOf } from './inventory.js';
import { progressOf, saveProgress } from './progress.js';
import { API_CONCURRENCY, surveyObjects, type Survey } from './survey.js';

/** Identity of an object as Git has it. */
const basisOf = (staged: StagedObject): string => digestOfValue(staged.object);

/** Fields whose difference somebody accepted, or that became a fight, as long as Git says the same of their object. */
export function leftAlone(findings: readonly DriftFinding[], objects: readonly StagedObject[]): LeaveAlone {
  const bases = new Map(objects.map((one) => [refKey(refOf(one.object)), basisOf(one)]));
  const left = new Map<string, (readonly PathSegment[])[]>();
  for (const finding of findings) {
    const key = refKey(finding.ref);
    if (finding.state !== 'accepted' && finding.state !== 'fight') continue;
    if (bases.get(key) !== finding.basis || finding.segments.length === 0) continue;
    left.set(key, [...(left.get(key) ?? []), finding.segments]);
  }
  return left;
}

/**
 * Looks, once per resync, whether the cluster still is what it was brought to. Writes only in mode `correct`, or what
 * people asked to have corrected.
 */
export async function scanDrift(pass: Pass, stages: readonly Stage[]): Promise<Outcome> {
  const { updates, clock } = pass.ports;
  const [mode, known, requests] = await Promise.all([
    driftMode(pass),
    updates.driftFindings(pass.cluster.id),
    driftRequests(pass),
  ]);
  const { doneAt = 0, scannedAt = doneAt } = progressOf(pass);
  const due = clock.now() - scannedAt >= pass.settings.resyncInterval * 0.8;
  if (requests.length === 0 && (!due || mode === 'off')) {
    reportDrift(pass, mode === 'off' ? [] : known);
    return done('the manifests are applied');
  }
  const objects = stages.flatMap((stage) => stage.batches.flat());
  const survey = await surveyObjects(pass, objects);
  const compared = await compareObjects(pass, objects, survey, new Map());
  const decision = decide(pass, mode, known, requests, compared);
  const { written, again } = await correct(pass, survey, compared, decision);
  await recordApplied(pass, objects, verifiedOf(pass, new Map([...compared, ...again]), written));
  await updates.recordDrift(await pass.lease.current(), pass.cluster.id, decision.findings);
  await settleRequests(pass, requests, decision);
  saveProgress(pass, { scannedAt: clock.now() });
  reportDrift(pass, decision.findings, refusals(compared));
  return done(summaryOf(decision, written.size), written.size > 0);
}

const driftRequests = async (pass: Pass): Promise<readonly ManifestRequest[]> =>
  (await pass.ports.updates.openManifestRequests(pass.cluster.id)).filter(
    ({ kind }) => kind !== 'confirm-prune',
  );

function decide(
  pass: Pass,
  mode: DriftMode,
  known: readonly DriftFinding[],
  requests: readonly ManifestRequest[],
  compared: ReadonlyMap<string, Compared>,
): DriftDecision {
  const drifted = [...compared.values()]
    .filter(({ action, refused }) => (action === 'create' || action === 'change') && !refused)
    .map(({ staged, live, lines }) => ({
      desired: staged.object,
      live,
      component: staged.component,
      basis: basisOf(staged),
      lines,
    }));
  const wishes = requests
    .filter(({ kind }) => kind !== 'look')
    .map(({ kind, refKey: key = '', path }) => ({
      kind: kind === 'accept-drift' ? ('accept' as const) : ('correct' as const),
      refKey: key,
      ...(path !== undefined && { path }),
    }));
  const held = heldOutcome(pass) !== undefined;
  const effective = mode === 'correct' && !held ? 'correct' : 'detect';
  return decideDrift({
    mode: effective,
    now: pass.ports.clock.now(),
    interval: pass.settings.resyncInterval,
    known,
    drifted,
    wishes,
  });
}

interface Corrected {
  readonly written: ReadonlyMap<string, KubernetesObject>;
  /** What was compared once more, without the fields that are left alone. */
  readonly again: ReadonlyMap<string, Compared>;
}

/** Writes what is to be corrected, each object without the fields that are left alone. */
async function correct(
  pass: Pass,
  survey: Survey,
  compared: ReadonlyMap<string, Compared>,
  decision: DriftDecision,
): Promise<Corrected> {
  const targets = [...compared].filter(([key]) => decision.correct.has(key)).map(([, one]) => one.staged);
  const written = new Map<string, KubernetesObject>();
  if (targets.length === 0) return { written, again: new Map() };
  const again = await compareObjects(pass, targets, survey, leftAlone(decision.findings, targets));
  await recordUnion(pass, survey);
  const keys = targets.map(({ object }) => refKey(refOf(object)));
  const intent = {
    step: 'manifests',
    target: 'drift',
    verb: 'apply',
    data: { objects: keys.slice(0, 200) },
  } as const;
  await pass.intents.perform(intent, () =>
    mapBounded([...again], API_CONCURRENCY, async ([key, one]) => {
      const result = await applyObject(pass, one);
      if (result.kind === 'applied') written.set(key, result.object);
      else if (result.kind === 'refused')
        pass.report.problems.push(problemOf(result.failure, `cluster/${pass.cluster.id}`));
    }),
  );
  tell(pass, {
    type: 'drift.corrected',
    severity: 'warning',
    message: `drift corrected: ${[...written.keys()].slice(0, 5).join(', ')}`,
    data: {
      fields: decision.findings
        .filter(({ state }) => state === 'corrected')
        .slice(0, 50)
        .map(({ ref, path, manager }) => ({ ref: refKey(ref), path, manager })),
    },
  });
  return { written, again };
}

const refusals = (compared: ReadonlyMap<string, Compared>): readonly Failure[] =>
  [...compared.values()].flatMap(({ refused }) => (refused ? [refused] : []));

async function settleRequests(
  pass: Pass,
  requests: readonly ManifestRequest[],
  decision: DriftDecision,
): Promise<void> {
  for (const request of requests) {
    const about = decision.findings.filter(
      ({ ref, path }) => refKey(ref) === request.refKey && (request.path ?? path) === path,
    );
    const missing = request.kind === 'accept-drift' && about.some(({ path }) => path === '');
    const lease = await pass.lease.current();
    const result =
      request.kind === 'look'
        ? 'done'
        : about.length === 0
          ? 'the field does not differ any more'
          : missing
            ? MISSING_STAYS
            : 'done';
    await pass.ports.updates.settleManifestRequests(lease, [request.id], result, pass.ports.clock.now());
  }
}

const MISSING_STAYS = 'an object that is missing cannot be accepted: the next update would create it again';

function summaryOf(decision: DriftDecision, corrected: number): string {
  const open = decision.findings.filter(({ state }) => state === 'open' || state === 'fight').length;
  if (corrected > 0) return `${corrected} objects were corrected, ${open} fields still differ`;
  return open > 0 ? `${open} fields differ from Git` : 'the manifests are as they should be';
}
