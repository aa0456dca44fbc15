import { digestOfValue, minutes, type Duration, type Outcome } from '#kernel';
import { problemType } from '#fleet';
import type { CapacityFinding, PoolDemand } from '#rolling';
import { ACCEPTED_ITEM, accepts } from '../doctor/upgrade-check.js';
import { tell, type Pass } from '../pass/pass.js';
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
  const [{ what, remedy }] = findings as [CapacityFinding];
  tell(pass, {
    type: 'update.short-of-capacity',
    severity: 'warning',
    message: `nothing was changed: ${what} ${remedy}`,
    data: { findings },
    dedupeKey: `short-of-capacity|${planned}|${digestOfValue(findings.map(({ code, pools }) => [code, pools]))}`,
  });
  return blocked(pass, findings);
}

/**
 * Asks again while an update waits for room, without planning anew. What cannot be read now was too little at the last
 * look: it goes on waiting, and says so.
 */
export async function stillShort(pass: Pass, planned: string): Promise<Outcome | undefined> {
  const shortage = pass.memory.get(SHORT) as Shortage | undefined;
  if (shortage?.planned !== planned) return undefined;
  const forecast = await foresee(pass, shortage.demands, recheck(pass) / 2);
  const findings = forecast.findings.filter(({ stops, code }) => stops && !accepts(pass, code));
  if (findings.length > 0) return blocked(pass, findings);
  if (forecast.unknown.length === 0) return undefined;
  const known = shortage.findings.filter(({ code }) => !accepts(pass, code));
  return known.length === 0
    ? undefined
    : blocked(pass, known, ` Now not known: ${forecast.unknown.join('; ')}.`);
}

const WORDS: Readonly<Record<CapacityFinding['code'], string>> = {
  'quota-exceeded': 'a quota of the account',
  'subnet-full': 'full subnets',
};

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
  const codes = [...new Set(findings.map(({ code }) => code))];
  const whats = findings.map(({ what }) => what).join(' ');
  return {
    kind: 'blocked',
    by: `${codes.map((code) => WORDS[code]).join(' and ')}: ${whats}${addition}`,
    unblock: `${findings.map(({ remedy }) => remedy).join(' ')} Nothing was changed; it is asked again by itself. To go on regardless: config item ${ACCEPTED_ITEM}: "${codes.join(', ')}".`,
    recheckIn: recheck(pass),
  };
}
