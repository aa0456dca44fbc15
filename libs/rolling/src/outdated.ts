import type { InstanceView } from '#fleet';
import type { PoolScope } from './scope.js';

type Target = Pick<PoolScope, 'targetVersion' | 'instanceTypes' | 'market'>;

/** Whether an instance must be replaced to be what its pool should be, and why, for people. */
export function outdated(
  instance: InstanceView,
  pool: Target,
): { readonly outdated: boolean; readonly reason: string } {
  const reason = mismatch(instance, pool);
  return { outdated: reason !== undefined, reason: reason ?? 'current' };
}

function mismatch(
  instance: InstanceView,
  { targetVersion, instanceTypes, market }: Target,
): string | undefined {
  const has = instance.launchTemplate;
  if (!has) return `no launch template, the pool has ${targetVersion.name} version ${targetVersion.version}`;
  if (has.name !== targetVersion.name) return `launch template ${has.name}, should be ${targetVersion.name}`;
  if (has.version !== targetVersion.version) {
    return `launch template version ${has.version}, should be ${targetVersion.version}`;
  }
  if (instanceTypes && instanceTypes.length > 0 && !instanceTypes.includes(instance.instanceType)) {
    return `instance type ${instance.instanceType}, should be ${instanceTypes.join(' or ')}`;
  }
  if (market !== undefined && instance.market !== market) return `${instance.market}, should be ${market}`;
  return undefined;
}

/** `$Latest` and `$Default` move under us: an instance could never be told current from outdated. */
export const isConcreteVersion = (version: string): boolean => /^\d+$/.test(version);
