import type { Version } from './types.js';
import { compareVersions, kubeletTolerance, minorOf } from './version.js';

/**
 * Why a state is legal, one sentence per rule of the skew policy, with the versions that it is about. `servers` and
 * `workers` are all that run at the same time in the step, old and new.
 */
export function proofOf(servers: readonly Version[], workers: readonly Version[]): readonly string[] {
  const planes = [...servers].sort(compareVersions);
  const nodes = [...workers].sort(compareVersions);
  const [oldest, newest] = [planes[0], planes.at(-1)];
  const [lowest, highest] = [nodes[0], nodes.at(-1)];
  if (!oldest || !newest) return [];
  const apart = newest.minor - oldest.minor;
  const together =
    apart === 0
      ? `all API servers run ${minorOf(newest)}`
      : `API servers run ${minorOf(oldest)} and ${minorOf(newest)}: ${apart} minor apart (1 allowed)`;
  if (!lowest || !highest) return [together];
  const behind = newest.minor - lowest.minor;
  return [
    together,
    `the newest kubelet (${minorOf(highest)}) is not newer than the oldest API server (${minorOf(oldest)})`,
    `the oldest kubelet (${minorOf(lowest)}) is ${behind} behind the newest API server (${kubeletTolerance(lowest)} allowed)`,
  ];
}
