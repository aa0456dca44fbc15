import { seconds } from '#kernel';
import type { AwsWorld } from '../aws/aws-world.js';
import type { Machine } from '../aws/machine.js';
import type { Scheduler } from '../time/scheduler.js';
import type { SeededRandom } from '../time/seeded-random.js';
import { EtcdRefusal } from './etcd-refusal.js';
import { SimulatedEtcd, type SimulatedMember } from './simulated-etcd.js';

const COMPONENT = 'etcd-cluster';
const STACK_TAG = 'aws:cloudformation:stack-name';
const LOOK_AGAIN = seconds(2);

export const isEtcdMachine = (machine: Pick<Machine, 'tags'>): boolean =>
  machine.tags['component'] === COMPONENT;

interface Place {
  readonly etcd: SimulatedEtcd;
  readonly machines: Map<string, Machine>;
  formed: boolean;
}

/**
 * The etcd clusters of an estate, one per stack. Their machines do what an image for etcd does: the first ones form the
 * cluster; later ones wait until their peer URL is in the member list. With `ETCD_JOIN=self` in the user data they put
 * it there themselves and remove members whose machines are gone, as the image of CLM's etcd stack does.
 */
export class EtcdMachines {
  private readonly places = new Map<string, Place>();
  private readonly homes = new Map<string, Place>();
  /** Set once the gateway listens: members advertise it. */
  gatewayUrl = 'http://127.0.0.1';

  constructor(
    private readonly aws: AwsWorld,
    private readonly scheduler: Scheduler,
    private readonly random: SeededRandom,
  ) {}

  clusters(): readonly SimulatedEtcd[] {
    return [...this.places.values()].map(({ etcd }) => etcd);
  }

  /** The member that answers on a machine; undefined where none does. */
  at(instanceId: string): { readonly etcd: SimulatedEtcd; readonly member: SimulatedMember } | undefined {
    const place = this.homes.get(instanceId);
    const member = place?.etcd.members.find(({ name }) => name === instanceId);
    return place && member?.alive ? { etcd: place.etcd, member } : undefined;
  }

  booted(machine: Machine): void {
    const place = this.placeOf(machine);
    place.machines.set(machine.instanceId, machine);
    this.homes.set(machine.instanceId, place);
    if (place.formed) this.join(place, machine);
    else this.form(place, machine);
  }

  gone(machine: Machine): void {
    const place = this.homes.get(machine.instanceId);
    const member = place?.etcd.members.find(({ name }) => name === machine.instanceId);
    if (place && member) place.etcd.stop(member);
    place?.machines.delete(machine.instanceId);
    this.homes.delete(machine.instanceId);
  }

  private placeOf({ account, region, tags }: Machine): Place {
    const key = `${account}/${region}/${tags[STACK_TAG] ?? ''}`;
    let place = this.places.get(key);
    if (!place) {
      place = {
        etcd: new SimulatedEtcd(this.scheduler, this.random.fork(key)),
        machines: new Map(),
        formed: false,
      };
      this.places.set(key, place);
    }
    return place;
  }

  private form(place: Place, { account, region, autoScalingGroup }: Machine): void {
    const { autoScaling } = this.aws.region(account, region);
    const group = autoScalingGroup === undefined ? undefined : autoScaling.get(autoScalingGroup);
    if (place.machines.size < (group?.desiredCapacity ?? 1)) return;
    place.formed = true;
    place.etcd.form(
      [...place.machines.values()].map((machine) => ({
        name: machine.instanceId,
        peerUrl: peerUrlOf(machine),
        clientUrl: this.clientUrlOf(machine),
      })),
    );
  }

  private join(place: Place, machine: Machine): void {
    if (!place.machines.has(machine.instanceId)) return;
    const { etcd } = place;
    if (machine.userData.includes('ETCD_JOIN=self')) this.joinBySelf(place, machine);
    const member = etcd.members.find(({ peerUrl }) => peerUrl === peerUrlOf(machine));
    if (member) etcd.start(member, machine.instanceId, this.clientUrlOf(machine));
    else this.scheduler.after(LOOK_AGAIN, () => this.join(place, machine));
  }

  private joinBySelf({ etcd, machines }: Place, machine: Machine): void {
    try {
      for (const { id, name, alive } of [...etcd.members]) {
        if (!alive && name !== '' && !machines.has(name)) etcd.remove(id);
      }
      if (!etcd.members.some(({ peerUrl }) => peerUrl === peerUrlOf(machine))) {
        etcd.add(peerUrlOf(machine), false);
      }
    } catch (refused) {
      // Not yet: the machine tries again.
      if (!(refused instanceof EtcdRefusal)) throw refused;
    }
  }

  private clientUrlOf({ instanceId }: Machine): string {
    return `${this.gatewayUrl}/${instanceId}`;
  }
}

const peerUrlOf = ({ privateIp }: Machine): string => `http://${privateIp}:2380`;
