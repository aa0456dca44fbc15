import type { KubernetesObject } from '#fleet';
import type { ComponentView } from '#upgrade';
import { condition, fields, items, text } from './fields.js';

const PARTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

/** Parts of the control plane among the pods of kube-system, by the images that they run. */
export function componentsAmong(pods: readonly KubernetesObject[]): readonly ComponentView[] {
  return pods.flatMap((pod) =>
    imagesOf(pod).flatMap(({ name, version }) => {
      const component = PARTS.find((part) => part === name);
      if (component === undefined || pod.metadata.deletionTimestamp !== undefined) return [];
      return [{ component, version, ...placeOf(pod) }];
    }),
  );
}

/** kube-proxy of every node. */
export function proxiesAmong(
  pods: readonly KubernetesObject[],
): readonly { readonly name: string; readonly version: string }[] {
  return pods.flatMap((pod) =>
    imagesOf(pod)
      .filter(({ name }) => name === 'kube-proxy')
      .map(({ version }) => ({ name: text(fields(pod['spec'])['nodeName']) || pod.metadata.name, version })),
  );
}

function placeOf(pod: KubernetesObject): Pick<ComponentView, 'name' | 'nodeName' | 'ready'> {
  const nodeName = text(fields(pod['spec'])['nodeName']);
  return {
    name: pod.metadata.name,
    ready: condition(pod, 'Ready')?.['status'] === 'True',
    ...(nodeName !== '' && { nodeName }),
  };
}

/** `registry.k8s.io/kube-apiserver:v1.36.0@sha256:…` → kube-apiserver, v1.36.0. Images without a version tell nothing. */
function imagesOf(pod: KubernetesObject): readonly { readonly name: string; readonly version: string }[] {
  return items(fields(pod['spec'])['containers']).flatMap(({ image }) => {
    const match = /(?:^|\/)([\w.-]+):(v?\d+\.\d+[^@]*)(?:@|$)/.exec(text(image));
    // Tags cannot hold the `+` of versions and have `_` for it.
    return match ? [{ name: match[1] ?? '', version: (match[2] ?? '').replace('_', '+') }] : [];
  });
}
