import { describe, expect, it } from 'vitest';
import { nodeMergePatch } from './node-patch.js';
import { nodeView, pdbView, podView } from './views.js';

const NODE = {
  metadata: {
    name: 'ip-10-0-1-5.eu-central-1.compute.internal',
    uid: 'n1',
    resourceVersion: '77',
    creationTimestamp: '2026-11-21T08:00:00Z',
    labels: { 'topology.kubernetes.io/zone': 'eu-central-1a', 'node.kubernetes.io/role': 'worker' },
    annotations: { a: '1' },
  },
  spec: {
    providerID: 'aws:///eu-central-1a/i-0abc',
    unschedulable: true,
    taints: [
      { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: '2026-11-21T08:00:01Z' },
    ],
  },
  status: {
    allocatable: { cpu: '3920m', memory: '15Gi', pods: '110' },
    nodeInfo: { kubeletVersion: 'v1.36.0' },
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-11-21T08:01:00Z' }],
  },
};

describe('nodeView', () => {
  it('keeps what decisions need', () => {
    expect(nodeView(NODE)).toEqual({
      name: 'ip-10-0-1-5.eu-central-1.compute.internal',
      uid: 'n1',
      instanceId: 'i-0abc',
      createdAt: '2026-11-21T08:00:00Z',
      ready: true,
      readySince: '2026-11-21T08:01:00Z',
      unschedulable: true,
      kubeletVersion: 'v1.36.0',
      zone: 'eu-central-1a',
      labels: NODE.metadata.labels,
      annotations: { a: '1' },
      taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }],
      allocatable: { cpuMillis: 3920, memoryBytes: 15 * 2 ** 30, pods: 110 },
    });
  });

  it('a node that has just registered is not ready and has no instance', () => {
    expect(nodeView({ metadata: { name: 'a', uid: 'u' }, spec: {}, status: {} })).toMatchObject({
      ready: false,
      taints: [],
      allocatable: { cpuMillis: 0, memoryBytes: 0, pods: 0 },
    });
  });
});

describe('podView', () => {
  it('counts requests as the scheduler does', () => {
    const of = (cpu: string, extra: object = {}) => ({
      resources: { requests: { cpu, memory: '64Mi' } },
      ...extra,
    });
    const pod = {
      metadata: { name: 'db-0', namespace: 'default', uid: 'p1' },
      spec: {
        containers: [of('100m'), of('200m')],
        initContainers: [of('50m', { restartPolicy: 'Always' }), of('900m')],
        overhead: { cpu: '10m' },
        volumes: [
          { name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } },
          { name: 'tmp', emptyDir: {} },
          { name: 'scratch', ephemeral: {} },
        ],
      },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    };
    expect(podView(pod)).toMatchObject({
      ready: true,
      // The init container beside the sidecar is the peak: 950m, plus overhead.
      requests: { cpuMillis: 960, memoryBytes: 3 * 64 * 2 ** 20 },
      usesEmptyDir: true,
      persistentVolumeClaims: ['data-db-0', 'db-0-scratch'],
      terminationGracePeriodSeconds: 30,
      mirror: false,
    });
  });

  it('knows its controller, and the shadow of a static pod', () => {
    const pod = podView({
      metadata: {
        name: 'kube-apiserver-a',
        namespace: 'kube-system',
        uid: 'p2',
        annotations: { 'kubernetes.io/config.mirror': 'x' },
        ownerReferences: [
          { kind: 'Other', name: 'o', uid: 'u0' },
          { kind: 'Node', name: 'a', uid: 'u1', controller: true },
        ],
      },
      spec: {},
    });
    expect(pod).toMatchObject({
      mirror: true,
      owner: { kind: 'Node', name: 'a', uid: 'u1' },
      phase: 'Pending',
    });
  });
});

describe('pdbView', () => {
  it('reads status, and zeros where there is none yet', () => {
    const pdb = {
      metadata: { name: 'a', namespace: 'b', generation: 2 },
      spec: { selector: { matchLabels: { app: 'a' } } },
    };
    expect(pdbView(pdb)).toMatchObject({
      generation: 2,
      observedGeneration: 0,
      disruptionsAllowed: 0,
      disruptedPods: 0,
    });
    const status = {
      observedGeneration: 2,
      disruptionsAllowed: 1,
      disruptedPods: { x: '2026-11-21T08:00:00Z' },
    };
    expect(pdbView({ ...pdb, status })).toMatchObject({
      observedGeneration: 2,
      disruptionsAllowed: 1,
      disruptedPods: 1,
    });
  });
});

describe('nodeMergePatch', () => {
  const taint = { key: 'fairway.dev/replacing', value: 'u1', effect: 'NoSchedule' } as const;

  it('is nothing where the node is so already', () => {
    expect(nodeMergePatch(NODE, { unschedulable: true, annotations: { a: '1', b: null } })).toBeUndefined();
    expect(nodeMergePatch(NODE, { removeTaints: [taint] })).toBeUndefined();
  });

  it('keeps the taints of others as they are, and carries what was read', () => {
    expect(nodeMergePatch(NODE, { addTaints: [taint] })).toEqual({
      metadata: { uid: 'n1', resourceVersion: '77' },
      spec: { taints: [...NODE.spec.taints, taint] },
    });
  });

  it('replaces the value of a taint that is there', () => {
    const tainted = { ...NODE, spec: { taints: [{ ...taint, value: 'u0' }] } };
    expect(nodeMergePatch(tainted, { addTaints: [taint] })?.['spec']).toEqual({ taints: [taint] });
  });

  it('leaves nothing behind', () => {
    const patch = nodeMergePatch(NODE, {
      unschedulable: false,
      labels: { 'node.kubernetes.io/role': null },
      removeTaints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }],
    });
    expect(patch).toMatchObject({
      metadata: { labels: { 'node.kubernetes.io/role': null } },
      spec: { unschedulable: null, taints: null },
    });
  });
});
