import { digestOf, digestOfValue } from '#kernel';
import type { Cluster, FleetEvent, LockedInputs } from '#fleet';
import type { WantedInputs } from '#config';
import type { InputsLock, ObservedInputs } from '#ports';

/** What a lock holds: everything looked up that stays until somebody refreshes it. */
export function lockContent(looked: LockedInputs): LockedInputs {
  const { clusterStackOutputs: _observed, decrypted: _secret, digest: _digest, ...content } = looked;
  return { digest: digestOfValue(content), ...content, decrypted: {} };
}

/** Lookups that a lock does not answer; undefined if it answers all. */
export function lacking(lock: LockedInputs, wanted: WantedInputs): WantedInputs | undefined {
  const images = wanted.images.filter(({ name, owner }) => !Object.hasOwn(lock.images, `${name}|${owner}`));
  const instanceTypes = wanted.instanceTypes.filter((type) => !Object.hasOwn(lock.instanceTypes, type));
  const otherVpc = wanted.vpcId !== undefined && wanted.vpcId !== lock.vpcId;
  const noNetwork = Object.keys(lock.subnets).length === 0;
  if (images.length + instanceTypes.length === 0 && !otherVpc && !noNetwork) return undefined;
  return { ...wanted, images, instanceTypes };
}

/** The lock with what it lacked; what it has stays, but for the network when the configuration names another VPC. */
export function extendLock(lock: LockedInputs, looked: LockedInputs, wanted: WantedInputs): LockedInputs {
  const otherVpc = wanted.vpcId !== undefined && wanted.vpcId !== lock.vpcId;
  const fresh = otherVpc || Object.keys(lock.subnets).length === 0;
  const { images, instanceTypes, etcdKmsKeyArn, ...network } = looked;
  const key = lock.etcdKmsKeyArn ?? etcdKmsKeyArn;
  return lockContent({
    ...lock,
    ...(fresh && network),
    ...(key !== undefined && { etcdKmsKeyArn: key }),
    images: { ...images, ...lock.images },
    instanceTypes: { ...instanceTypes, ...lock.instanceTypes },
  });
}

/** A lock and what was observed beside it, as a render takes it. */
export function inputsFrom(
  lock: LockedInputs,
  { clusterStackOutputs, decrypted }: ObservedInputs,
): LockedInputs {
  const secrets = Object.entries(decrypted).map(([cipher, clear]) => [cipher, digestOf(clear)]);
  return {
    ...lock,
    digest: digestOfValue([lock.digest, clusterStackOutputs ?? null, secrets]),
    decrypted,
    ...(clusterStackOutputs && { clusterStackOutputs }),
  };
}

export interface InputChange {
  /** `images.<name>|<owner>`, `subnets.eu-central-1a`, `vpcId` … */
  readonly what: string;
  readonly before?: string;
  readonly after?: string;
}

/** What differs between two locks, in order of names. */
export function diffLocks(before: LockedInputs | undefined, after: LockedInputs): readonly InputChange[] {
  const [old, now] = [flat(before ?? {}), flat(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((what) => old.get(what) !== now.get(what))
    .sort()
    .map((what) => {
      const [was, is] = [old.get(what), now.get(what)];
      return { what, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) };
    });
}

function flat(lock: Partial<LockedInputs>): ReadonlyMap<string, string> {
  const { digest: _digest, decrypted: _decrypted, clusterStackOutputs: _outputs, ...content } = lock;
  return new Map(
    Object.entries(content).flatMap(([name, value]): [string, string][] =>
      typeof value === 'object' && !Array.isArray(value)
        ? Object.entries(value).map(([key, member]) => [`${name}.${key}`, text(member)])
        : [[name, text(value)]],
    ),
  );
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const NAMED = 5;

/** The event of a new version: what it adds, and what it changes. */
export function lockEvent(cluster: Cluster, lock: InputsLock, changes: readonly InputChange[]): FleetEvent {
  const named = changes.slice(0, NAMED).map(inWords).join(', ');
  const more = changes.length > NAMED ? ` and ${changes.length - NAMED} more` : '';
  const first = lock.version === 1;
  return {
    type: first ? 'inputs.locked' : 'inputs.changed',
    at: lock.createdAt,
    severity: 'info',
    subject: `cluster/${cluster.id}`,
    channel: cluster.channel,
    clusterId: cluster.id,
    message: first
      ? `inputs are locked (${changes.length} facts)`
      : `inputs lock ${lock.version}, ${lock.reason}: ${named}${more}`,
    data: {
      version: lock.version,
      digest: lock.inputs.digest,
      reason: lock.reason,
      changes: changes.slice(0, 200),
    },
  };
}

function inWords({ what, before, after }: InputChange): string {
  if (before === undefined) return `added ${what} = ${after}`;
  return after === undefined ? `removed ${what}` : `${what} ${before} → ${after}`;
}
