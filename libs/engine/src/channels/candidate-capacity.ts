import { digestOfValue, minutes, toFailure, type Duration } from '#kernel';
import type { CapacityView, Channel, Cluster, ConfigTree, DesiredNodePool, NodePool } from '#fleet';
import { foreseeCapacity, marketOf, policyFor, type PoolDemand } from '#rolling';
import type { EnginePorts } from '../engine-ports.js';
import { lookAtCapacity } from '../plan/foresee.js';
import type { Renderer } from '../render/renderer.js';
import { renderAsLocked } from './candidate-check.js';
import { readyClusters } from './ready-clusters.js';

/** When so many have no room, nobody needs to know of more. */
const ENOUGH = 3;
/** Clusters without room that one look compares with what they run; the others get their turn once these have room. */
const COMPARED = 10;
const FRESH: Duration = minutes(1);

export interface CapacityAnswer {
  /** `alias: what there is no room for`, one per cluster. */
  readonly problems: readonly string[];
  /** Why nothing is known of some, each reason once. */
  readonly unknown: readonly string[];
  readonly clusters: number;
}

/**
 * Whether the clusters of a channel that a revision has not reached have room for one more machine of each pool that the
 * revision replaces and that cannot let one go before. One look per account tells in most cases; only where there is no
 * room the revision is compared with what the cluster runs.
 */
export async function checkCapacity(
  ports: EnginePorts,
  renderer: Renderer | undefined,
  target: Channel,
  tree: ConfigTree,
): Promise<CapacityAnswer> {
  const clusters = await readyClusters(ports, target);
  const problems: string[] = [];
  const unknown = new Set<string>();
  let compared = 0;
  for (const cluster of clusters) {
    const view = await look(ports, cluster).catch((thrown: unknown) => toFailure(thrown).message);
    if (typeof view === 'string') unknown.add(view);
    else if (!view.vcpus.known) unknown.add(view.vcpus.why);
    if (typeof view === 'string' || noRoom(cluster.nodePools.map(oneMore), view) === undefined) continue;
    if (!renderer || problems.length >= ENOUGH || (compared += 1) > COMPARED) break;
    const what = noRoom(await replaced(ports, renderer, tree, cluster), view);
    if (what !== undefined) problems.push(`${cluster.alias}: ${what}`);
  }
  return { problems, unknown: [...unknown], clusters: clusters.length };
}

async function look(ports: EnginePorts, cluster: Cluster): Promise<CapacityView> {
  const account = await ports.registry.getAccount(cluster.infrastructureAccount);
  if (!account) throw new Error(`account ${cluster.infrastructureAccount} is not registered`);
  const aws = await ports.aws.connect(account.externalId, cluster.region);
  return lookAtCapacity({ aws, account, cluster }, cluster.nodePools.map(oneMore), FRESH);
}

const noRoom = (demands: readonly PoolDemand[], view: CapacityView): string | undefined =>
  foreseeCapacity(demands, view).findings.find(({ stops }) => stops)?.what;

/** One machine ahead of the first that goes: without it the pool stands still. */
function oneMore(
  pool: Pick<NodePool, 'name' | 'instanceTypes' | 'discountStrategy'> & { readonly master?: boolean },
): PoolDemand {
  const { name, instanceTypes, discountStrategy, master = false } = pool;
  const market = marketOf(discountStrategy);
  return {
    pool: name,
    master,
    exists: true,
    growth: 0,
    surge: 1,
    needsSurge: true,
    replaced: instanceTypes.slice(0, 1).map((instanceType) => ({ instanceType, market })),
    instanceTypes,
    market,
    subnetIds: [],
  };
}

/** Pools of which the revision makes other machines, as far as none of theirs may be missing. */
async function replaced(
  ports: EnginePorts,
  renderer: Renderer,
  tree: ConfigTree,
  cluster: Cluster,
): Promise<readonly PoolDemand[]> {
  const [next, now] = await Promise.all([
    poolsBy(ports, renderer, tree, cluster),
    present(ports, cluster).then((running) => running && poolsBy(ports, renderer, running, cluster)),
  ]);
  const known = new Map((now ?? []).map((pool) => [pool.name, contentOf(pool)]));
  return (next ?? [])
    .filter((pool) => known.get(pool.name) !== contentOf(pool) && needsOneMore(pool, cluster))
    .map(oneMore);
}

const contentOf = ({ stack, userData, instanceTypes }: DesiredNodePool): string =>
  digestOfValue([stack.body, stack.parameters, userData, instanceTypes]);

function needsOneMore({ configItems }: DesiredNodePool, { environment }: Cluster): boolean {
  const policy = policyFor(configItems, environment);
  return policy.ok && policy.value.strategy === 'surge' && policy.value.maxUnavailable === 0;
}

/** What the cluster runs or is being brought to. */
async function present(ports: EnginePorts, { id }: Cluster): Promise<ConfigTree | undefined> {
  const admitted = (await ports.updates.runtime(id))?.admittedRevisionId;
  const revision = admitted === undefined ? undefined : await ports.channels.getRevision(admitted);
  return revision && ports.git.readTree(revision.repository, revision.commit);
}

async function poolsBy(
  ports: EnginePorts,
  renderer: Renderer,
  tree: ConfigTree,
  cluster: Cluster,
): Promise<readonly DesiredNodePool[] | undefined> {
  const rendered = await renderAsLocked(ports, renderer, tree, cluster);
  return rendered?.result.ok ? rendered.result.value.nodePools : undefined;
}
