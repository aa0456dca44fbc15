import type { Clock } from '#kernel';
import { isMasterProfile, type BackupStanding, type Cluster, type KubernetesObject } from '#fleet';
import type { AwsPort, EtcdAccess, KubernetesPort } from '#ports';
import { none, read, unknown, type DoctorObservation, type Reading } from '#upgrade';
import { aggregatedApisAmong, readWebhookObjects, readWebhooks } from './admission.js';
import { backupFacts } from './backup-facts.js';
import { ofAggregatedApis, ofConnection, ofWebhooks } from './certificate-facts.js';
import { readEtcd } from './etcd-facts.js';
import { readLeaderLeases, type Pause } from './leader-leases.js';
import { attempt, derive } from './reading.js';
import { readRemovedApis } from './removed-apis.js';
import { componentsAmong, proxiesAmong } from './system-pods.js';
import { terminatingAmong, workloadsOf } from './workload-facts.js';

/** Everything that is asked. All of it only reads. */
export interface DoctorSources {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly pause: Pause;
  /** Rejects where there are no credentials. */
  readonly kubernetes: () => Promise<KubernetesPort>;
  readonly aws: () => Promise<AwsPort>;
  readonly etcd?: EtcdAccess;
  readonly backups: () => Promise<BackupStanding | undefined>;
  /** Effective config items; undefined before the first render. */
  readonly items?: Readonly<Record<string, string>>;
}

type KubernetesFacts = Omit<
  DoctorObservation,
  'now' | 'masterPools' | 'groups' | 'etcd' | 'backups' | 'target'
>;

/** One look at everything at once. Never rejects: what cannot be read says why. */
export async function observeForDoctor(sources: DoctorSources): Promise<DoctorObservation> {
  const { cluster, clock, items } = sources;
  const now = clock.now();
  const masterPools = cluster.nodePools
    .filter(({ profile }) => isMasterProfile(profile))
    .map(({ name }) => name);
  const hosted = masterPools.length === 0;
  const [facts, groups, etcd, standing] = await Promise.all([
    kubernetesFacts(sources, hosted),
    attempt('auto scaling groups', async () => (await sources.aws()).describeNodeGroups(cluster.id)),
    readEtcd({ access: sources.etcd, aws: sources.aws, clusterId: cluster.id, items, hosted, now }),
    attempt('backups', sources.backups),
  ]);
  return {
    now,
    masterPools,
    ...facts,
    groups,
    etcd,
    backups: standing.state === 'read' ? backupFacts(items, standing.value) : standing,
  };
}

async function kubernetesFacts(sources: DoctorSources, hosted: boolean): Promise<KubernetesFacts> {
  const { apiServerUrl: url } = sources.cluster;
  const port = await attempt('the API server', sources.kubernetes);
  if (port.state !== 'read') return dark(port, port);
  const api = await attempt('the API server', async () => ({ url, ready: await port.value.ready() }));
  if (api.state !== 'read') return dark(api, api);
  if (!api.value.ready) return dark(api, unknown(`the API server at ${url} does not answer /readyz`));
  return { api, ...(await bright(port.value, sources, hosted)) };
}

/** Asking an API server that is away costs a time limit for every question: nothing more is asked. */
function dark(api: DoctorObservation['api'] | Reading<never>, why: Reading<unknown>): KubernetesFacts {
  const nothing: Reading<never> = unknown(why.state === 'read' ? '' : why.why);
  return {
    api: api as DoctorObservation['api'],
    serverVersion: nothing,
    components: nothing,
    proxies: nothing,
    nodes: nothing,
    leases: nothing,
    removedApis: nothing,
    certificates: nothing,
    pdbs: nothing,
    workloads: nothing,
    webhooks: nothing,
    aggregatedApis: nothing,
    terminating: nothing,
  };
}

async function bright(
  port: KubernetesPort,
  { clock, pause }: DoctorSources,
  hosted: boolean,
): Promise<Omit<KubernetesFacts, 'api'>> {
  const version = attempt('version', () => port.serverVersion());
  const [serverVersion, pods, nodes, leases, pdbs, workloads, terminating, admission, removedApis] =
    await Promise.all([
      version,
      attempt('pods of kube-system', () =>
        port.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: 'kube-system' }),
      ),
      attempt('nodes', () => port.listNodes()),
      attempt('leases of kube-system', () => readLeaderLeases(port, clock, pause)),
      attempt('PodDisruptionBudgets', () => port.listPdbs()),
      attempt('workloads', () => readWorkloads(port)),
      attempt('namespaces', () => port.list({ apiVersion: 'v1', kind: 'Namespace' })),
      readAdmission(port),
      version.then((known) =>
        known.state === 'read' ? attempt('deprecated APIs', () => readRemovedApis(port, known.value)) : known,
      ),
    ]);
  return {
    serverVersion,
    nodes,
    leases: derive(leases, (led) => led.leases),
    ...(leases.state === 'read' &&
      leases.value.clusterNow !== undefined && { clusterNow: leases.value.clusterNow }),
    pdbs,
    workloads,
    removedApis,
    ...admission,
    components: hosted ? none('somebody else runs the control plane') : derive(pods, componentsAmong),
    proxies: derive(pods, proxiesAmong),
    terminating: derive(terminating, terminatingAmong),
  };
}

async function readWorkloads(port: KubernetesPort) {
  const [deployments, statefulSets] = await Promise.all(
    ['Deployment', 'StatefulSet'].map((kind) => port.list({ apiVersion: 'apps/v1', kind })),
  );
  return workloadsOf(deployments ?? [], statefulSets ?? []);
}

async function readAdmission(
  port: KubernetesPort,
): Promise<Pick<KubernetesFacts, 'webhooks' | 'aggregatedApis' | 'certificates'>> {
  const [hooks, services, connection] = await Promise.all([
    attempt('webhook configurations', () => readWebhookObjects(port)),
    attempt('APIServices', () => port.list({ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService' })),
    attempt('certificates', () => port.certificates()),
  ]);
  const webhooks =
    hooks.state === 'read' ? await attempt('webhooks', () => readWebhooks(port, hooks.value)) : hooks;
  const parts = [
    derive(connection, ofConnection),
    derive(hooks, ofWebhooks),
    derive(services, ofAggregatedApis),
  ];
  return {
    webhooks,
    aggregatedApis: derive(services, (objects: readonly KubernetesObject[]) => aggregatedApisAmong(objects)),
    certificates: parts.find(({ state }) => state !== 'read') ?? read(parts.flatMap(valueOf)),
  };
}

const valueOf = <T>(reading: Reading<readonly T[]>): readonly T[] =>
  reading.state === 'read' ? reading.value : [];
