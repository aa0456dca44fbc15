import type { DoctorCheck, Finding, Severity } from '#fleet';

interface Entry {
  readonly check: DoctorCheck;
  readonly severity: Severity;
  /** Why it matters, for people who meet it for the first time. */
  readonly reason: string;
  readonly blocksUpgrade?: true;
}

/** Every finding that the doctor knows. Its name is the heading of its runbook (docs/runbooks/doctor.md). */
export const FINDINGS = {
  'api-not-ready': {
    check: 'api',
    severity: 'critical',
    reason: 'Nothing can be deployed, scheduled or healed while the API server does not answer.',
    blocksUpgrade: true,
  },
  'api-without-load-balancer': {
    check: 'api',
    severity: 'warning',
    reason: 'Without a load balancer in front, clients lose the API with the one server that they know.',
  },
  'api-targets-few': {
    check: 'api',
    severity: 'error',
    reason: 'With fewer than two healthy targets the next master that goes takes the API with it.',
    blocksUpgrade: true,
  },
  'api-target-unhealthy': {
    check: 'api',
    severity: 'warning',
    reason: 'A target that does not pass its health check serves nobody and hides a sick master.',
  },
  'few-masters': {
    check: 'masters',
    severity: 'warning',
    reason:
      'With one master every replacement is an outage of the API; with two, etcd beside them tolerates no loss.',
  },
  'masters-zone-majority': {
    check: 'masters',
    severity: 'warning',
    reason: 'When that zone fails, most of the control plane fails with it.',
  },
  'control-plane-pod-unready': {
    check: 'masters',
    severity: 'error',
    reason: 'A part of the control plane is missing on that master: it counts as lost already.',
    blocksUpgrade: true,
  },
  'leader-missing': {
    check: 'leaders',
    severity: 'critical',
    reason: 'Without a leader nothing is scheduled (kube-scheduler) or healed (kube-controller-manager).',
    blocksUpgrade: true,
  },
  'leader-stale': {
    check: 'leaders',
    severity: 'critical',
    reason: 'A leader that does not renew its lease is dead or cut off, and nobody has taken over.',
    blocksUpgrade: true,
  },
  'leader-on-dead-node': {
    check: 'leaders',
    severity: 'error',
    reason: 'The node of the leader is not Ready: the leader may go with it.',
  },
  'etcd-no-quorum': {
    check: 'etcd',
    severity: 'critical',
    reason: 'Without a majority of members etcd takes no write: the cluster is frozen.',
    blocksUpgrade: true,
  },
  'etcd-no-tolerance': {
    check: 'etcd',
    severity: 'error',
    reason: 'The next member that fails takes the quorum with it.',
    blocksUpgrade: true,
  },
  'etcd-member-unhealthy': {
    check: 'etcd',
    severity: 'error',
    reason: 'Every sick member lowers the number of failures that etcd survives.',
  },
  'etcd-alarm': {
    check: 'etcd',
    severity: 'critical',
    reason: 'NOSPACE stops all writes, CORRUPT means that members disagree about the data.',
    blocksUpgrade: true,
  },
  'etcd-few-members': {
    check: 'etcd',
    severity: 'warning',
    reason: 'Fewer than three members survive no failure: the data is as safe as one machine.',
  },
  'etcd-even-size': {
    check: 'etcd',
    severity: 'warning',
    reason: 'An even number of members survives no more failures than one member less, and fails more often.',
  },
  'etcd-learner': {
    check: 'etcd',
    severity: 'warning',
    reason: 'A learner does not vote: a replacement of a member was begun and has not ended.',
  },
  'etcd-zone-majority': {
    check: 'etcd',
    severity: 'warning',
    reason: 'When that zone fails, the quorum fails with it.',
  },
  'etcd-near-quota': {
    check: 'etcd',
    severity: 'warning',
    reason: 'At its quota etcd raises NOSPACE and takes no write any more.',
  },
  'etcd-slow-disk': {
    check: 'etcd',
    severity: 'warning',
    reason: 'Slow fsyncs delay every write and cause elections of leaders.',
  },
  'node-not-ready': {
    check: 'nodes',
    severity: 'error',
    reason: 'Its pods were given up after the pod-eviction timeout; what cannot move is down.',
  },
  'instance-without-node': {
    check: 'nodes',
    severity: 'warning',
    reason: 'The machine is paid for and has not joined: its boot has failed.',
  },
  'version-skew': {
    check: 'versions',
    severity: 'error',
    reason: 'Kubernetes does not support this combination of versions.',
    blocksUpgrade: true,
  },
  'version-unsupported': {
    check: 'versions',
    severity: 'warning',
    reason: 'Only the newest three minors get fixes, security fixes included.',
  },
  'api-removed-in-target': {
    check: 'deprecated-apis',
    severity: 'error',
    reason: 'After the update these requests are answered with 404.',
    blocksUpgrade: true,
  },
  'api-deprecated': {
    check: 'deprecated-apis',
    severity: 'info',
    reason: 'A later version of Kubernetes no longer serves it.',
  },
  'certificate-expired': {
    check: 'certificates',
    severity: 'critical',
    reason: 'Whoever verifies it refuses the connection.',
  },
  'certificate-expiring': {
    check: 'certificates',
    severity: 'warning',
    reason: 'From its last day on whoever verifies it refuses the connection.',
  },
  'backup-missing': {
    check: 'backups',
    severity: 'error',
    reason: 'Once the data is gone, the cluster is gone too.',
  },
  'backup-stale': {
    check: 'backups',
    severity: 'error',
    reason: 'Everything since the last good backup would be lost.',
  },
  'drill-stale': {
    check: 'backups',
    severity: 'warning',
    reason: 'A backup that was never restored is a hope.',
  },
  'pdb-blocks-always': {
    check: 'disruption-budgets',
    severity: 'warning',
    reason: 'No node that runs one of its pods can be drained: every roll waits for its owner.',
  },
  'single-replica': {
    check: 'workloads',
    severity: 'info',
    reason: 'Its only pod goes before the new one comes, whenever its template or its node changes.',
  },
  'webhook-without-endpoints': {
    check: 'webhooks',
    severity: 'error',
    reason: 'It fails closed and nobody answers: every request that it matches is refused.',
    blocksUpgrade: true,
  },
  'aggregated-api-down': {
    check: 'aggregated-apis',
    severity: 'error',
    reason: 'Discovery is incomplete: namespaces cannot be deleted, and what reads that API fails.',
  },
  'namespace-stuck': {
    check: 'namespaces',
    severity: 'warning',
    reason: 'What it still holds is neither there nor gone, and its name cannot be used again.',
  },
} as const satisfies Readonly<Record<string, Entry>>;

export type FindingCode = keyof typeof FINDINGS;

/** A finding of the catalogue about one subject. */
export function finding(
  code: FindingCode,
  about: Pick<Finding, 'subject' | 'message' | 'remedy'> & Partial<Pick<Finding, 'severity' | 'since'>>,
): Finding {
  const { check, severity, reason, ...more }: Entry = FINDINGS[code];
  return { code, check, severity, reason, ...more, ...about };
}
