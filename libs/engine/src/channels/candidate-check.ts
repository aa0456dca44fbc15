import { digestOfValue } from '#kernel';
import type { Channel, Cluster, ConfigProblem, ConfigTree, InstanceTypeFacts, LockedInputs } from '#fleet';
import type { RenderInput, WantedInputs } from '#config';
import type { EnginePorts } from '../engine-ports.js';
import { recordDigest } from '../pass/record-digest.js';
import { contentOf } from '../render/content-digest.js';
import type { Renderer, RenderResult } from '../render/renderer.js';
import { readyClusters } from './ready-clusters.js';

/** Clusters that one look renders; the others get their turn at the next, and the channel goes on meanwhile. */
const AT_ONCE = 25;
/** When so many cannot be rendered, nobody needs to know of more. */
const ENOUGH = 3;
const KEPT = 5_000;

/** What came of a cluster's render of a candidate; undefined: it renders. */
interface Verdict {
  /** Of everything that the render was made from. */
  readonly basis: string;
  readonly inWords: string | undefined;
}

/** May be otherwise at the next try. */
const UNSURE: ReadonlySet<string> = new Set([
  'render-time',
  'render-memory',
  'template-limit',
  'not-rendered',
]);

const verdicts = new WeakMap<Renderer, Map<string, Verdict>>();

export interface CandidateAnswer {
  /** `alias: what is wrong`, one per cluster. */
  readonly problems: readonly string[];
  readonly rendered: number;
  readonly clusters: number;
}

/**
 * Renders and validates a revision for the clusters of a channel that it has not reached, with what they are locked to: what
 * would stop there is known before anything moves. Clusters that were never rendered have no lock and are left out. What the
 * lock does not answer is made up, as only AWS can say it.
 */
export async function checkCandidate(
  ports: EnginePorts,
  renderer: Renderer,
  target: Channel,
  tree: ConfigTree,
): Promise<CandidateAnswer> {
  const known = verdicts.get(renderer) ?? new Map<string, Verdict>();
  verdicts.set(renderer, known);
  const clusters = await readyClusters(ports, target);
  const problems: string[] = [];
  let [asked, rendered] = [0, 0];
  for (const cluster of clusters) {
    const standing = await ports.configs.standing(cluster.id);
    const basis = digestOfValue([contentOf(tree, cluster.alias), recordDigest(cluster, standing)]);
    let verdict = known.get(cluster.id);
    if (verdict?.basis !== basis && standing.lock) {
      if (asked >= AT_ONCE) continue;
      asked += 1;
      const found = await problemsOf(ports, renderer, tree, cluster);
      verdict = { basis, inWords: inWords(found ?? []) };
      if (!found?.some(({ code }) => UNSURE.has(code))) remember(known, cluster.id, verdict);
    }
    rendered += 1;
    if (verdict?.inWords !== undefined) problems.push(`${cluster.alias}: ${verdict.inWords}`);
    if (problems.length >= ENOUGH) break;
  }
  return { problems, rendered, clusters: clusters.length };
}

function remember(known: Map<string, Verdict>, id: string, verdict: Verdict): void {
  known.delete(id);
  known.set(id, verdict);
  const [oldest] = known.keys();
  if (known.size > KEPT && oldest !== undefined) known.delete(oldest);
}

async function problemsOf(
  ports: EnginePorts,
  renderer: Renderer,
  tree: ConfigTree,
  cluster: Cluster,
): Promise<readonly ConfigProblem[] | undefined> {
  const rendered = await renderAsLocked(ports, renderer, tree, cluster);
  return !rendered || rendered.result.ok ? undefined : certain(rendered.result.error, rendered.wanted);
}

/** The cluster by this tree, with the inputs that it is locked to; undefined for one that was never rendered. */
export async function renderAsLocked(
  ports: EnginePorts,
  renderer: Renderer,
  tree: ConfigTree,
  cluster: Cluster,
): Promise<{ readonly result: RenderResult; readonly wanted: WantedInputs } | undefined> {
  const account = cluster.infrastructureAccount;
  const [lock, overrides, owner, siblings] = await Promise.all([
    ports.configs.inputsLock(cluster.id),
    ports.configs.overrides(cluster.id, ports.clock.now()),
    ports.registry.getAccount(account),
    ports.registry.listClusters({ infrastructureAccount: account }),
  ]);
  if (!lock) return undefined;
  const wanted = await renderer.lookups(tree, cluster, overrides);
  const inputs = completed(lock.inputs, wanted);
  const input: RenderInput = { tree, cluster, account: owner, accountClusters: siblings, inputs, overrides };
  return { result: await renderer.render(input), wanted };
}

/** A template that takes a secret apart may fail for what stands in the secret's place: that says nothing about the candidate. */
function certain(
  problems: readonly ConfigProblem[],
  { cipherTexts }: WantedInputs,
): readonly ConfigProblem[] | undefined {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const left = cipherTexts.length === 0 ? errors : errors.filter(({ code }) => code !== 'template-error');
  return left.length === 0 ? undefined : left;
}

const MADE_UP_TYPE: InstanceTypeFacts = {
  vcpus: 2,
  memoryBytes: 8 * 2 ** 30,
  architecture: 'amd64',
  storageBytes: 0,
};

/** The lock, with something in the place of what the candidate asks for beyond it. Secrets are not decrypted for a check. */
function completed(lock: LockedInputs, { images, instanceTypes, cipherTexts }: WantedInputs): LockedInputs {
  const content = {
    ...lock,
    images: {
      ...Object.fromEntries(images.map(({ name, owner }) => [`${name}|${owner}`, 'ami-00000000000000000'])),
      ...lock.images,
    },
    instanceTypes: {
      ...Object.fromEntries(instanceTypes.map((type) => [type, MADE_UP_TYPE])),
      ...lock.instanceTypes,
    },
    decrypted: Object.fromEntries(cipherTexts.map((text) => [text, 'not decrypted'])),
  };
  return {
    ...content,
    digest: digestOfValue([lock.digest, 'completed', content.images, content.instanceTypes]),
  };
}

function inWords([first, ...more]: readonly ConfigProblem[]): string | undefined {
  if (!first) return undefined;
  const place = first.line === undefined ? first.file : `${first.file}:${first.line}`;
  return `${place}: ${first.message}${more.length > 0 ? ` (and ${more.length} more)` : ''}`;
}
