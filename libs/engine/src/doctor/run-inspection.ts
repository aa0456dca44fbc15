import { setTimeout as sleep } from 'node:timers/promises';
import { FailureError, seconds, toFailure } from '#kernel';
import type { Cluster, Inspection } from '#fleet';
import type { InspectionStorePort } from '#ports';
import { examine, planUpgrade, upgradeTarget, type DoctorObservation } from '#upgrade';
import type { EnginePorts } from '../engine-ports.js';
import { observeForDoctor, type DoctorSources } from './observe.js';

/** What inspections use beside the ports of passes. */
export type InspectionPorts = Pick<
  EnginePorts,
  'registry' | 'configs' | 'backups' | 'leases' | 'aws' | 'kubernetes' | 'etcd' | 'clock' | 'log'
> & {
  readonly inspections: InspectionStorePort;
};

/** Longer than every look may take together: the slowest are asked at the same time. */
const LEASE_TTL = seconds(120);
type Items = Readonly<Record<string, string>>;

/**
 * Takes one look that somebody asked for. Beside the passes and with a lease of its own: it only reads, and it must tell
 * the truth about a cluster whose update is under way, held or halted.
 */
export async function runInspection(
  ports: InspectionPorts,
  id: string,
): Promise<'inspected' | 'busy' | 'idle'> {
  const asked = await ports.inspections.getInspection(id);
  if (!asked || asked.finishedAt !== undefined) return 'idle';
  const lease = await ports.leases.acquire(`inspection/${id}`, LEASE_TTL);
  if (!lease) return 'busy';
  try {
    const result = await look(ports, asked).then(
      (report) => ({ report }),
      (thrown: unknown) => ({ failure: toFailure(thrown) }),
    );
    await ports.inspections.settleInspection(lease, id, result, ports.clock.now());
    return 'inspected';
  } finally {
    await ports.leases.release(lease).catch(() => undefined);
  }
}

async function look(ports: InspectionPorts, asked: Inspection): Promise<Inspection['report']> {
  const cluster = await ports.registry.getCluster(asked.clusterId);
  if (!cluster || cluster.lifecycleStatus === 'decommissioned') throw gone(asked.clusterId);
  const items = await effectiveItems(ports, cluster);
  const observation = await observeForDoctor(await sourcesOf(ports, cluster, items));
  const configured = items?.['kubernetes_version'];
  const wish = {
    ...(asked.target !== undefined && { asked: asked.target }),
    ...(configured !== undefined && configured !== '' && { configured }),
  };
  if (asked.kind === 'upgrade-plan') return planUpgrade(cluster.id, observation, wish);
  return examine(cluster.id, { ...observation, ...targetOf(observation, wish) });
}

/** APIs in use are held against where the cluster is going next. */
function targetOf(
  { serverVersion }: DoctorObservation,
  wish: { readonly asked?: string; readonly configured?: string },
): Pick<DoctorObservation, 'target'> {
  return serverVersion.state === 'read' ? { target: upgradeTarget(wish, [serverVersion.value]).target } : {};
}

async function sourcesOf(
  ports: InspectionPorts,
  cluster: Cluster,
  items: Items | undefined,
): Promise<DoctorSources> {
  const account = await ports.registry.getAccount(cluster.infrastructureAccount);
  return {
    cluster,
    clock: ports.clock,
    pause: (duration) => sleep(duration),
    kubernetes: () => ports.kubernetes.connect(cluster),
    aws: async () => {
      if (!account) throw gone(cluster.infrastructureAccount);
      return ports.aws.connect(account.externalId, cluster.region);
    },
    ...(ports.etcd && { etcd: ports.etcd }),
    backups: async () => (await ports.backups.backupStandings([cluster.id])).get(cluster.id),
    ...(items && { items }),
  };
}

/** Config items of the last render; values are stored as JSON. */
async function effectiveItems(ports: InspectionPorts, cluster: Cluster): Promise<Items | undefined> {
  const config = await ports.configs.effectiveConfig(cluster.id);
  if (!config) return undefined;
  return Object.fromEntries(config.items.map(({ key, value }) => [key, plain(value)]));
}

function plain(json: string): string {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'string' ? value : json;
  } catch {
    return json;
  }
}

const gone = (what: string): FailureError =>
  new FailureError({
    class: 'invalid',
    code: 'not-found',
    message: `${what} is not there any more`,
  });
