import { toFailure } from '#kernel';
import type { KubernetesObject } from '#fleet';
import type { RollMemory, RollScope } from '#rolling';
import { outdated } from '#rolling';
import type { Pass } from '../pass/pass.js';

const BEING_DRAINED: readonly string[] = ['cordoned', 'lb-excluded', 'draining', 'drained'];

/** Which volumes are attached where; asked for only while a node is drained. */
export async function attachmentsOf(
  pass: Pass,
  { instances }: RollMemory,
): Promise<RollScope['attachments']> {
  if (!Object.values(instances).some(({ state }) => BEING_DRAINED.includes(state))) return undefined;
  const found = await pass.kubernetes.list({ apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttachment' });
  return found.map((attachment) => ({ node: String(record(attachment['spec'])['nodeName'] ?? '') }));
}

/**
 * In which zones the volumes of pods can be attached; asked for only while a node is to be replaced and a pod has a
 * volume. Where it may not be read, volumes are taken to be where their pods are.
 */
export async function volumeZonesOf(
  pass: Pass,
  { groups, pods }: Pick<RollScope, 'groups' | 'pods'>,
): Promise<RollScope['volumeZones']> {
  const rolls = groups.some((pool) => pool.group.instances.some((one) => outdated(one, pool).outdated));
  if (!rolls || !pods.some((pod) => pod.persistentVolumeClaims.length > 0)) return undefined;
  try {
    const volumes = await pass.kubernetes.list({ apiVersion: 'v1', kind: 'PersistentVolume' });
    return Object.fromEntries(volumes.flatMap((volume) => zonesOf(volume)));
  } catch (thrown) {
    if (toFailure(thrown).class === 'denied') return undefined;
    throw thrown;
  }
}

/** `topology.kubernetes.io/zone`, its former name and the names that CSI drivers have for it. */
const ZONE_KEY = /(^|[./])zone$/;

/** The zones that a volume's node affinity names, under its claim. */
export function zonesOf(volume: KubernetesObject): readonly (readonly [string, readonly string[]])[] {
  const spec = record(volume['spec']);
  const { namespace, name } = record(spec['claimRef']);
  if (typeof namespace !== 'string' || typeof name !== 'string') return [];
  const terms = listOf(record(record(spec['nodeAffinity'])['required'])['nodeSelectorTerms']);
  const zones = terms
    .flatMap((term) => listOf(term['matchExpressions']))
    .filter(({ key, operator }) => operator === 'In' && typeof key === 'string' && ZONE_KEY.test(key))
    .flatMap(({ values }) => (Array.isArray(values) ? values.map(String) : []));
  return [[`${namespace}/${name}`, [...new Set(zones)].sort()]];
}

type Json = Readonly<Record<string, unknown>>;

const record = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(record) : []);
