import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import { TestBench, template } from '../../estate/test-bench.js';
import type { Pod } from './objects.js';
import { isReady } from './pods.js';
import { ZONE, type Claim, type PersistentVolume, type VolumeAttachment } from './volumes.js';
import type { StatefulSet } from './workloads.js';

const create = (bench: TestBench, spec: Readonly<Record<string, unknown>> = {}): void => {
  bench.create('statefulsets.apps', {
    metadata: { name: 'db', namespace: 'default' },
    spec: {
      replicas: 3,
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: template('db'),
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
        },
      ],
      ...spec,
    },
  });
};
const names = (bench: TestBench): string[] => bench.pods().map((pod) => pod.metadata.name);
const created = (bench: TestBench): string[] => {
  const order: string[] = [];
  bench.view.on<Pod>(
    'pods',
    ({ type, object }) => void (type === 'ADDED' && order.push(object.metadata.name)),
  );
  return order;
};

describe('StatefulSetController', () => {
  it('makes pods one after the other, each with its own zonal volume', () => {
    const bench = new TestBench({ workers: 3 });
    create(bench);
    bench.until('second pod', () => names(bench).length === 2);
    expect(isReady(bench.get<Pod>('pods', 'db-0'))).toBe(true);
    bench.run(minutes(2));
    expect(names(bench)).toEqual(['db-0', 'db-1', 'db-2']);
    expect(bench.get<StatefulSet>('statefulsets.apps', 'db').status).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      updatedReplicas: 3,
      observedGeneration: 1,
    });
    const pod = bench.get<Pod>('pods', 'db-1');
    const claim = bench.get<Claim>('persistentvolumeclaims', 'data-db-1');
    const volume = bench.get<PersistentVolume>('persistentvolumes', claim.spec?.volumeName as string);
    const node = bench.view.node(pod.spec?.nodeName as string);
    expect(volume.metadata.labels?.[ZONE]).toBe(node?.metadata.labels?.[ZONE]);
    expect(pod.metadata.labels).toMatchObject({
      'statefulset.kubernetes.io/pod-name': 'db-1',
      'apps.kubernetes.io/pod-index': '1',
    });
  });

  it('makes all at once when the policy is Parallel', () => {
    const bench = new TestBench({ workers: 3 });
    create(bench, { podManagementPolicy: 'Parallel' });
    bench.run(seconds(1));
    expect(names(bench)).toHaveLength(3);
  });

  it('recreates an evicted pod under its name, after the volume has let go, in the same zone', () => {
    const bench = new TestBench({ workers: 6 });
    create(bench);
    bench.run(minutes(3));
    const before = bench.get<Pod>('pods', 'db-1');
    const zoneOf = (pod: Pod): string | undefined =>
      bench.view.node(pod.spec?.nodeName as string)?.metadata.labels?.[ZONE];
    const node = bench.machines.findIndex((machine) => machine.privateDnsName === before.spec?.nodeName);
    bench.drain(node);
    bench.run(minutes(2));
    const after = bench.get<Pod>('pods', 'db-1');
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    expect(after.spec?.nodeName).not.toBe(before.spec?.nodeName);
    expect(zoneOf(after)).toBe(bench.node(node).metadata.labels?.[ZONE]);
    expect(isReady(after)).toBe(true);
    const claim = bench.get<Claim>('persistentvolumeclaims', 'data-db-1');
    const attached = bench.view
      .all<VolumeAttachment>('volumeattachments.storage.k8s.io')
      .filter((attachment) => attachment.spec?.source.persistentVolumeName === claim.spec?.volumeName);
    expect(attached.map((attachment) => attachment.spec?.nodeName)).toEqual([after.spec?.nodeName]);
  });

  it('updates from the top, one at a time, down to the partition', () => {
    const bench = new TestBench({ workers: 3 });
    create(bench);
    bench.run(minutes(3));
    const order = created(bench);
    bench.edit('statefulsets.apps', 'db', (spec) => {
      spec['updateStrategy'] = { type: 'RollingUpdate', rollingUpdate: { partition: 1 } };
      spec['template'] = {
        ...template('db', { containers: [{ name: 'main', image: 'registry.example.org/db:2' }] }),
      };
    });
    bench.run(minutes(3));
    expect(order).toEqual(['db-2', 'db-1']);
    expect(bench.pods().map((pod) => pod.spec?.containers[0]?.image.split(':')[1])).toEqual(['1', '2', '2']);
    const { status } = bench.get<StatefulSet>('statefulsets.apps', 'db');
    expect(status).toMatchObject({ updatedReplicas: 2, currentReplicas: 1 });
    bench.store.remove('pods', 'default', 'db-0');
    bench.run(minutes(1));
    expect(bench.get<Pod>('pods', 'db-0').spec?.containers[0]?.image).toBe('registry.example.org/db:1');
  });

  it('shrinks from the top and keeps the volumes', () => {
    const bench = new TestBench({ workers: 3 });
    create(bench);
    bench.run(minutes(3));
    bench.edit('statefulsets.apps', 'db', (spec) => void Object.assign(spec, { replicas: 1 }));
    bench.run(minutes(1));
    expect(names(bench)).toEqual(['db-0']);
    expect(bench.view.all('persistentvolumeclaims')).toHaveLength(3);
    expect(bench.view.all('volumeattachments.storage.k8s.io')).toHaveLength(1);
  });
});
