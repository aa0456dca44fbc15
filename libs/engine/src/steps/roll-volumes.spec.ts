import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '#fleet';
import { zonesOf } from './roll-volumes.js';

const volume = (spec: object): KubernetesObject =>
  ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv' },
    spec,
  }) as unknown as KubernetesObject;
const claimRef = { namespace: 'shop', name: 'data-0' };
const inZones = (key: string, ...values: string[]) => ({
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values }] }] },
});

describe('the zones of a volume', () => {
  it.each([
    ['of the EBS driver', inZones('topology.ebs.csi.aws.com/zone', 'a'), ['a']],
    ['by the label of nodes', inZones('topology.kubernetes.io/zone', 'b', 'a'), ['a', 'b']],
    ['by its former label', inZones('failure-domain.beta.kubernetes.io/zone', 'c'), ['c']],
    ['that is bound to a host', inZones('kubernetes.io/hostname', 'n1'), []],
    ['that can be used everywhere', undefined, []],
  ])('%s', (_, nodeAffinity, zones) => {
    expect(zonesOf(volume({ claimRef, nodeAffinity }))).toEqual([['shop/data-0', zones]]);
  });

  it('are nobody’s while it is not claimed', () => {
    expect(zonesOf(volume({}))).toEqual([]);
  });
});
