import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AppsV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { createKubernetesAccess } from '#adapters/kubernetes';
import { digestOfValue, seconds, systemClock } from '#kernel';
import type { Component, KubernetesObject } from '#fleet';
import type { InventoryEntry, KubernetesPort } from '#ports';
import { PassMemory } from '../../../libs/engine/src/pass/pass-memory.js';
import type { Pass } from '../../../libs/engine/src/pass/pass.js';

const COMPONENTS = 40;
export const OBJECTS = 250;

/** A simulated API server in a process of its own. */
export async function startServer(): Promise<{ readonly kubeconfig: string; stop(): void }> {
  const main = fileURLToPath(new URL('../processes/manifests-api.main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', main], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the API server ended with ${code}`)));
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.includes('\n')) resolve(text);
    });
  });
  const { kubeconfig } = JSON.parse(line) as { kubeconfig: string };
  return { kubeconfig, stop: () => child.stdin.end() };
}

function objectsIn(namespace: string, at: number): readonly KubernetesObject[] {
  const name = `component-${at}`;
  const meta = (suffix: string) => ({ name: `${name}${suffix}`, namespace, labels: { app: name } });
  const template = {
    metadata: { labels: { app: name } },
    spec: {
      containers: [{ name: 'main', image: 'registry.example.org/app:1', ports: [{ containerPort: 8080 }] }],
    },
  };
  const deployment = { replicas: 2, selector: { matchLabels: { app: name } }, template };
  const service = { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] };
  const fixed: readonly KubernetesObject[] = [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta(''), spec: deployment },
    { apiVersion: 'v1', kind: 'Service', metadata: meta(''), spec: service },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta('') },
  ];
  const count = Math.floor(((at + 1) * OBJECTS) / COMPONENTS) - Math.floor((at * OBJECTS) / COMPONENTS);
  const maps = Array.from({ length: count - fixed.length }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: meta(`-${index}`),
    data: { 'config.yaml': `value: ${'x'.repeat(400)}\n` },
  }));
  return [...fixed, ...maps];
}

export const componentsIn = (namespace: string): readonly (readonly KubernetesObject[])[] =>
  Array.from({ length: COMPONENTS }, (_, at) => objectsIn(namespace, at));

export async function makeNamespace(port: KubernetesPort, name: string): Promise<void> {
  await port.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

/** With all that the bench put there; also where no controller does it. */
export async function removeNamespace(kubeconfig: string, namespace: string): Promise<void> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  await config.makeApiClient(AppsV1Api).deleteCollectionNamespacedDeployment({ namespace });
  await core.deleteCollectionNamespacedConfigMap({ namespace });
  await core.deleteCollectionNamespacedServiceAccount({ namespace });
  await core.deleteCollectionNamespacedService({ namespace });
  await core.deleteNamespacedConfigMap({ namespace: 'kube-system', name: 'fairway' }).catch(() => undefined);
  await core.deleteNamespace({ name: namespace });
  const body = { metadata: { name: namespace }, spec: { finalizers: [] } };
  await core.replaceNamespaceFinalize({ name: namespace, body }).catch(() => undefined);
}

/** A connection of its own. `requests`: what was asked through it, discovery aside. */
export async function withPort<T>(
  kubeconfig: string,
  work: (port: KubernetesPort, requests: () => number) => Promise<T>,
): Promise<T> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const access = createKubernetesAccess({
    credentialsFor: async () => ({ kind: 'kubeconfig', text: kubeconfig }),
  });
  try {
    const apiServerUrl = config.getCurrentCluster()?.server ?? '';
    const counter = { requests: 0 };
    const port = await access.connect({ id: 'aws:1:eu:bench', apiServerUrl, configItems: {} });
    return await work(counted(port, counter), () => counter.requests);
  } finally {
    access.close();
  }
}

function counted(port: KubernetesPort, counter: { requests: number }): KubernetesPort {
  return new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        counter.requests += 1;
        return Reflect.apply(member, target, args);
      };
    },
  });
}

/** What the database would hold. */
export interface Stored {
  inventory: readonly InventoryEntry[];
}

/** What the steps use of a pass. */
export function passOf(
  updateId: string,
  namespace: string,
  kubernetes: KubernetesPort,
  stored: Stored,
): Pass {
  const components: readonly Component[] = componentsIn(namespace).map((objects, at) => ({
    name: `component-${at}`,
    digest: digestOfValue(objects),
    objects: objects.map((object) => ({ object, file: 'bench.yaml', line: 1 })),
    settings: {
      dependsOn: [],
      wave: 0,
      timeoutMs: seconds(600),
      health: 'ignore',
      prune: true,
      removed: false,
      ignore: [],
    },
  }));
  const updates = {
    inventory: async () => stored.inventory,
    recordInventory: async (_lease: unknown, _cluster: string, entries: readonly InventoryEntry[]) => {
      stored.inventory = entries;
    },
    driftFindings: async () => [],
    recordDrift: async () => undefined,
    openManifestRequests: async () => [],
  };
  return {
    ports: { updates, clock: systemClock },
    settings: { pollInterval: seconds(1), resyncInterval: seconds(600) },
    cluster: { id: 'aws:123456789012:eu-central-1:bench', channel: 'dev', configItems: {} },
    lease: { current: async () => ({ name: 'bench', token: 1 }) },
    update: { id: updateId },
    memory: new PassMemory({}),
    intents: { perform: (_request: unknown, deed: () => Promise<unknown>) => deed() },
    kubernetes,
    holds: [],
    nodes: [],
    report: { events: [], problems: [] },
    desired: { digest: digestOfValue(namespace), components, deletions: { preApply: [], postApply: [] } },
  } as unknown as Pass;
}
