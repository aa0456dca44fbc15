import type { DoctorReport, Finding, UpgradeComponent, UpgradePlanReport, UpgradePlanStep } from '#fleet';
import { known } from './doctor/check.js';
import { examine } from './doctor/examine.js';
import { isMaster } from './doctor/masters.check.js';
import type { DoctorObservation } from './doctor/observation.js';
import { apiServerVersions } from './doctor/versions.check.js';
import type { UpgradePath, UpgradeStep } from './types.js';
import { upgradePath } from './upgrade-path.js';
import { compareVersions, minorOf, NEWEST_MINOR, parseVersion } from './version.js';

export interface UpgradeWish {
  /** What somebody asked for. */
  readonly asked?: string;
  /** What the cluster's configuration says. */
  readonly configured?: string;
}

/** Where an upgrade should lead: what was asked for, else a configuration that is ahead, else the next minor. */
export function upgradeTarget(
  wish: UpgradeWish,
  apiServers: readonly string[],
): Pick<UpgradePlanReport, 'target' | 'targetFrom'> {
  if (wish.asked !== undefined) return { target: wish.asked, targetFrom: 'asked' };
  const servers = apiServers.flatMap((text) => parseVersion(text) ?? []).sort(compareVersions);
  const [oldest, newest] = [servers[0], servers.at(-1)];
  const configured = wish.configured === undefined ? undefined : parseVersion(wish.configured);
  if (configured && oldest && compareVersions(configured, oldest) > 0)
    return { target: configured.text, targetFrom: 'configuration' };
  if (!newest || !oldest)
    return { target: wish.configured ?? `1.${NEWEST_MINOR}`, targetFrom: 'configuration' };
  const mixed = oldest.minor !== newest.minor || newest.minor >= NEWEST_MINOR;
  const next = mixed ? newest.text : minorOf({ major: newest.major, minor: newest.minor + 1 });
  return { target: next, targetFrom: 'next-minor' };
}

/**
 * What stands between a cluster and a version of Kubernetes, in the manner of `kubeadm upgrade plan`: what runs, the legal
 * steps with their proof, what goes away, what people must do, what blocks. Pure; says what it could not see.
 */
export function planUpgrade(
  clusterId: string,
  observation: DoctorObservation,
  wish: UpgradeWish,
): UpgradePlanReport {
  const apiServers = apiServerVersions(observation);
  const { target, targetFrom } = upgradeTarget(wish, apiServers);
  const report = examine(clusterId, { ...observation, target });
  const workers = (known(observation.nodes) ?? []).filter(
    (node) => !isMaster(observation, node) && node.kubeletVersion !== '',
  );
  const path = upgradePath(
    apiServers,
    target,
    workers.map(({ kubeletVersion }) => kubeletVersion),
  );
  const laid = path.ok ? path.value : { steps: [], workerRolls: 0 };
  return {
    clusterId,
    at: observation.now,
    apiServers,
    target,
    targetFrom,
    components: componentsOf(observation, target),
    steps: laid.steps.map(stepOf),
    workerRolls: laid.workerRolls,
    ...(laid.pointOfNoReturn !== undefined && { pointOfNoReturn: laid.pointOfNoReturn }),
    noReturnAlready: laid.noReturnAlready ?? false,
    violations: path.ok || apiServers.length === 0 ? [] : violationsOf(path.error.details ?? []),
    removedApis: removedIn(observation, target),
    byHand: byHand(laid, target, targetFrom),
    blockers: report.findings.filter(blocks),
    unknown: unknownIn(report),
  };
}

/** The skew of the present versions is among the violations. */
const blocks = ({ blocksUpgrade, code }: Finding): boolean =>
  blocksUpgrade === true && code !== 'version-skew';

const violationsOf = (
  details: readonly { message: string; hint?: string; place?: { field?: string } }[],
): UpgradePlanReport['violations'] =>
  details.map(({ message, hint, place }) => ({
    rule: place?.field ?? 'skew',
    message,
    remedy: hint ?? 'Cure it first.',
  }));

const stepOf = (step: UpgradeStep): UpgradePlanStep => ({
  kind: step.kind,
  from: typeof step.from === 'string' ? [step.from] : step.from,
  to: step.to,
  pointOfNoReturn: step.kind === 'control-plane' && step.pointOfNoReturn,
  proof: step.proof,
});

/** Checks that bear on an upgrade, where they could not be made. */
function unknownIn({ checks }: DoctorReport): readonly string[] {
  const aside = ['workloads', 'namespaces', 'certificates'];
  return checks
    .filter(({ state, check }) => state === 'unknown' && !aside.includes(check))
    .map(({ check, summary }) => `${check}: ${summary}`);
}

function removedIn({ removedApis }: DoctorObservation, target: string): UpgradePlanReport['removedApis'] {
  const wanted = parseVersion(target)?.minor ?? NEWEST_MINOR;
  return (known(removedApis) ?? []).filter((use) => (parseVersion(use.removedIn)?.minor ?? 0) <= wanted);
}

function componentsOf(observation: DoctorObservation, target: string): readonly UpgradeComponent[] {
  const components = known(observation.components) ?? [];
  const nodes = known(observation.nodes) ?? [];
  const of = (component: string): readonly string[] =>
    components.filter((each) => each.component === component).map(({ version }) => version);
  const kubelets = (master: boolean): readonly string[] =>
    nodes.filter((node) => isMaster(observation, node) === master).map((node) => node.kubeletVersion);
  const etcd = (known(observation.etcd)?.members ?? []).flatMap(({ version }) => version ?? []);
  const servers = of('kube-apiserver');
  const answered = known(observation.serverVersion);
  const rows: readonly (readonly [string, readonly string[], string?, string?])[] = [
    ['kube-apiserver', servers.length > 0 ? servers : answered === undefined ? [] : [answered]],
    ['kube-controller-manager', of('kube-controller-manager')],
    ['kube-scheduler', of('kube-scheduler')],
    ['kubelet (masters)', kubelets(true)],
    ['kubelet (workers)', kubelets(false)],
    ['kube-proxy', (known(observation.proxies) ?? []).map(({ version }) => version)],
    ['etcd', etcd, 'stays', 'its own stack: a change of its version is an update of its own'],
  ];
  return rows
    .filter(([, current]) => current.length > 0)
    .map(([component, current, to, hand]) => ({
      component,
      current: counted(current),
      target: to ?? target,
      ...(hand !== undefined && { byHand: hand }),
    }));
}

/** `v1.35.2 × 3`, oldest first. */
function counted(versions: readonly string[]): readonly string[] {
  const same = versions.map((text) => (/^\d/.test(text) ? `v${text}` : text));
  return [...new Set(same)]
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((version) => `${version} × ${same.filter((other) => other === version).length}`);
}

/** Versions come from Git: every step of the control plane is a commit, and workers follow it unless they are held. */
function byHand(
  path: Pick<UpgradePath, 'steps' | 'workerRolls'>,
  target: string,
  from: UpgradePlanReport['targetFrom'],
): readonly string[] {
  const moves = path.steps.filter((step) => step.kind === 'control-plane' && step.finishes !== true);
  if (path.steps.length === 0) return [];
  const planned = from === 'configuration' && moves.length <= 1;
  const commits = planned
    ? []
    : moves.map(
        (step) =>
          `Merge kubernetes_version ${plain(step.to)} with its images, and wait until it has settled.`,
      );
  const spared = moves.length > 1 && path.workerRolls < moves.length;
  return [
    ...commits,
    ...(spared
      ? [
          `Workers follow every merge. To roll them less often (${path.workerRolls} instead of ${moves.length}), pause their pools (fairway roll pause CLUSTER --pool POOL) in the steps that name the control plane only.`,
        ]
      : []),
    `Look at what changed in kube-proxy, CoreDNS, CNI and CSI for ${plain(target)}: their versions are those of your manifests.`,
    'Bring kubectl and other clients to at most one minor from the API servers.',
  ];
}

const plain = (version: string): string => version.replace(/^v/, '');
