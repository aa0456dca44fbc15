import { CoreV1Api, KubeConfig, PatchStrategy, PolicyV1Api, setHeaderOptions } from '@kubernetes/client-node';
import { randomBytes } from 'node:crypto';
import { createKubernetesAccess, type ClusterCredential } from '#adapters/kubernetes';
import { FailureError, type Failure } from '#kernel';
import type { KubernetesObject } from '#fleet';
import type { KubernetesPort } from '#ports';

/** What a port call was refused with; undefined where it succeeded. Anything unclassified is thrown on. */
export const failureOf = async (work: Promise<unknown>): Promise<Failure | undefined> =>
  work.then(
    () => undefined,
    (thrown: unknown) => {
      if (thrown instanceof FailureError) return thrown.failure;
      throw thrown;
    },
  );

export function openPort(kubeconfig: string, credential?: ClusterCredential) {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const server = config.getCurrentCluster()?.server ?? '';
  const access = createKubernetesAccess({
    credentialsFor: async () => credential ?? { kind: 'kubeconfig', text: kubeconfig },
  });
  const cluster = { id: 'aws:123456789012:eu-central-1:contract', apiServerUrl: server, configItems: {} };
  return { access, config, connect: () => access.connect(cluster) };
}

/** A namespace, a node name and a CRD name of a suite's own on a cluster, and writes that ports do not offer. */
export class ContractSpace {
  readonly id = randomBytes(4).toString('hex');
  readonly ns = `fairway-contract-${this.id}`;
  readonly nodeName = `fairway-contract-${this.id}`;
  readonly crd = `things${this.id}.contract.fairway.dev`;
  readonly config: KubeConfig;
  readonly #core: CoreV1Api;
  readonly #policy: PolicyV1Api;
  readonly #close: () => void;

  private constructor(
    readonly port: KubernetesPort,
    opened: ReturnType<typeof openPort>,
  ) {
    this.config = opened.config;
    this.#core = opened.config.makeApiClient(CoreV1Api);
    this.#policy = opened.config.makeApiClient(PolicyV1Api);
    this.#close = () => opened.access.close();
  }

  static async open(kubeconfig: string): Promise<ContractSpace> {
    const opened = openPort(kubeconfig);
    const space = new ContractSpace(await opened.connect(), opened);
    await space.port.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: space.ns } });
    // Pods need it; where a controller runs it makes it at the same moment.
    const account = { name: 'default', namespace: space.ns };
    const failure = await failureOf(
      space.port.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account }),
    );
    if (failure && failure.code !== 'already-exists' && failure.code !== 'kind-unknown')
      throw new FailureError(failure);
    return space;
  }

  /** Leaves nothing behind, also where no controller cleans up. */
  async close(): Promise<void> {
    const { port, ns } = this;
    await port.delete({ apiVersion: 'v1', kind: 'Node', name: this.nodeName }, {});
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      name: this.crd,
    };
    await port.delete(definition, {});
    for (const [apiVersion, kind] of LEFT_BEHIND) {
      const left = await port.list({ apiVersion, kind }, { namespace: ns }).catch(() => []);
      const options = { gracePeriodSeconds: 0, propagationPolicy: 'Background' } as const;
      await Promise.all(
        left.map(({ metadata }) =>
          port.delete({ apiVersion, kind, namespace: ns, name: metadata.name }, options),
        ),
      );
    }
    await this.removeNamespace(ns);
    this.#close();
  }

  /** Also where no controller empties it: what was in it must be gone. */
  async removeNamespace(name: string): Promise<void> {
    await this.port.delete({ apiVersion: 'v1', kind: 'Namespace', name }, {});
    const body = { metadata: { name }, spec: { finalizers: [] } };
    await this.#core.replaceNamespaceFinalize({ name, body }).catch(() => undefined);
  }

  configMap(
    name: string,
    data: Record<string, string>,
    labels: Record<string, string> = {},
  ): KubernetesObject {
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: this.ns, labels }, data };
  }

  /** A node without a machine that says of itself that it is ready. Returns its UID. */
  async readyNode(): Promise<string> {
    const made = await this.port.create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: this.nodeName, labels: { 'topology.kubernetes.io/zone': 'eu-central-1a' } },
      spec: { providerID: 'aws:///eu-central-1a/i-0abcdef0' },
    });
    const now = new Date();
    const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: now, lastTransitionTime: now }];
    const allocatable = { cpu: '1930m', memory: '3388360Ki', pods: '110' };
    await this.#core.patchNodeStatus(
      { name: this.nodeName, body: { status: { conditions, allocatable } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
    return made.metadata.uid ?? '';
  }

  /** A pod that nobody schedules and that says of itself that it runs and is ready. */
  async readyPod(podName: string, labels: Record<string, string>): Promise<string> {
    const made = await this.port.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: podName, namespace: this.ns, labels },
      spec: {
        schedulerName: 'nobody',
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'main',
            image: 'example.org/none:1',
            resources: { requests: { cpu: '10m', memory: '16Mi' } },
          },
        ],
        volumes: [{ name: 'tmp', emptyDir: {} }],
      },
    });
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: new Date() }];
    await this.#core.patchNamespacedPodStatus(
      { name: podName, namespace: this.ns, body: { status: { phase: 'Running', conditions } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
    return made.metadata.uid ?? '';
  }

  /** A budget over the label `app=<app>` with the status that the controller would give it. */
  async budget(pdbName: string, app: string, healthy: number, needed: number): Promise<void> {
    await this.port.create({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: pdbName, namespace: this.ns },
      spec: { minAvailable: needed, selector: { matchLabels: { app } } },
    });
    const status = {
      observedGeneration: 1,
      expectedPods: healthy,
      currentHealthy: healthy,
      desiredHealthy: needed,
      disruptionsAllowed: Math.max(0, healthy - needed),
    };
    await this.#policy.patchNamespacedPodDisruptionBudgetStatus(
      { name: pdbName, namespace: this.ns, body: { status } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
  }
}

const LEFT_BEHIND = [
  ['v1', 'Pod'],
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['autoscaling/v2', 'HorizontalPodAutoscaler'],
  ['batch/v1', 'Job'],
  ['v1', 'Service'],
  ['policy/v1', 'PodDisruptionBudget'],
  ['v1', 'ServiceAccount'],
] as const;

export const customResourceDefinition = (name: string, id: string): KubernetesObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name },
  spec: {
    group: 'contract.fairway.dev',
    scope: 'Namespaced',
    names: { plural: `things${id}`, singular: `thing${id}`, kind: `Thing${id}`, listKind: `Thing${id}List` },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
          },
        },
      },
    ],
  },
});
