import { request } from 'node:https';
import { CoreV1Api, KubeConfig, type V1Deployment } from '@kubernetes/client-node';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { KubernetesWire, ObjectStore, ScaledScheduler, SimulatedCluster } from '#simulation';

/** What one test works on: a fresh cluster on a wire that all tests of the file share. */
export interface KubernetesBed {
  readonly wire: KubernetesWire;
  store: ObjectStore;
  cluster: SimulatedCluster;
  config: KubeConfig;
  core: CoreV1Api;
}

/** Registers the hooks that start the wire and give every test its own cluster, twenty times faster than life. */
export function kubernetesBed(): KubernetesBed {
  const wire = new KubernetesWire();
  const bed = { wire } as KubernetesBed;
  let serial = 0;
  beforeAll(() => wire.start());
  afterAll(() => wire.close());
  beforeEach(() => {
    bed.store = new ObjectStore({ scheduler: new ScaledScheduler(20), random: Math.random });
    bed.cluster = new SimulatedCluster({
      id: `aws:123456789012:eu-central-1:kube-${(serial += 1)}`,
      store: bed.store,
    });
    wire.addCluster(bed.cluster);
    bed.config = new KubeConfig();
    bed.config.loadFromString(wire.kubeconfig(bed.cluster.id));
    bed.core = bed.config.makeApiClient(CoreV1Api);
  });
  return bed;
}

export const deployment = (
  image: string,
  replicas = 2,
): V1Deployment & { apiVersion: string; kind: string } => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'a', image }] } },
  },
});
export const configMap = (name: string, data: Record<string, string> = {}) => ({
  metadata: { name, namespace: 'default' },
  data,
});
/** Status and body of a refused call; fails when it is answered. */
export const failure = async (
  call: Promise<unknown>,
): Promise<{ code: number; body: { reason?: string; message?: string } }> => {
  try {
    await call;
  } catch (error) {
    const { code, body } = error as { code: number; body: unknown };
    return { code, body: (typeof body === 'string' ? safeJson(body) : body) as { message?: string } };
  }
  throw new Error('the call was answered');
};
const safeJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text };
  }
};

/** A plain GET below a cluster's prefix, without client or token. */
export const rawGet = (
  bed: KubernetesBed,
  path: string,
  ca?: string,
): Promise<{ status: number | undefined; text: string }> =>
  new Promise((resolve, reject) => {
    request(
      `${bed.wire.serverOf(bed.cluster.id)}${path}`,
      { ...(ca && { ca }), agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode, text }));
      },
    )
      .on('error', reject)
      .end();
  });
