import { FailureError, toFailure, type Instant } from '#kernel';
import type { NodeGroupView } from '#fleet';
import type { EtcdAccess, EtcdAlarm, EtcdMember, EtcdPort, EtcdStatus } from '#ports';
import type { EtcdScope, EtcdScopeMember } from '#upgrade';
import { endpointOf, machineOfMember, machinesOf, seedEndpoints, type SeenMachine } from './etcd-machines.js';
import type { EtcdSettings } from './etcd-settings.js';

/** Since when members have been what they are, by id. Kept between looks. */
export interface EtcdSeen {
  readonly sick: Readonly<Record<string, Instant>>;
  /** Healthy voters. */
  readonly well: Readonly<Record<string, Instant>>;
}

export interface EtcdObservation {
  readonly scope: EtcdScope;
  readonly port: EtcdPort;
  /** Where each member is asked, by id. */
  readonly endpoints: ReadonlyMap<string, string>;
  readonly statuses: readonly EtcdStatus[];
  readonly seen: EtcdSeen;
}

export interface EtcdSources {
  readonly etcd: EtcdAccess;
  readonly clusterId: string;
  readonly settings: EtcdSettings;
  /** ASGs of the etcd stack; none where the machines are not ours. */
  readonly groups: readonly NodeGroupView[];
  /** Empty at the first look. */
  readonly seen: Partial<EtcdSeen>;
  readonly now: Instant;
}

interface Asked {
  readonly member: EtcdMember;
  readonly endpoint?: string;
  readonly machine?: SeenMachine;
  readonly status?: EtcdStatus;
  readonly healthy: boolean;
  readonly reason?: string;
}

/** The member list, every member's own word, and the machines. Reads only. */
export async function observeEtcd(sources: EtcdSources): Promise<EtcdObservation> {
  const { settings, clusterId } = sources;
  const machines = machinesOf(sources.groups, settings);
  const { serverName } = settings;
  const port = await sources.etcd.connect({
    clusterId,
    endpoints: seedEndpoints(settings, machines),
    ...(serverName !== undefined && { serverName }),
  });
  const answers = await askMembers(port, settings, machines);
  const following = answers.filter(({ status }) => status?.leaderId !== undefined);
  const better = port.withEndpoints(following.length > 0 ? endpointsOf(following) : port.endpoints);
  const alarms = following.length > 0 ? await alarmsOf(better) : [];
  const asked = answers.map((one) => (alarms.length > 0 ? despiteAlarm(one) : one));
  const seen = seenNow(asked, sources);
  return {
    scope: scopeOf(asked, machines, sources.groups, alarms, seen),
    port: better,
    endpoints: new Map(asked.flatMap(({ member, endpoint }) => (endpoint ? [[member.id, endpoint]] : []))),
    statuses: asked.flatMap(({ status }) => status ?? []),
    seen,
  };
}

const endpointsOf = (asked: readonly Asked[]): readonly string[] =>
  asked.flatMap(({ endpoint }) => endpoint ?? []);

/** They are listed through the log: without a quorum there is no answer, and the members' own words must do. */
async function alarmsOf(port: EtcdPort): Promise<readonly EtcdAlarm[]> {
  try {
    return await port.alarms();
  } catch (thrown) {
    if (toFailure(thrown).class !== 'transient') throw thrown;
    return [];
  }
}

/** While any alarm is on, every member calls itself unhealthy: that it follows a leader is what counts then. */
const despiteAlarm = (asked: Asked): Asked =>
  asked.status?.leaderId === undefined || asked.status.memberId !== asked.member.id
    ? asked
    : { ...asked, healthy: true };

/** etcd 3.4 answers the member list from what one member knows: the leader's is the one that counts. */
async function askMembers(
  port: EtcdPort,
  settings: EtcdSettings,
  machines: readonly SeenMachine[],
): Promise<readonly Asked[]> {
  const all = (members: readonly EtcdMember[]): Promise<readonly Asked[]> =>
    Promise.all(members.map((member) => ask(port, member, settings, machines)));
  const { members } = await port.members({ linearizable: false });
  const asked = await all(members);
  const leader = asked.find(({ status }) => status !== undefined && status.leaderId === status.memberId);
  if (!leader?.endpoint) return asked;
  const known = await port.withEndpoints([leader.endpoint]).members({ linearizable: false });
  return JSON.stringify(known.members) === JSON.stringify(members) ? asked : all(known.members);
}

async function ask(
  port: EtcdPort,
  member: EtcdMember,
  settings: EtcdSettings,
  machines: readonly SeenMachine[],
): Promise<Asked> {
  const machine = machineOfMember(member, machines);
  const endpoint = endpointOf(member, machine, settings);
  const base = { member, ...(machine && { machine }) };
  if (endpoint === undefined) return { ...base, healthy: false, reason: 'it has not started yet' };
  const [health, status] = await Promise.all([
    port.health(endpoint),
    port.status(endpoint).catch((thrown: unknown) => reasonOf(thrown)),
  ]);
  if (typeof status === 'string') return { ...base, endpoint, healthy: false, reason: status };
  if (status.memberId !== member.id) {
    return { ...base, endpoint, healthy: false, reason: `another member answers at ${endpoint}` };
  }
  if (status.leaderId === undefined) {
    return { ...base, endpoint, status, healthy: false, reason: 'it knows no leader' };
  }
  // A learner answers nothing that needs the quorum; that it follows a leader is all that can be asked.
  const healthy = member.learner || health.healthy;
  return {
    ...base,
    endpoint,
    status,
    healthy,
    ...(health.reason !== undefined && { reason: health.reason }),
  };
}

const reasonOf = (thrown: unknown): string => {
  if (thrown instanceof FailureError) return thrown.failure.message;
  throw thrown;
};

function seenNow(asked: readonly Asked[], { seen, now }: EtcdSources): EtcdSeen {
  const since = (known: Readonly<Record<string, Instant>> = {}, kept: (one: Asked) => boolean) =>
    Object.fromEntries(asked.filter(kept).map(({ member: { id } }) => [id, known[id] ?? now]));
  return {
    sick: since(seen.sick, ({ healthy }) => !healthy),
    well: since(seen.well, ({ healthy, member }) => healthy && !member.learner),
  };
}

function scopeOf(
  asked: readonly Asked[],
  machines: readonly SeenMachine[],
  groups: readonly NodeGroupView[],
  alarms: readonly EtcdAlarm[],
  seen: EtcdSeen,
): EtcdScope {
  const furthest = asked.reduce((max, { status }) => {
    const index = BigInt(status?.raftIndex ?? 0);
    return index > max ? index : max;
  }, 0n);
  return {
    members: asked.map((one) => scopeMember(one, furthest, seen)),
    machines: machines.map(({ view: _view, memberName: _name, ...machine }) => machine),
    groups: groups.map((group) => ({
      name: group.groupName,
      desired: group.desiredCapacity,
      maxSize: group.maxSize,
      rebalances: !group.suspendedProcesses.includes('AZRebalance'),
      recentFailures: group.recentFailures.map(({ message }) => message),
    })),
    alarms,
  };
}

function scopeMember(asked: Asked, furthest: bigint, seen: EtcdSeen): EtcdScopeMember {
  const { member, status, machine, healthy, reason } = asked;
  const sick = seen.sick[member.id];
  const well = seen.well[member.id];
  return {
    id: member.id,
    name: member.name,
    peerUrls: member.peerUrls,
    learner: member.learner,
    healthy,
    leader: status !== undefined && status.leaderId === member.id,
    ...(!healthy && reason !== undefined && { reason }),
    ...(sick !== undefined && { unhealthySince: sick }),
    ...(well !== undefined && { wellSince: well }),
    ...(status && { lag: Number(furthest - BigInt(status.raftAppliedIndex)) }),
    ...(machine && { instanceId: machine.instanceId }),
  };
}
