import { createRenderCache, renderCluster, type RenderCache } from '#config';
import type { Cluster, ConfigTree } from '#fleet';
import { PackedCache } from '../../../libs/engine/src/render/packed-cache.js';
import { fixtureTree, lock, treeOf } from '../../../libs/config/src/testing/fixture-repo.js';
import type { Metric, Suite } from '../lib/metric.js';
import { better } from '../lib/metric.js';
import { asStored, benchCluster } from '../lib/settled-fleet.js';

const FLEET_SIZE = 1_000;
const FILES = 250;
/** Clusters that are rendered without anything remembered. */
const COLD = 100;
/** Promised for a configuration of 250 files. */
const COLD_MS = 150;
const CACHED_MS = 2;
/** What a worker's render thread keeps by default: its share of FAIRWAY_RENDER_MEMORY. */
const CACHE_BYTES = 38 * 1024 * 1024;
const inputs = lock();

/** Rendering alone, without database or Git: cold, unchanged, and after a commit that touches one component. */
export const renderSuite: Suite = ({ say }) => {
  const measured = [
    {
      name: 'render.fixture',
      tree: fixtureTree(),
      touch: 'cluster/manifests/shop/configmap.yaml',
      size: FLEET_SIZE,
    },
    {
      name: 'render.large',
      tree: largeTree(),
      touch: 'cluster/manifests/gen-7/object-0.yaml',
      size: FLEET_SIZE / 20,
    },
  ].flatMap(({ name, tree, touch, size }) => {
    const once = (): readonly Metric[] => measure(name, tree, touch, size, say);
    // The large one is short enough to be the noisy one.
    return size < FLEET_SIZE ? better(once(), once()) : once();
  });
  return Promise.resolve(measured);
};

function measure(
  name: string,
  tree: ConfigTree,
  touch: string,
  size: number,
  say: (text: string) => void,
): readonly Metric[] {
  const fleet = Array.from({ length: size }, (_, index) => asStored(benchCluster(index)));
  const cold = perCluster(fleet.slice(0, COLD), (cluster) => render(tree, cluster, createRenderCache(1)));
  const entries = counting();
  const first = perCluster(fleet, (cluster) => render(tree, cluster, entries.cache));
  const again = perCluster(fleet, (cluster) => render(tree, cluster, entries.cache));
  const [one] = fleet as [Cluster];
  render(tree, one, entries.cache);
  const cached = perCluster(
    Array.from({ length: COLD }, () => one),
    (cluster) => render(tree, cluster, entries.cache),
  );
  const touched = treeOf(new Map([...tree.files, [touch, `${tree.files.get(touch)}\n# touched\n`]]));
  entries.made.clear();
  const asked = entries.asked.components;
  const change = perCluster(fleet, (cluster) => render(touched, cluster, entries.cache));
  const rendered = entries.made.get('component') ?? 0;
  const rerendered = rendered / size;
  const all = entries.asked.components - asked;
  say(
    `${name} (${tree.files.size} files, ${size} clusters): cold ${cold.toFixed(2)} ms, shared templates ${first.toFixed(2)} ms, ` +
      `the same again ${cached.toFixed(3)} ms, all again ${again.toFixed(3)} ms, one component changed ${change.toFixed(2)} ms and ${rerendered} components rendered ` +
      `(${all - rendered} of ${all} from the cache, ${(entries.bytes() / 1024 / 1024).toFixed(1)} MiB of ${CACHE_BYTES / 1024 / 1024} packed)`,
  );
  return [
    { name: `${name}.cold`, value: cold, unit: 'ms/cluster', kind: 'cpu', target: COLD_MS },
    { name: `${name}.first`, value: first, unit: 'ms/cluster', kind: 'cpu' },
    { name: `${name}.cached`, value: cached, unit: 'ms', kind: 'cpu', noise: 0.2, target: CACHED_MS },
    // All clusters in turn: most of them are unpacked anew.
    { name: `${name}.unchanged`, value: again, unit: 'ms/cluster', kind: 'cpu', noise: 0.2 },
    { name: `${name}.one-component`, value: change, unit: 'ms/cluster', kind: 'cpu' },
    { name: `${name}.components-rendered`, value: rerendered, unit: 'components', kind: 'count', target: 1 },
  ];
}

function render(tree: ConfigTree, cluster: Cluster, cache: RenderCache): void {
  const rendered = renderCluster({ tree, cluster, accountClusters: [cluster], inputs }, cache);
  if (!rendered.ok) throw new Error(`the bench's repository does not render: ${rendered.error[0]?.message}`);
}

function perCluster(fleet: readonly Cluster[], work: (cluster: Cluster) => void): number {
  const started = process.cpuUsage();
  for (const cluster of fleet) work(cluster);
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000 / fleet.length;
}

function counting(): {
  readonly cache: RenderCache;
  readonly made: Map<string, number>;
  readonly asked: { components: number };
  bytes(): number;
} {
  const inner = new PackedCache(CACHE_BYTES);
  const made = new Map<string, number>();
  const asked = { components: 0 };
  const cache: RenderCache = {
    get: (key) => {
      if (key.startsWith('component ')) asked.components += 1;
      return inner.get(key);
    },
    set: (key, ...rest) => {
      const kind = key.slice(0, key.indexOf(' '));
      made.set(kind, (made.get(kind) ?? 0) + 1);
      inner.set(key, ...rest);
    },
  };
  return { cache, made, asked, bytes: () => inner.packedBytes };
}

/** The fixture with as many generated components of five files as make 250 files. */
function largeTree(): ConfigTree {
  const files = new Map(fixtureTree().files);
  for (let component = 0; files.size < FILES; component += 1) {
    for (let object = 0; object < 5 && files.size < FILES; object += 1) {
      files.set(`cluster/manifests/gen-${component}/object-${object}.yaml`, generated(component, object));
    }
  }
  return treeOf(files);
}

const generated = (component: number, object: number): string => `apiVersion: v1
kind: ConfigMap
metadata:
  name: gen-${component}-${object}
  namespace: kube-system
  labels:
    application: gen-${component}
    cluster: "{{ .Cluster.Alias }}"
data:
{{- if eq .Cluster.Environment "production" }}
  mode: "strict"
{{- else }}
  mode: "relaxed"
{{- end }}
${Array.from({ length: 25 }, (_, line) => `  key_${line}: "value ${line} of {{ .Cluster.LocalID }} in {{ .Cluster.Region }}"`).join('\n')}
`;
