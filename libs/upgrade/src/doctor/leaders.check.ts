import { formatDuration, seconds, type Instant } from '#kernel';
import type { Finding, NodeView } from '#fleet';
import type { LeaseView } from '../types.js';
import { finding } from './catalogue.js';
import { judge, known, verdict, type Verdict } from './check.js';
import type { DoctorObservation } from './observation.js';

const LEADERS = ['kube-controller-manager', 'kube-scheduler'];
const LEASE_SECONDS = 15;

/** Exactly one live leader each, by the leases of leader election. */
export function leadersCheck(observation: DoctorObservation): Verdict {
  return judge(observation.leases, (leases) => {
    const found = LEADERS.map((name) => leases.find((lease) => lease.name === name));
    const findings = LEADERS.flatMap((name, index) =>
      leaderFindings(name, found[index], observation.now, known(observation.nodes) ?? []),
    );
    const summary = found.map((lease) => `${lease?.name} is led from ${hostOf(lease)}`).join(', ');
    return verdict(summary, findings);
  });
}

function leaderFindings(
  name: string,
  lease: LeaseView | undefined,
  now: Instant,
  nodes: readonly NodeView[],
): readonly Finding[] {
  const subject = `lease kube-system/${name}`;
  const remedy = `Look at the pods of ${name} in kube-system, their logs and their access to the API server.`;
  if (!lease) {
    const message = `there is no lease of ${name}: nobody runs it, or without leader election`;
    return [finding('leader-missing', { subject, message, remedy })];
  }
  if (!lease.holder) {
    return [finding('leader-missing', { subject, message: `${name} has no leader`, remedy })];
  }
  const { renewedAt, holder } = lease;
  if (renewedAt === undefined || now - renewedAt > seconds(lease.durationSeconds ?? LEASE_SECONDS)) {
    const last = renewedAt === undefined ? 'never' : `${formatDuration(now - renewedAt)} ago`;
    const message = `${name} is led by ${holder}, which renewed its lease ${last}`;
    const since = renewedAt === undefined ? {} : { since: renewedAt };
    return [finding('leader-stale', { subject, message, remedy, ...since })];
  }
  const node = nodes.find((candidate) => candidate.name === hostOf(lease));
  if (!node || node.ready) return [];
  const message = `${name} is led from ${node.name}, which is not Ready`;
  return [finding('leader-on-dead-node', { subject, message, remedy: `Mend or replace ${node.name}.` })];
}

/** Holders are `<host>_<uuid>`. */
const hostOf = (lease: LeaseView | undefined): string => lease?.holder?.split('_')[0] ?? 'nobody';
