import { err, ok, type Failure, type Result } from '#kernel';
import { checkSkew } from './skew.js';
import type { UpgradePath, UpgradeStep, Version } from './types.js';
import { compareVersions, kubeletTolerance, minorOf, parseVersion } from './version.js';

/**
 * The legal chain from `current` to `target` with the fewest rolls of the workers. The control plane goes minor by minor;
 * workers are rolled only when the next minor would leave them too far behind, straight to what the control plane has
 * then, and once at the end. Waiting as long as the skew allows is optimal: a roll made later takes workers at least as
 * far. `workers` are the versions of all kubelets. Error: `skew-violation` (invalid), the rules in `details`.
 */
export function upgradePath(
  current: string,
  target: string,
  workers: readonly string[],
): Result<UpgradePath, Failure> {
  const [from, to] = [parseVersion(current), parseVersion(target)];
  const fault = startFault(current, target, from, to, workers);
  if (fault || !from || !to) return err(fault ?? violated([`${current} or ${target} cannot be read`]));
  const kubelets = workers.flatMap((text) => parseVersion(text) ?? []);
  const steps: UpgradeStep[] = [];
  let plane = from;
  let oldest = [...kubelets].sort(compareVersions)[0];
  let versions = [...new Set(kubelets.map((kubelet) => kubelet.text))].sort();
  const roll = (): void => {
    steps.push({ kind: 'workers', from: versions, to: plane.text });
    [oldest, versions] = [plane, [plane.text]];
  };
  while (compareVersions(plane, to) < 0) {
    const next = nextVersion(plane, to);
    if (oldest && next.minor - oldest.minor > kubeletTolerance(oldest)) roll();
    const pointOfNoReturn = next.minor > plane.minor;
    steps.push({ kind: 'control-plane', from: plane.text, to: next.text, pointOfNoReturn });
    plane = next;
  }
  if (oldest && compareVersions(oldest, to) < 0) roll();
  return ok(pathOf(steps));
}

/** One minor on (its newest patch is the configuration's choice), or the target itself. */
function nextVersion(plane: Version, to: Version): Version {
  if (to.minor - plane.minor <= 1) return to;
  const minor = plane.minor + 1;
  const prefix = plane.text.startsWith('v') ? 'v' : '';
  return { major: plane.major, minor, patch: 0, text: `${prefix}${minorOf({ major: plane.major, minor })}` };
}

function pathOf(steps: readonly UpgradeStep[]): UpgradePath {
  const pointOfNoReturn = steps.findIndex((step) => step.kind === 'control-plane' && step.pointOfNoReturn);
  return {
    steps,
    workerRolls: steps.filter((step) => step.kind === 'workers').length,
    ...(pointOfNoReturn >= 0 && { pointOfNoReturn }),
  };
}

function startFault(
  current: string,
  target: string,
  from: Version | undefined,
  to: Version | undefined,
  workers: readonly string[],
): Failure | undefined {
  const kubelets = workers.map((version, index) => ({ name: `worker ${index + 1}`, version }));
  const now = checkSkew({ apiServers: [current], kubelets }).map((violation) => violation.message);
  if (!to) now.push(`the target "${target}" cannot be read as a version`);
  if (from && to && from.major !== to.major) now.push(`${current} → ${target}: another major version`);
  if (from && to && compareVersions(to, from) < 0 && to.minor < from.minor) {
    now.push(`the control plane runs ${current} and cannot go back to ${target}`);
  }
  return now.length === 0 ? undefined : violated(now);
}

const violated = (messages: readonly string[]): Failure => ({
  class: 'invalid',
  code: 'skew-violation',
  message: messages.join('; '),
  hint: 'Cure what violates the skew policy now, or choose another target.',
  details: messages.map((message) => ({ message })),
});
