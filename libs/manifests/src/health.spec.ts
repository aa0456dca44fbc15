import type { KubernetesObject } from '#fleet';
import { describe, expect, it } from 'vitest';
import { healthOf } from './health.js';

type Case = readonly [string, Record<string, unknown>, string];
const make = (apiVersion: string, kind: string, rest: Record<string, unknown>): KubernetesObject => ({
  apiVersion,
  kind,
  ...rest,
  metadata: { name: 'x', generation: 2, ...(rest['metadata'] as object) },
});
const status = (fields: Record<string, unknown>) => ({ status: { observedGeneration: 2, ...fields } });
const condition = (type: string, value: string, reason = 'R') => ({
  conditions: [{ type, status: value, reason }],
});
const whole = { updatedReplicas: 3, replicas: 3, availableReplicas: 3, readyReplicas: 3 };

const TABLE: Readonly<Record<string, readonly Case[]>> = {
  'apps/v1 Deployment': [
    ['not seen', { spec: { replicas: 3 } }, 'InProgress'],
    ['old generation', { spec: { replicas: 3 }, status: { observedGeneration: 1, ...whole } }, 'InProgress'],
    ['whole', { spec: { replicas: 3 }, ...status(whole) }, 'Current'],
    ['not updated', { spec: { replicas: 3 }, ...status({ ...whole, updatedReplicas: 1 }) }, 'InProgress'],
    ['old ones left', { spec: { replicas: 3 }, ...status({ ...whole, replicas: 4 }) }, 'InProgress'],
    ['not available', { spec: { replicas: 3 }, ...status({ ...whole, availableReplicas: 2 }) }, 'InProgress'],
    [
      'deadline',
      {
        spec: { replicas: 3 },
        ...status({
          ...whole,
          updatedReplicas: 1,
          ...condition('Progressing', 'False', 'ProgressDeadlineExceeded'),
        }),
      },
      'Failed',
    ],
    ['scaled to nothing', { spec: { replicas: 0 }, ...status({}) }, 'Current'],
    ['deleted', { metadata: { deletionTimestamp: 't' } }, 'Terminating'],
  ],
  'apps/v1 StatefulSet': [
    [
      'whole',
      { spec: { replicas: 3 }, ...status({ ...whole, currentRevision: 'a', updateRevision: 'a' }) },
      'Current',
    ],
    [
      'revision moves',
      { spec: { replicas: 3 }, ...status({ ...whole, currentRevision: 'a', updateRevision: 'b' }) },
      'InProgress',
    ],
    [
      'partition',
      {
        spec: { replicas: 3, updateStrategy: { rollingUpdate: { partition: 2 } } },
        ...status({ ...whole, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' }),
      },
      'Current',
    ],
    [
      'on delete',
      {
        spec: { replicas: 3, updateStrategy: { type: 'OnDelete' } },
        ...status({ ...whole, updatedReplicas: 0 }),
      },
      'Current',
    ],
    ['not ready', { spec: { replicas: 3 }, ...status({ ...whole, readyReplicas: 1 }) }, 'InProgress'],
  ],
  'apps/v1 DaemonSet': [
    [
      'whole',
      {
        ...status({
          desiredNumberScheduled: 2,
          currentNumberScheduled: 2,
          updatedNumberScheduled: 2,
          numberAvailable: 2,
          numberReady: 2,
        }),
      },
      'Current',
    ],
    [
      'not updated',
      {
        ...status({
          desiredNumberScheduled: 2,
          currentNumberScheduled: 2,
          updatedNumberScheduled: 1,
          numberAvailable: 2,
          numberReady: 2,
        }),
      },
      'InProgress',
    ],
    ['no nodes', { ...status({ desiredNumberScheduled: 0 }) }, 'Current'],
  ],
  'batch/v1 Job': [
    ['not started', {}, 'InProgress'],
    ['running', { status: { startTime: 't', active: 1 } }, 'Current'],
    ['complete', { status: { ...condition('Complete', 'True') } }, 'Current'],
    ['failed', { status: { ...condition('Failed', 'True', 'BackoffLimitExceeded') } }, 'Failed'],
    ['suspended', { status: { ...condition('Suspended', 'True') } }, 'Current'],
  ],
  'apiextensions.k8s.io/v1 CustomResourceDefinition': [
    ['established', { status: { ...condition('Established', 'True') } }, 'Current'],
    ['installing', { status: { ...condition('Established', 'False', 'Installing') } }, 'InProgress'],
    ['names taken', { status: { ...condition('NamesAccepted', 'False') } }, 'Failed'],
    ['new', {}, 'InProgress'],
  ],
  'v1 Pod': [
    ['ready', { status: { phase: 'Running', ...condition('Ready', 'True') } }, 'Current'],
    ['not ready', { status: { phase: 'Running', ...condition('Ready', 'False') } }, 'InProgress'],
    ['succeeded', { status: { phase: 'Succeeded' } }, 'Current'],
    ['failed', { status: { phase: 'Failed' } }, 'Failed'],
  ],
  'v1 PersistentVolumeClaim': [
    ['bound', { status: { phase: 'Bound' } }, 'Current'],
    ['pending', { status: { phase: 'Pending' } }, 'InProgress'],
    ['lost', { status: { phase: 'Lost' } }, 'Failed'],
  ],
  'v1 Service': [
    ['cluster ip', { spec: { type: 'ClusterIP' } }, 'Current'],
    ['waits for its load balancer', { spec: { type: 'LoadBalancer' } }, 'InProgress'],
    [
      'has it',
      { spec: { type: 'LoadBalancer' }, status: { loadBalancer: { ingress: [{ hostname: 'h' }] } } },
      'Current',
    ],
  ],
  'v1 Namespace': [
    ['active', { status: { phase: 'Active' } }, 'Current'],
    ['going', { status: { phase: 'Terminating' } }, 'Terminating'],
  ],
  'v1 ConfigMap': [['there', {}, 'Current']],
  'acme.io/v1 Widget': [
    ['no status', {}, 'Current'],
    ['ready', { ...status(condition('Ready', 'True')) }, 'Current'],
    ['not ready', { ...status(condition('Ready', 'False')) }, 'InProgress'],
    ['stalled', { ...status(condition('Stalled', 'True')) }, 'Failed'],
    ['reconciling', { ...status(condition('Reconciling', 'True')) }, 'InProgress'],
    ['old generation', { status: { observedGeneration: 1 } }, 'InProgress'],
  ],
};

describe('healthOf', () => {
  for (const [type, cases] of Object.entries(TABLE)) {
    const [apiVersion = '', kind = ''] = type.split(' ');
    it.each(cases)(`${kind}: %s`, (_, rest, expected) => {
      expect(healthOf(make(apiVersion, kind, rest)).status).toBe(expected);
    });
  }
  it('of nothing is NotFound', () => expect(healthOf(undefined).status).toBe('NotFound'));
});
