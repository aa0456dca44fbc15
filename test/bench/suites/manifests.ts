import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import type { Outcome } from '#kernel';
import type { KubernetesPort } from '#ports';
import { mapBounded } from '../../../libs/engine/src/bounded.js';
import { planObjects } from '../../../libs/engine/src/plan/plan-objects.js';
import { manifestsStep } from '../../../libs/engine/src/steps/manifests.step.js';
import {
  componentsIn,
  makeNamespace,
  OBJECTS,
  passOf,
  removeNamespace,
  startServer,
  withPort,
  type Stored,
} from '../lib/manifests-bed.js';
import type { Metric, Suite } from '../lib/metric.js';

const ROUNDS = 3;
/** Of a real API server; the simulated one answers slower than it is asked. */
const TARGETS = { bare: 2, kubectlFirst: 1 / 5, kubectlNoop: 1 / 12 };
const run = promisify(execFile);

/** Seconds. */
interface Times {
  readonly first: number;
  readonly noop: number;
}

interface FairwayTimes extends Times {
  /** By a process that remembers nothing, neither in memory nor in the database: one dry-run an object. */
  readonly cold: number;
  readonly requests: { readonly first: number; readonly noop: number; readonly cold: number };
  /** Objects whose resourceVersion the no-op changed. */
  readonly written: number;
}

/**
 * 250 objects of 40 components against one API server: `kubectl apply --server-side`, bare concurrent requests, and the
 * plan and manifests step (with stores in memory). The API server is a simulated one in another process, or that of
 * FAIRWAY_TEST_KUBECONFIG.
 */
export const manifestsSuite: Suite = async ({ say }) => {
  const file = process.env['FAIRWAY_TEST_KUBECONFIG'];
  const server = file ? undefined : await startServer();
  const kubeconfig = file ? await readFile(file, 'utf8') : (server?.kubeconfig ?? '');
  try {
    const kubectl = await withKubectl(kubeconfig, say);
    const bare: Times[] = [];
    const fairway: FairwayTimes[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      bare.push(await inNamespace(kubeconfig, 'bare', (namespace) => bareRequests(kubeconfig, namespace)));
      fairway.push(await inNamespace(kubeconfig, 'fairway', (namespace) => steps(kubeconfig, namespace)));
    }
    const best = bestOf(bare, fairway);
    say(
      `bare requests ${words(best.bare)}; Fairway ${words(best.fairway)}, cold ${best.fairway.cold.toFixed(2)} s`,
    );
    return metricsOf(best, kubectl, file !== undefined);
  } finally {
    server?.stop();
  }
};

const words = ({ first, noop }: Times): string => `${first.toFixed(2)} s first, ${noop.toFixed(2)} s no-op`;

async function inNamespace<T>(
  kubeconfig: string,
  what: string,
  work: (name: string) => Promise<T>,
): Promise<T> {
  const namespace = `fairway-bench-${what}-${Date.now()}`;
  await withPort(kubeconfig, (port) => makeNamespace(port, namespace));
  try {
    return await work(namespace);
  } finally {
    await removeNamespace(kubeconfig, namespace);
  }
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
};

/** Undefined where the machine has none. */
async function withKubectl(kubeconfig: string, say: (text: string) => void): Promise<Times | undefined> {
  const version = await run('kubectl', ['version', '--client']).catch(() => undefined);
  if (!version) {
    say('no kubectl on the PATH: nothing is compared with it');
    return undefined;
  }
  const times = await inNamespace(kubeconfig, 'kubectl', async (namespace) => {
    const directory = await mkdtemp(join(tmpdir(), 'fairway-bench-'));
    try {
      const file = join(directory, 'kubeconfig');
      await writeFile(file, kubeconfig, { mode: 0o600 });
      for (const [at, objects] of componentsIn(namespace).entries()) {
        const text = objects.map((object) => stringify(object)).join('---\n');
        await writeFile(join(directory, `component-${at}.yaml`), text);
      }
      // The kubeconfig in the directory is no manifest: only `*.yaml` and `*.json` are read.
      const apply = () =>
        run('kubectl', ['--kubeconfig', file, 'apply', '--server-side', '-f', directory], {
          maxBuffer: 64 * 1024 * 1024,
          env: { ...process.env, HOME: directory },
        });
      return { first: await timed(apply), noop: await timed(apply) };
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
  say(`kubectl ${words(times)} (${version.stdout.split('\n')[0]})`);
  return times;
}

/** As many requests as there are objects, 24 at a time, and nothing else: applies, then dry-runs of the same. */
const bareRequests = (kubeconfig: string, namespace: string): Promise<Times> =>
  withPort(kubeconfig, async (port) => {
    const objects = componentsIn(namespace).flat();
    const apply = (dryRun: boolean) => () =>
      mapBounded(objects, 24, (object) => port.apply(object, { dryRun, force: true, fieldManager: 'bare' }));
    return { first: await timed(apply(false)), noop: await timed(apply(true)) };
  });

/** Each by a process that has just started: connections and memory are new. */
async function steps(kubeconfig: string, namespace: string): Promise<FairwayTimes> {
  const stored: Stored = { inventory: [] };
  const update = (id: string): Promise<{ seconds: number; requests: number }> =>
    withPort(kubeconfig, async (port, requests) => {
      const pass = passOf(id, namespace, port, stored);
      const took = await timed(async () => {
        await planObjects(pass);
        const outcome: Outcome = await manifestsStep.run(pass);
        if (outcome.kind !== 'done') throw new Error(`the apply ended as ${JSON.stringify(outcome)}`);
      });
      return { seconds: took, requests: requests() };
    });
  const first = await update('first');
  const before = await versionsIn(kubeconfig, namespace);
  const noop = await update('noop');
  stored.inventory = stored.inventory.map(({ confirmed: _confirmed, ...entry }) => entry);
  const cold = await update('cold');
  const after = await versionsIn(kubeconfig, namespace);
  return {
    first: first.seconds,
    noop: noop.seconds,
    cold: cold.seconds,
    requests: { first: first.requests, noop: noop.requests, cold: cold.requests },
    written: after.filter((one) => !before.includes(one)).length,
  };
}

const KINDS = [
  ['apps/v1', 'Deployment'],
  ['v1', 'Service'],
  ['v1', 'ServiceAccount'],
  ['v1', 'ConfigMap'],
] as const;

const versionsIn = (kubeconfig: string, namespace: string): Promise<readonly string[]> =>
  withPort(kubeconfig, async (port: KubernetesPort) => {
    const lists = await Promise.all(
      KINDS.map(([apiVersion, kind]) => port.list({ apiVersion, kind }, { namespace })),
    );
    return lists.flat().map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`);
  });

interface Best {
  readonly bare: Times;
  readonly fairway: FairwayTimes;
}

/** The best of the rounds, figure by figure: what disturbs a round is never the program. */
function bestOf(bare: readonly Times[], fairway: readonly FairwayTimes[]): Best {
  const least = <T>(all: readonly T[], of: (one: T) => number): number => Math.min(...all.map(of));
  const most = (of: (one: FairwayTimes) => number): number => Math.max(...fairway.map(of));
  return {
    bare: { first: least(bare, ({ first }) => first), noop: least(bare, ({ noop }) => noop) },
    fairway: {
      first: least(fairway, ({ first }) => first),
      noop: least(fairway, ({ noop }) => noop),
      cold: least(fairway, ({ cold }) => cold),
      requests: {
        first: most(({ requests }) => requests.first),
        noop: most(({ requests }) => requests.noop),
        cold: most(({ requests }) => requests.cold),
      },
      written: most(({ written }) => written),
    },
  };
}

function metricsOf({ bare, fairway }: Best, kubectl: Times | undefined, real: boolean): readonly Metric[] {
  const ratio = (name: string, ours: number, theirs: number, target: number, noise: number): Metric => ({
    name: `manifests.${name}`,
    value: ours / theirs,
    unit: 'times',
    kind: 'clock',
    noise,
    ...(real && { target }),
  });
  const count = (name: string, value: number, target: number): Metric => ({
    name: `manifests.${name}`,
    value,
    unit: 'requests per object',
    kind: 'count',
    target,
  });
  const { requests } = fairway;
  return [
    ratio('first.of-bare', fairway.first, bare.first, TARGETS.bare, 1),
    ratio('noop.of-bare', fairway.noop, bare.noop, TARGETS.bare, 1),
    ratio('cold.of-bare', fairway.cold, bare.noop, TARGETS.bare, 1),
    ...(kubectl
      ? [
          ratio('first.of-kubectl', fairway.first, kubectl.first, TARGETS.kubectlFirst, 1),
          ratio('noop.of-kubectl', fairway.noop, kubectl.noop, TARGETS.kubectlNoop, 1),
        ]
      : []),
    // The parent of the ApplySet is an object too.
    count('first.requests', requests.first / (OBJECTS + 1), 2),
    count('noop.requests', requests.noop / OBJECTS, 1),
    // Lists of the four kinds come on top of one dry-run an object.
    count('cold.requests', requests.cold / OBJECTS, 1.05),
    { name: 'manifests.noop.written', value: fairway.written, unit: 'objects', kind: 'count', target: 0 },
  ];
}
