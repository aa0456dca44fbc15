import { describe, expect, it } from 'vitest';
import { APPLY_SET_ID, applySetParent } from './apply-set.js';

describe('the parent of the ApplySet', () => {
  it('has the identity that its name gives it, as kubectl computes it', () => {
    // printf 'fairway.kube-system.ConfigMap.' | openssl dgst -sha256 -binary | basenc --base64url | tr -d =
    expect(APPLY_SET_ID).toBe('applyset-PSIM-2z_wwMSu4xM0SYOWsGZqip55JhQNia0mxvzZtE-v1');
    expect(APPLY_SET_ID.length).toBeLessThanOrEqual(63);
  });

  it('names kinds with their groups and namespaces beside its own, each once and in order', () => {
    const parent = applySetParent([
      { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'web', name: 'a' },
      { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'web', name: 'a' },
      { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'kube-system', name: 'b' },
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'c' },
      { apiVersion: 'v1', kind: 'Service', namespace: 'api', name: 'a' },
    ]);
    expect(parent.metadata).toMatchObject({
      labels: { 'applyset.kubernetes.io/id': APPLY_SET_ID },
      annotations: {
        'applyset.kubernetes.io/tooling': 'fairway/v1',
        'applyset.kubernetes.io/contains-group-kinds':
          'ClusterRole.rbac.authorization.k8s.io,ConfigMap,Deployment.apps,Service',
        'applyset.kubernetes.io/additional-namespaces': 'api,web',
      },
    });
  });
});
