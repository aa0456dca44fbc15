import { minutes, type Duration, type Outcome } from '#kernel';
import { problemType } from '#fleet';
import type { CapacityFinding, CapacityUnknown, PoolDemand } from '#rolling';
import { ACCEPTED_ITEM, accepts } from '../doctor/upgrade-check.js';
import type { Pass } from '../pass/pass.js';
import { foresee } from '../plan/foresee.js';

const SHORT = 'plan/short-of-capacity';

interface Shortage {
  /** Update and content that were planned. */
  readonly planned: string;
  readonly demands: readonly PoolDemand[];
  readonly findings: readonly CapacityFinding[];
}

/** Poll of something that people or AWS change; shorter only where the whole installation lives faster. */
const recheck = (pass: Pass): Duration => Math.min(minutes(1), 12 * pass.settings.pollInterval);

/** Blocked where not even one machine fits that has to come before anything can go on; the plan is stored all the same. */
export function rememberShortage(
  pass: Pass,
  planned: string,
  demands: readonly PoolDemand[],
  all: readonly CapacityFinding[],
): Outcome | undefined {
  const findings = all.filter(({ stops, code }) => stops && !accepts(pass, code));
  if (findings.length === 0) {
    pass.memory.delete(SHORT);
    return undefined;
  }
  pass.memory.set(SHORT, { planned, demands, findings } satisfies Shortage);
  return blocked(pass, findings);
}

/**
 * Asks again while an update waits for room, without planning anew. What cannot be read now was too little at the last
 * look: it goes on waiting, and says so.
 */
export async function stillShort(pass: Pass, planned: string): Promise<Outcome | undefined> {
  const shortage = pass.memory.get(SHORT) as Shortage | undefined;
  // An older version may have written another shape: then the plan is made anew.
  if (shortage?.planned !== planned || !Array.isArray(shortage.demands)) return undefined;
  const forecast = await foresee(pass, shortage.demands, recheck(pass) / 2);
  const findings = forecast.findings.filter(({ stops, code }) => stops && !accepts(pass, code));
  if (findings.length > 0) return blocked(pass, findings);
  const lost = shortage.findings.filter(
    (finding) =>
      !accepts(pass, finding.code) && forecast.unknown.some((unknown) => concerns(unknown, finding)),
  );
  const now = forecast.unknown.map(({ what }) => what).join('; ');
  return lost.length === 0 ? undefined : blocked(pass, lost, ` (now not known: ${now})`);
}

const concerns = (unknown: CapacityUnknown, { code, pools }: CapacityFinding): boolean =>
  unknown.code === code && unknown.pools.some((pool) => pools.includes(pool));

function blocked(pass: Pass, findings: readonly CapacityFinding[], addition = ''): Outcome {
  for (const { code, what, remedy } of findings) {
    pass.report.problems.push({
      type: problemType(code),
      title: code.replaceAll('-', ' '),
      detail: what,
      hint: remedy,
      instance: `cluster/${pass.cluster.id}`,
      severity: 'warning',
    });
  }
  const codes = [...new Set(findings.map(({ code }) => code))].join(', ');
  return {
    kind: 'blocked',
    by: `${findings.map(({ brief }) => brief).join('; ')}${addition}`,
    unblock: `${findings.map(({ remedy }) => remedy).join(' ')} Nothing was changed, and it is asked again by itself; to go on regardless: config item ${ACCEPTED_ITEM}: "${codes}".`,
    recheckIn: recheck(pass),
  };
}
