import type { CheckResult, DoctorCheck, DoctorReport, Finding, Severity } from '#fleet';
import { DOCTOR_CHECKS } from '#fleet';
import { backupsCheck } from './backups.check.js';
import { certificatesCheck } from './certificates.check.js';
import { known, plural, type Verdict } from './check.js';
import { etcdCheck } from './etcd.check.js';
import { leadersCheck } from './leaders.check.js';
import { apiCheck, mastersCheck } from './masters.check.js';
import { nodesCheck } from './nodes.check.js';
import type { DoctorObservation } from './observation.js';
import { deprecatedApisCheck, versionsCheck } from './versions.check.js';
import {
  aggregatedApisCheck,
  budgetsCheck,
  namespacesCheck,
  webhooksCheck,
  workloadsCheck,
} from './workloads.check.js';

const CHECKS: Readonly<Record<DoctorCheck, (observation: DoctorObservation) => Verdict>> = {
  api: apiCheck,
  masters: mastersCheck,
  leaders: leadersCheck,
  etcd: etcdCheck,
  nodes: nodesCheck,
  versions: versionsCheck,
  'deprecated-apis': deprecatedApisCheck,
  certificates: certificatesCheck,
  backups: backupsCheck,
  'disruption-budgets': budgetsCheck,
  workloads: workloadsCheck,
  webhooks: webhooksCheck,
  'aggregated-apis': aggregatedApisCheck,
  namespaces: namespacesCheck,
};

const RANK: readonly Severity[] = ['critical', 'error', 'warning', 'info'];

/** Every check over one observation. Pure: the same observation gives the same report. */
export function examine(clusterId: string, observation: DoctorObservation): DoctorReport {
  const verdicts = DOCTOR_CHECKS.map((check) => ({ check, ...CHECKS[check](observation) }));
  const findings = verdicts
    .flatMap((verdict) => verdict.findings)
    .sort((a, b) => RANK.indexOf(a.severity) - RANK.indexOf(b.severity));
  const checks = verdicts.map(resultOf);
  const version = known(observation.serverVersion);
  return {
    clusterId,
    at: observation.now,
    verdict: overall(findings, checks),
    ...(version !== undefined && { serverVersion: version }),
    checks,
    findings,
  };
}

function resultOf({
  check,
  findings,
  unknown,
  summary,
  notApplicable,
}: Verdict & { check: DoctorCheck }): CheckResult {
  if (unknown.length > 0) {
    const seen = findings.length > 0 ? `${plural(findings.length, 'finding')}; ` : '';
    return { check, state: 'unknown', summary: `${seen}${[...new Set(unknown)].join('; ')}` };
  }
  if (notApplicable !== undefined) return { check, state: 'not-applicable', summary: notApplicable };
  if (findings.length === 0) return { check, state: 'ok', summary };
  return { check, state: 'findings', summary: plural(findings.length, 'finding') };
}

function overall(findings: readonly Finding[], checks: readonly CheckResult[]): DoctorReport['verdict'] {
  const has = (...severities: readonly Severity[]): boolean =>
    findings.some(({ severity }) => severities.includes(severity));
  if (has('critical', 'error')) return 'errors';
  if (checks.some(({ state }) => state === 'unknown')) return 'unknown';
  return has('warning') ? 'warnings' : 'ok';
}
