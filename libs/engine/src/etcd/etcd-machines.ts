import type { InstanceView, NodeGroupView } from '#fleet';
import { outdated } from '#rolling';
import type { EtcdMember } from '#ports';
import type { EtcdMachine } from '#upgrade';
import type { EtcdSettings } from './etcd-settings.js';

/** An auto scaling group with this tag carries the member of that name, whatever its machine is called. */
const MEMBER_TAG = 'fairway.dev/etcd-member';

export interface SeenMachine extends EtcdMachine {
  readonly view: InstanceView;
  /** Member name by the group's tag. */
  readonly memberName?: string;
}

export function machinesOf(groups: readonly NodeGroupView[], settings: EtcdSettings): readonly SeenMachine[] {
  return groups.flatMap((group) =>
    group.instances.map((view) => {
      const memberName = group.tags[MEMBER_TAG];
      const launched = view.launchedAt === undefined ? Number.NaN : Date.parse(view.launchedAt);
      return {
        instanceId: view.instanceId,
        group: group.groupName,
        zone: view.zone,
        inService: view.lifecycleState === 'InService' && (view.ec2State ?? 'running') === 'running',
        leaving: isLeaving(view),
        outdated: isOutdated(view, group) || settings.replace.includes(view.instanceId),
        protectedFromScaleIn: view.protectedFromScaleIn,
        peerUrl: fill(settings.peerUrl, view) ?? '',
        ...(!Number.isNaN(launched) && { launchedAt: launched }),
        ...(memberName !== undefined && { memberName }),
        view,
      };
    }),
  );
}

const isLeaving = ({ lifecycleState, ec2State }: InstanceView): boolean =>
  /^(Terminat|Detach)/.test(lifecycleState) || ec2State === 'shutting-down' || ec2State === 'terminated';

function isOutdated(view: InstanceView, { launchTemplate, instanceTypes }: NodeGroupView): boolean {
  if (!launchTemplate) return false;
  return outdated(view, { targetVersion: launchTemplate, instanceTypes }).outdated;
}

/** The pattern for one machine; undefined while the machine has not got what it names. */
function fill(pattern: string, view: InstanceView): string | undefined {
  const values: Readonly<Record<string, string | undefined>> = {
    ip: view.privateIp,
    dns: view.privateDnsName,
    instance: view.instanceId,
  };
  let missing = false;
  const filled = pattern.replace(/\{(ip|dns|instance)\}/g, (_, key: string) => {
    missing ||= values[key] === undefined;
    return values[key] ?? '';
  });
  return missing ? undefined : filled;
}

const isPattern = (text: string): boolean => /\{(ip|dns|instance)\}/.test(text);

/** Where to ask first: what is configured, patterns once per machine that serves. */
export function seedEndpoints(settings: EtcdSettings, machines: readonly SeenMachine[]): readonly string[] {
  const seeds = settings.endpoints.flatMap((endpoint) =>
    isPattern(endpoint)
      ? machines.filter(({ leaving }) => !leaving).map(({ view }) => fill(endpoint, view))
      : [endpoint],
  );
  return [...new Set(seeds.filter((seed): seed is string => seed !== undefined))];
}

/** Where one member is asked: by the pattern where its machine is known, else where it says that it is. */
export function endpointOf(
  member: EtcdMember,
  machine: SeenMachine | undefined,
  settings: EtcdSettings,
): string | undefined {
  const pattern = settings.endpoints.find(isPattern);
  const filled = machine && pattern !== undefined ? fill(pattern, machine.view) : undefined;
  return filled ?? member.clientUrls[0];
}

/** The machine of a member: by tag, by name, by the address in its URLs. One that stays before one that goes. */
export function machineOfMember(
  member: EtcdMember,
  machines: readonly SeenMachine[],
): SeenMachine | undefined {
  const hosts = [...member.peerUrls, ...member.clientUrls].flatMap((url) =>
    URL.canParse(url) ? [new URL(url).hostname] : [],
  );
  const fits = ({ view, memberName, instanceId }: SeenMachine): boolean =>
    (memberName !== undefined && memberName === member.name) ||
    instanceId === member.name ||
    [view.privateIp, view.privateDnsName].some((address) => address !== undefined && hosts.includes(address));
  const found = machines.filter(fits);
  return found.find(({ leaving }) => !leaving) ?? found[0];
}
