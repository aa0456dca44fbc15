import { sha256Hex } from '#kernel';
import type { Pod, PodSpec } from '../controllers/objects.js';

const API_SERVER = 'kube-apiserver';
const COMPONENTS = [API_SERVER, 'kube-controller-manager', 'kube-scheduler'] as const;

/** The control plane's pods as a master's kubelet reads them from its manifest directory, mirrored into kube-system. */
export function controlPlanePods(node: {
  readonly name: string;
  readonly uid: string;
  readonly version: string;
}): Pod[] {
  return COMPONENTS.map((component) => {
    const hash = sha256Hex(`${component}/${node.version}`).slice(0, 32);
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `${component}-${node.name}`,
        namespace: 'kube-system',
        labels: { component, tier: 'control-plane', application: component },
        annotations: {
          'kubernetes.io/config.hash': hash,
          'kubernetes.io/config.mirror': hash,
          'kubernetes.io/config.source': 'file',
        },
        ownerReferences: [
          { apiVersion: 'v1', kind: 'Node', name: node.name, uid: node.uid, controller: true },
        ],
      },
      spec: specOf(component, node.name, node.version),
    };
  });
}

const specOf = (component: string, nodeName: string, version: string): PodSpec => ({
  nodeName,
  hostNetwork: true,
  priorityClassName: 'system-node-critical',
  priority: 2_000_001_000,
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  tolerations: [{ operator: 'Exists' }],
  containers: [
    {
      name: component,
      image: `registry.k8s.io/${component}:${version}`,
      resources: { requests: { cpu: component === API_SERVER ? '250m' : '100m' } },
    },
  ],
});
