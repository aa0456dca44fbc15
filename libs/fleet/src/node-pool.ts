import type { ConfigItems } from './cluster.js';

/** A named group of nodes made from one profile, a directory of the configuration repository. */
export interface NodePool {
  readonly name: string;
  readonly profile: string;
  readonly instanceTypes: readonly string[];
  readonly discountStrategy: string;
  readonly minSize: number;
  readonly maxSize: number;
  readonly configItems: ConfigItems;
}

/** Pools whose profile begins with `master` hold the control plane. */
export const isMasterProfile = (profile: string): boolean => profile.startsWith('master');

const MASTER_LABELS = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

/** By the labels of its Node (https://kubernetes.io/docs/reference/labels-annotations-taints/). */
export const isMasterNode = ({ labels }: { readonly labels: Readonly<Record<string, string>> }): boolean =>
  MASTER_LABELS.some((label) => label in labels);
