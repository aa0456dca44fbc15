import { clone } from '../api/object.js';
import { sha256Hex, canonicalJson } from '#kernel';
import { SeededRandom } from '../../time/seeded-random.js';
import type { ObjectInput } from '../api/store.js';
import type { ClusterView } from './cluster-view.js';
import { conditionOf } from './conditions.js';
import type { Meta, OwnerReference, Pod, PodTemplate, StringMap, Thing } from './objects.js';

/** Letters and digits that Kubernetes uses for generated names: no vowels, nothing that looks alike. */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';

export const randomSuffix = (random: SeededRandom, length = 5): string =>
  Array.from({ length }, () => SAFE[random.int(0, SAFE.length - 1)]).join('');

/** The same template gives the same hash; labels that controllers add do not count. */
export function templateHash(template: PodTemplate, length = 10): string {
  const { 'pod-template-hash': _, ...labels } = template.metadata?.labels ?? {};
  const hex = sha256Hex(canonicalJson({ ...template, metadata: { ...template.metadata, labels } }));
  let text = '';
  for (let i = 0; i < length; i++)
    text += SAFE[Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16) % SAFE.length];
  return text;
}

export const isReady = (pod: Pod): boolean => conditionOf(pod, 'Ready')?.status === 'True';

export const isFinished = (pod: Pod): boolean =>
  pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

export const isTerminating = (pod: Thing): boolean => pod.metadata.deletionTimestamp !== undefined;

/** Counts for a ReplicaSet: neither finished nor on its way out. */
export const isActive = (pod: Pod): boolean => !isFinished(pod) && !isTerminating(pod);

/** Ready for at least `minReadySeconds`. */
export const isAvailable = (view: ClusterView, pod: Pod, minReadySeconds: number): boolean =>
  isReady(pod) && !isTerminating(pod) && view.readyFor(pod) >= minReadySeconds * 1000;

/** Simulated milliseconds until the next ready pod has been so for long enough; undefined where none is on its way. */
export function nextAvailable(
  view: ClusterView,
  pods: readonly Pod[],
  minReadySeconds: number,
): number | undefined {
  const waits = pods
    .filter((pod) => isReady(pod) && !isTerminating(pod))
    .map((pod) => minReadySeconds * 1000 - view.readyFor(pod))
    .filter((wait) => wait > 0);
  return waits.length === 0 ? undefined : Math.min(...waits);
}

/** Static pods belong to a kubelet; the API holds a mirror only. */
export const isMirror = (pod: Pod): boolean =>
  pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;

export const ownedBy = (owner: Thing): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid as string,
  controller: true,
  blockOwnerDeletion: true,
});

/** A pod as a controller sends it to the API. */
export function podFrom(
  template: PodTemplate,
  owner: Thing,
  name: string,
  extra: {
    readonly labels?: StringMap;
    readonly annotations?: StringMap;
    readonly spec?: Readonly<Record<string, unknown>>;
  } = {},
): ObjectInput {
  const metadata: Partial<Meta> = {
    name,
    ...(owner.metadata.namespace && { namespace: owner.metadata.namespace }),
    labels: { ...template.metadata?.labels, ...extra.labels },
    ...((template.metadata?.annotations || extra.annotations) && {
      annotations: { ...template.metadata?.annotations, ...extra.annotations },
    }),
    ownerReferences: [ownedBy(owner)],
  };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...template.spec, ...extra.spec } };
  return clone(pod) as unknown as ObjectInput;
}
