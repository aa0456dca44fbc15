import type { Failure, Instant } from '#kernel';
import type { Severity } from './problem.js';

/** What `doctor` looks at, in the order in which people read it. */
export const DOCTOR_CHECKS = [
  'api',
  'masters',
  'leaders',
  'etcd',
  'nodes',
  'versions',
  'deprecated-apis',
  'certificates',
  'backups',
  'disruption-budgets',
  'workloads',
  'webhooks',
  'aggregated-apis',
  'namespaces',
] as const;
export type DoctorCheck = (typeof DOCTOR_CHECKS)[number];

/** One thing that is wrong with a cluster, or will be. */
export interface Finding {
  /** Kebab-case, e.g. `node-not-ready`; the name of its runbook section. */
  readonly code: string;
  readonly check: DoctorCheck;
  readonly severity: Severity;
  /** `node ip-10-0-1-5`, `pdb default/web` … */
  readonly subject: string;
  /** What was seen. */
  readonly message: string;
  /** Why it matters. */
  readonly reason: string;
  readonly remedy: string;
  readonly since?: Instant;
  /** A change of the Kubernetes version is not begun while it stands. */
  readonly blocksUpgrade?: true;
}

export interface CheckResult {
  readonly check: DoctorCheck;
  /** `unknown`: something could not be read, so that nothing is said to be well. */
  readonly state: 'ok' | 'findings' | 'unknown' | 'not-applicable';
  /** What was seen, or why it is unknown. */
  readonly summary: string;
}

export interface DoctorReport {
  readonly clusterId: string;
  readonly at: Instant;
  /** The worst of all checks; `unknown` where nothing worse was found and something could not be read. */
  readonly verdict: 'ok' | 'warnings' | 'errors' | 'unknown';
  readonly serverVersion?: string;
  readonly checks: readonly CheckResult[];
  /** Worst first. */
  readonly findings: readonly Finding[];
}

/** One line of the table of an upgrade plan. */
export interface UpgradeComponent {
  readonly component: string;
  /** Version and how many run it, e.g. `v1.35.2 × 3`. */
  readonly current: readonly string[];
  readonly target: string;
  /** Set where Fairway does not bring it there by itself. */
  readonly byHand?: string;
}

export interface UpgradePlanStep {
  readonly kind: 'control-plane' | 'workers';
  readonly from: readonly string[];
  readonly to: string;
  readonly pointOfNoReturn: boolean;
  /** Why it is legal, rule by rule. */
  readonly proof: readonly string[];
}

/** An object or a caller that uses an API which a later version no longer serves. */
export interface RemovedApiUse {
  readonly apiVersion: string;
  /** `Ingress default/web`, or the resource that somebody asks for. */
  readonly what: string;
  /** `1.32` */
  readonly removedIn: string;
  readonly replacement?: string;
  /** `object` live, written by that version · `requests` counted by the API server */
  readonly source: 'object' | 'requests';
  readonly manager?: string;
}

/** In the manner of `kubeadm upgrade plan`. */
export interface UpgradePlanReport {
  readonly clusterId: string;
  readonly at: Instant;
  readonly apiServers: readonly string[];
  readonly target: string;
  readonly targetFrom: 'asked' | 'configuration' | 'next-minor';
  readonly components: readonly UpgradeComponent[];
  readonly steps: readonly UpgradePlanStep[];
  readonly workerRolls: number;
  /** Index into `steps`. */
  readonly pointOfNoReturn?: number;
  readonly noReturnAlready: boolean;
  /** Rules of the version skew policy that forbid the target, or that what runs violates. */
  readonly violations: readonly {
    readonly rule: string;
    readonly message: string;
    readonly remedy: string;
  }[];
  readonly removedApis: readonly RemovedApiUse[];
  /** What people have to do. */
  readonly byHand: readonly string[];
  readonly blockers: readonly Finding[];
  /** What could not be read, and why: the plan says nothing about it. */
  readonly unknown: readonly string[];
}

/** A look at a cluster that somebody asked for; a worker takes it. */
export interface Inspection {
  readonly id: string;
  readonly clusterId: string;
  readonly kind: 'doctor' | 'upgrade-plan';
  /** Kubernetes version to plan for, where somebody named one. */
  readonly target?: string;
  readonly actor: string;
  readonly requestedAt: Instant;
  readonly finishedAt?: Instant;
  readonly report?: DoctorReport | UpgradePlanReport;
  readonly failure?: Failure;
}
