import type { Plan } from '#fleet';
import { minorOf, parseVersion } from './version.js';

export interface NeedQuestion {
  readonly plan: Pick<Plan, 'stacks' | 'objects' | 'nodes'> | undefined;
  readonly etcdStack?: string;
  /** Of the API server, where it answers. */
  readonly serverVersion?: string;
  readonly targetVersion?: string;
}

const PRECIOUS = new Set([
  'PersistentVolumeClaim',
  'PersistentVolume',
  'StatefulSet',
  'CustomResourceDefinition',
]);

/** What an update is going to do that cannot be taken back without a backup. Empty: nothing. */
export function irreversibleDeeds({
  plan,
  etcdStack,
  serverVersion,
  targetVersion,
}: NeedQuestion): readonly string[] {
  const deeds: string[] = [];
  const from = serverVersion === undefined ? undefined : parseVersion(serverVersion);
  const to = targetVersion === undefined ? undefined : parseVersion(targetVersion);
  if (from && to && minorOf(from) !== minorOf(to)) deeds.push(`Kubernetes ${minorOf(from)} → ${minorOf(to)}`);
  for (const { name, action } of plan?.stacks ?? []) {
    if (name === etcdStack && (action === 'update' || action === 'delete'))
      deeds.push(`${action} of the etcd stack ${name}`);
  }
  for (const roll of plan?.nodes ?? []) {
    if (roll.master && roll.outdated.length > 0)
      deeds.push(`replacement of ${roll.outdated.length} control plane nodes (${roll.pool})`);
  }
  const gone = (plan?.objects ?? []).filter(
    ({ action, kept, ref }) => (action === 'delete' || kept !== undefined) && PRECIOUS.has(ref.kind),
  );
  for (const [kind, names] of groups(gone)) deeds.push(`removal of ${names} ${kind}`);
  return deeds;
}

function groups(
  objects: readonly { readonly ref: { readonly kind: string } }[],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { ref } of objects) counts.set(ref.kind, (counts.get(ref.kind) ?? 0) + 1);
  return counts;
}
