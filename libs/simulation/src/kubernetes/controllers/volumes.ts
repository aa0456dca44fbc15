import type { ObjectInput, ObjectStore } from '../api/store.js';
import type { SeededRandom } from '../../time/seeded-random.js';
import type { ClusterView } from './cluster-view.js';
import { matchesTerms } from './node-fit.js';
import type { KubeNode, NodeSelectorTerm, Pod, Thing } from './objects.js';

export const ZONE = 'topology.kubernetes.io/zone';
export const CSI_DRIVER = 'ebs.csi.aws.com';

interface ClaimSpec {
  readonly volumeName?: string;
  readonly accessModes?: readonly string[];
  readonly storageClassName?: string;
  readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
}
export type Claim = Thing<ClaimSpec, { readonly phase?: string }>;

interface VolumeSpec {
  readonly csi?: { readonly driver: string; readonly volumeHandle: string };
  readonly nodeAffinity?: { readonly required?: { readonly nodeSelectorTerms: readonly NodeSelectorTerm[] } };
}
export type PersistentVolume = Thing<VolumeSpec, { readonly phase?: string }>;

export type VolumeAttachment = Thing<
  {
    readonly attacher: string;
    readonly nodeName: string;
    readonly source: { readonly persistentVolumeName?: string };
  },
  { readonly attached?: boolean }
>;

export const claimNamesOf = (pod: Pod): readonly string[] =>
  (pod.spec?.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []);

export const claimsOf = (view: ClusterView, pod: Pod): readonly (Claim | undefined)[] =>
  claimNamesOf(pod).map((name) => view.get<Claim>('persistentvolumeclaims', pod.metadata.namespace, name));

/** Names of the persistent volumes that the pod uses; claims without a volume yet are left out. */
export const volumesOf = (view: ClusterView, pod: Pod): readonly string[] =>
  claimsOf(view, pod).flatMap((claim) => claim?.spec?.volumeName ?? []);

/** Is every bound volume of the pod reachable from the node? Unbound claims follow the pod (WaitForFirstConsumer). */
export function volumesAllow(
  view: ClusterView,
  claims: readonly (Claim | undefined)[],
  node: KubeNode,
): boolean {
  return claims.every((claim) => {
    const name = claim?.spec?.volumeName;
    const volume = name ? view.get<PersistentVolume>('persistentvolumes', undefined, name) : undefined;
    const required = volume?.spec?.nodeAffinity?.required;
    return !required || matchesTerms(required.nodeSelectorTerms, node);
  });
}

/** Makes a volume in the node's zone for every unbound claim of the pod, as the CSI provisioner does. */
export function provision(
  store: ObjectStore,
  view: ClusterView,
  random: SeededRandom,
  pod: Pod,
  node: KubeNode,
): void {
  for (const claim of claimsOf(view, pod)) {
    if (!claim || claim.spec?.volumeName) continue;
    const name = `pvc-${claim.metadata.uid}`;
    store.create('persistentvolumes', volumeFor(claim, name, node, `vol-0${random.hex(16)}`));
    const { namespace } = claim.metadata;
    store.modify('persistentvolumeclaims', namespace, claim.metadata.name, (draft) => {
      draft['spec'] = { ...(draft['spec'] as object), volumeName: name };
      draft.metadata.annotations = {
        ...draft.metadata.annotations,
        'volume.kubernetes.io/selected-node': node.metadata.name,
        'pv.kubernetes.io/bind-completed': 'yes',
      };
    });
    bind(store, claim, name);
  }
}

function bind(store: ObjectStore, claim: Claim, volume: string): void {
  const capacity = claim.spec?.resources?.requests ?? {};
  const accessModes = claim.spec?.accessModes ?? ['ReadWriteOnce'];
  const { namespace, name } = claim.metadata;
  const setStatus = (status: object) => (draft: Record<string, unknown>) => void (draft['status'] = status);
  const options = { subresource: 'status' } as const;
  const bound = setStatus({ phase: 'Bound', accessModes, capacity });
  store.modify('persistentvolumeclaims', namespace, name, bound, options);
  store.modify('persistentvolumes', undefined, volume, setStatus({ phase: 'Bound' }), options);
}

function volumeFor(claim: Claim, name: string, node: KubeNode, handle: string): ObjectInput {
  const zone = node.metadata.labels?.[ZONE];
  const matchExpressions = [{ key: ZONE, operator: 'In', values: [zone] }];
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, ...(zone && { labels: { [ZONE]: zone } }) },
    spec: {
      accessModes: [...(claim.spec?.accessModes ?? ['ReadWriteOnce'])],
      capacity: { storage: claim.spec?.resources?.requests?.['storage'] ?? '1Gi' },
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace: claim.metadata.namespace,
        name: claim.metadata.name,
        uid: claim.metadata.uid,
      },
      csi: { driver: CSI_DRIVER, volumeHandle: handle },
      persistentVolumeReclaimPolicy: 'Delete',
      ...(claim.spec?.storageClassName && { storageClassName: claim.spec.storageClassName }),
      ...(zone && { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } } }),
    },
  };
}
