import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { createKubernetesAccess } from '#adapters/kubernetes';
import { digestOfValue, seconds, systemClock, type Outcome } from '#kernel';
import type { Component, KubernetesObject } from '#fleet';
import type { InventoryEntry, KubernetesPort } from '#ports';
import { PassMemory } from '../../libs/engine/src/pass/pass-memory.js';
import type { Pass } from '../../libs/engine/src/pass/pass.js';
import { mapBounded } from '../../libs/engine/src/bounded.js';
import { planObjects } from '../../libs/engine/src/plan/plan-objects.js';
import { manifestsStep } from '../../libs/engine/src/steps/manifests.step.js';

const COMPONENTS = 40;
const OBJECTS = 250;
const run = promisify(execFile);

/** Seconds; `first` is the plan's dry-run of everything and the apply. */
export interface ManifestsBench {
  readonly objects: number;
  readonly kubectl: { readonly first: number; readonly noop: number };
  /** As many requests as there are objects, 24 at a time, and nothing else. */
  readonly bare: { readonly first: number; readonly noop: number };
  readonly fairway: {
    readonly first: number;
    /** By a process that remembers nothing, neither in memory nor in the database: one dry-run an object. */
    readonly noopCold: number;
    readonly noop: number;
  };
}

/**
 * 250 objects of 40 components against one API server: `kubectl apply --server-side`, bare concurrent requests, and
 * Fairway's steps (with stores in memory). The API server is a simulated one in another process, or that of
 * FAIRWAY_TEST_KUBECONFIG; namespaces `bench-*` are made and left to be deleted.
 */
export async function manifestsBench(): Promise<ManifestsBench> {
  const real = process.env['FAIRWAY_TEST_KUBECONFIG'];
  const server = real ? undefined : await startServer();
  const kubeconfig = real ? await readFile(real, 'utf8') : (server?.kubeconfig ?? '');
  try {
    return {
      objects: OBJECTS,
      kubectl: await withKubectl(kubeconfig, `bench-kubectl-${Date.now()}`),
      bare: await withBareRequests(kubeconfig, `bench-bare-${Date.now()}`),
      fairway: await withFairway(kubeconfig, `bench-fairway-${Date.now()}`),
    };
  } finally {
    server?.stop();
  }
}

async function startServer(): Promise<{ readonly kubeconfig: string; stop(): void }> {
  const main = fileURLToPath(new URL('processes/manifests-api.main.ts', import.meta.url));
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

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
};

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

const componentsIn = (namespace: string): readonly (readonly KubernetesObject[])[] =>
  Array.from({ length: COMPONENTS }, (_, at) => objectsIn(namespace, at));

const makeNamespace = async (port: KubernetesPort, name: string): Promise<void> => {
  await port.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
};

async function withPort<T>(kubeconfig: string, work: (port: KubernetesPort) => Promise<T>): Promise<T> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const access = createKubernetesAccess({
    credentialsFor: async () => ({ kind: 'kubeconfig', text: kubeconfig }),
  });
  try {
    const apiServerUrl = config.getCurrentCluster()?.server ?? '';
    return await work(await access.connect({ id: 'aws:1:eu:bench', apiServerUrl, configItems: {} }));
  } finally {
    access.close();
  }
}

async function withKubectl(kubeconfig: string, namespace: string): Promise<ManifestsBench['kubectl']> {
  await withPort(kubeconfig, (port) => makeNamespace(port, namespace));
  const directory = await mkdtemp(join(tmpdir(), 'fairway-bench-'));
  try {
    const file = join(directory, 'kubeconfig');
    await writeFile(file, kubeconfig, { mode: 0o600 });
    for (const [at, objects] of componentsIn(namespace).entries()) {
      const text = objects.map((object) => stringify(object)).join('---\n');
      await writeFile(join(directory, `component-${at}.yaml`), text);
    }
    const apply = () =>
      run('kubectl', ['--kubeconfig', file, 'apply', '--server-side', '-f', directory], {
        maxBuffer: 64 * 1024 * 1024,
        env: { ...process.env, HOME: directory },
      });
    // The kubeconfig in the directory is no manifest: only `*.yaml` and `*.json` are read.
    return { first: await timed(apply), noop: await timed(apply) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const withBareRequests = (kubeconfig: string, namespace: string): Promise<ManifestsBench['bare']> =>
  withPort(kubeconfig, async (port) => {
    await makeNamespace(port, namespace);
    const objects = componentsIn(namespace).flat();
    const apply = (dryRun: boolean) => () =>
      mapBounded(objects, 24, (object) => port.apply(object, { dryRun, force: true, fieldManager: 'bare' }));
    const first = await timed(async () => {
      await apply(true)();
      await apply(false)();
    });
    return { first, noop: await timed(apply(true)) };
  });

async function withFairway(kubeconfig: string, namespace: string): Promise<ManifestsBench['fairway']> {
  const stored: { inventory: readonly InventoryEntry[] } = { inventory: [] };
  await withPort(kubeconfig, (port) => makeNamespace(port, namespace));
  const update = async (updateId: string, port: KubernetesPort): Promise<void> => {
    const pass = passOf(updateId, namespace, port, stored);
    await planObjects(pass);
    const outcome: Outcome = await manifestsStep.run(pass);
    if (outcome.kind !== 'done') throw new Error(`the apply ended as ${JSON.stringify(outcome)}`);
  };
  const first = await withPort(kubeconfig, (port) => timed(() => update('first', port)));
  stored.inventory = stored.inventory.map(({ confirmed: _confirmed, ...entry }) => entry);
  const noopCold = await withPort(kubeconfig, (port) => timed(() => update('cold', port)));
  const noop = await withPort(kubeconfig, (port) => timed(() => update('noop', port)));
  return { first, noopCold, noop };
}

/** What the steps use of a pass. */
function passOf(
  updateId: string,
  namespace: string,
  kubernetes: KubernetesPort,
  stored: { inventory: readonly InventoryEntry[] },
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = await manifestsBench();
  const { kubectl, bare, fairway } = result;
  const line = (what: string, ours: number, theirs: number, floor: number): string =>
    `${what}: ${ours.toFixed(2)} s, kubectl ${theirs.toFixed(2)} s (${(theirs / ours).toFixed(1)}×), bare ${floor.toFixed(2)} s (${(ours / floor).toFixed(2)}×)\n`;
  process.stdout.write(line('first apply', fairway.first, kubectl.first, bare.first));
  process.stdout.write(line('no-op, nothing remembered', fairway.noopCold, kubectl.noop, bare.noop));
  process.stdout.write(line('no-op', fairway.noop, kubectl.noop, bare.noop));
}
