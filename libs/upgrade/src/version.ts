import type { Version } from './types.js';

/** Reads `1.36`, `v1.36.2`, `v1.36.0-eks-1`, `v1.36.0+k3s1`. Undefined where there is no minor version in it. */
export function parseVersion(text: string): Version | undefined {
  const match = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+].*)?$/.exec(text.trim());
  if (!match) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0), text };
}

/** Negative when `a` is older. Suffixes (`-eks-1`) do not count. */
export const compareVersions = (a: Version, b: Version): number =>
  a.major - b.major || a.minor - b.minor || a.patch - b.patch;

/** `1.36` */
export const minorOf = ({ major, minor }: Pick<Version, 'major' | 'minor'>): string => `${major}.${minor}`;

/** Kubelets may be three minors behind their API servers since 1.25, two before. */
export const kubeletTolerance = (kubelet: Pick<Version, 'minor'>): number => (kubelet.minor >= 25 ? 3 : 2);

/** The newest minor of Kubernetes 1 that this version of Fairway knows; the newest three get fixes from the project. */
export const NEWEST_MINOR = 36;
