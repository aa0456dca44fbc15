import { err, ok, type Failure, type Result } from '#kernel';
import { proofOf } from './legality-proof.js';
import { checkSkew } from './skew.js';
import type { SkewViolation, UpgradePath, UpgradeStep, Version } from './types.js';
import { compareVersions, kubeletTolerance, minorOf, parseVersion } from './version.js';

/**
 * The legal chain from what runs to `target` with the fewest rolls of the workers. An update of the API servers that was
 * left half-way is ended first. The control plane goes minor by minor; workers are rolled only when the next minor would
 * leave them too far behind, straight to what the control plane has then, and once at the end. Waiting as long as the skew
 * allows is optimal: a roll made later takes workers at least as far, and workers of different versions do not hinder
 * one another. `current`: version of the API server, or of each. `workers`: versions of all kubelets of workers.
 * Error: `skew-violation` (invalid); `details` name the violated rule in `place.field`.
 */
export function upgradePath(
  current: string | readonly string[],
  target: string,
  workers: readonly string[],
): Result<UpgradePath, Failure> {
  const servers = typeof current === 'string' ? [current] : current;
  const faults = startFaults(servers, target, workers);
  const versions = servers.flatMap((text) => parseVersion(text) ?? []).sort(compareVersions);
  const [oldest, newest, to] = [versions[0], versions.at(-1), parseVersion(target)];
  if (faults.length > 0 || !oldest || !newest || !to) return err(violated(faults));
  const chain = new Chain(newest, workers);
  const mixed = oldest.minor !== newest.minor;
  if (oldest.text !== newest.text && (mixed || compareVersions(newest, to) >= 0)) chain.finish(oldest);
  while (compareVersions(chain.plane, to) < 0) {
    const next = nextVersion(chain.plane, to);
    chain.rollThoseLeftBehind(next);
    chain.raise(next);
  }
  chain.rollAll(to);
  return ok({ ...chain.path(), ...(mixed && { noReturnAlready: true as const }) });
}

/** The state while steps are laid out. */
class Chain {
  private readonly steps: UpgradeStep[] = [];
  private readonly groups: { version: Version }[];
  private rolls = 0;

  constructor(
    public plane: Version,
    workers: readonly string[],
  ) {
    const distinct = new Map(workers.flatMap((text) => parseVersion(text) ?? []).map((v) => [v.text, v]));
    this.groups = [...distinct.values()].sort(compareVersions).map((version) => ({ version }));
  }

  finish(oldest: Version): void {
    const proof = proofOf([oldest, this.plane], this.workers());
    const step = { kind: 'control-plane', from: oldest.text, to: this.plane.text } as const;
    this.steps.push({ ...step, pointOfNoReturn: oldest.minor < this.plane.minor, finishes: true, proof });
  }

  raise(next: Version): void {
    const proof = proofOf([this.plane, next], this.workers());
    const pointOfNoReturn = next.minor > this.plane.minor;
    this.steps.push({ kind: 'control-plane', from: this.plane.text, to: next.text, pointOfNoReturn, proof });
    this.plane = next;
  }

  rollThoseLeftBehind(next: Version): void {
    this.roll(({ version }) => next.minor - version.minor > kubeletTolerance(version));
  }

  rollAll(to: Version): void {
    this.roll(({ version }) => compareVersions(version, to) < 0);
  }

  private roll(which: (group: { version: Version }) => boolean): void {
    const rolled = this.groups.filter(which);
    if (rolled.length === 0) return;
    const from = [...new Set(rolled.map(({ version }) => version.text))];
    this.rolls += rolled.length;
    const proof = proofOf([this.plane], [...this.workers(), this.plane]);
    for (const group of rolled) group.version = this.plane;
    this.steps.push({ kind: 'workers', from, to: this.plane.text, proof });
  }

  private workers(): readonly Version[] {
    return this.groups.map(({ version }) => version);
  }

  path(): UpgradePath {
    const { steps, rolls } = this;
    const pointOfNoReturn = steps.findIndex((step) => step.kind === 'control-plane' && step.pointOfNoReturn);
    return { steps, workerRolls: rolls, ...(pointOfNoReturn >= 0 && { pointOfNoReturn }) };
  }
}

/** One minor on (its newest patch is the configuration's choice), or the target itself. */
function nextVersion(plane: Version, to: Version): Version {
  if (to.minor - plane.minor <= 1) return to;
  const minor = plane.minor + 1;
  const prefix = plane.text.startsWith('v') ? 'v' : '';
  return { major: plane.major, minor, patch: 0, text: `${prefix}${minorOf({ major: plane.major, minor })}` };
}

/** A jump of several minors is what the chain is for; everything else that is wrong now or with the target is a fault. */
function startFaults(
  apiServers: readonly string[],
  target: string,
  workers: readonly string[],
): readonly SkewViolation[] {
  const kubelets = workers.map((version, index) => ({ name: `worker ${index + 1}`, version }));
  const now = checkSkew({ apiServers, kubelets });
  const beyond = checkSkew({ apiServers, kubelets: [], target }).filter(
    ({ rule }) => rule === 'control-plane-downgrade' || rule === 'other-major',
  );
  const unreadable = checkSkew({ apiServers: [target], kubelets: [] }).map((fault) => ({
    ...fault,
    message: `the target "${target}" cannot be read as a version`,
  }));
  const known = now.map(({ rule }) => rule);
  return [...now, ...unreadable, ...beyond.filter(({ rule }) => !known.includes(rule))];
}

const violated = (faults: readonly SkewViolation[]): Failure => ({
  class: 'invalid',
  code: 'skew-violation',
  message: faults.map(({ message }) => message).join('; ') || 'no API server version is known',
  hint: faults[0]?.remedy ?? 'Cure what violates the skew policy now, or choose another target.',
  details: faults.map(({ rule, message, remedy }) => ({ message, hint: remedy, place: { field: rule } })),
});
