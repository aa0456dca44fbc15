import { fail, type Instant } from '#kernel';
import type { NodeGroupView } from '#fleet';
import type { AwsPort, EtcdAccess } from '#ports';
import { none, unknown, type EtcdMemberView, type EtcdView, type Reading } from '#upgrade';
import { etcdSettings } from '../etcd/etcd-settings.js';
import { observeEtcd, type EtcdObservation } from '../etcd/observe-etcd.js';
import { attempt } from './reading.js';

export interface EtcdQuestion {
  readonly access: EtcdAccess | undefined;
  readonly aws: () => Promise<AwsPort>;
  readonly clusterId: string;
  /** Effective config items; undefined before the first render. */
  readonly items: Readonly<Record<string, string>> | undefined;
  /** Somebody else runs the control plane. */
  readonly hosted: boolean;
  readonly now: Instant;
}

/** Members, each asked by itself; one that does not answer is a sick member, not an unknown etcd. */
export async function readEtcd(question: EtcdQuestion): Promise<Reading<EtcdView>> {
  const { items, hosted, access } = question;
  const settings = items && etcdSettings(items);
  if (settings && !settings.ok) return unknown(settings.error.message);
  if (!settings?.value && hosted) return none('the control plane and its etcd are run by somebody else');
  if (!settings) return unknown('the configuration of the cluster has not been rendered yet');
  if (!settings.value) return unknown('the config item etcd_endpoints does not say where it answers');
  if (!access) return unknown('this worker has no access to etcd');
  const known = settings.value;
  return attempt('etcd', async () => {
    const patterns = known.endpoints.some((endpoint) => endpoint.includes('{'));
    const groups = patterns ? await groupsOf(question) : [];
    const { clusterId, now } = question;
    const seen = await observeEtcd({
      etcd: access,
      clusterId,
      settings: known,
      groups,
      seen: { sick: {}, well: {} },
      now,
    });
    if (seen.scope.members.length === 0) fail(noMembers);
    return viewOf(seen);
  });
}

/** Of the stack that the configuration names; it need not, then every stack of the cluster that is called after etcd. */
async function groupsOf({ items, aws, clusterId }: EtcdQuestion): Promise<readonly NodeGroupView[]> {
  const port = await aws();
  const named = items?.['etcd_stack_name'];
  const stacks =
    named === undefined
      ? (await port.listClusterStacks(clusterId)).filter((name) => name.startsWith('etcd'))
      : [named];
  return (await Promise.all(stacks.map((name) => port.describeStackGroups(name)))).flat();
}

const noMembers = {
  class: 'transient',
  code: 'etcd-no-members',
  message: 'its member list is empty',
} as const;

async function viewOf({ scope, port, endpoints, statuses }: EtcdObservation): Promise<EtcdView> {
  const zones = new Map(scope.machines.map(({ instanceId, zone }) => [instanceId, zone]));
  const views = scope.members.map(async (member): Promise<EtcdMemberView> => {
    const { id, learner, healthy, reason, instanceId } = member;
    const endpoint = endpoints.get(id);
    const status = statuses.find(({ memberId }) => memberId === id);
    // Metrics sharpen the picture where they are served to us.
    const metrics =
      healthy && endpoint !== undefined ? await port.metrics(endpoint).catch(() => undefined) : undefined;
    const zone = instanceId === undefined ? undefined : zones.get(instanceId);
    return {
      name: member.name || id,
      learner,
      healthy,
      ...(reason !== undefined && { reason }),
      ...(zone !== undefined && { zone }),
      ...(status && { version: status.version, dbSizeBytes: status.dbSizeBytes }),
      ...(metrics?.quotaBytes !== undefined && { quotaBytes: metrics.quotaBytes }),
      ...(metrics?.walFsyncP99 !== undefined && { walFsyncP99: metrics.walFsyncP99 }),
    };
  });
  const nameOf = (id: string): string => scope.members.find((one) => one.id === id)?.name || id;
  return {
    members: await Promise.all(views),
    alarms: scope.alarms.map(({ memberId, kind }) => ({ member: nameOf(memberId), kind })),
  };
}
