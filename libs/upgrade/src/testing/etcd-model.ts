import { minutes, seconds } from '#kernel';
import { planEtcd } from '../etcd-plan.js';
import { quorumOf } from '../etcd-quorum.js';
import {
  EMPTY_ETCD_MEMORY,
  type EtcdAction,
  type EtcdMemory,
  type EtcdPolicy,
  type EtcdScope,
  type EtcdWay,
} from '../etcd-scope.js';

interface ModelMember {
  readonly id: string;
  name: string;
  readonly peerUrl: string;
  learner: boolean;
  healthy: boolean;
  lag: number;
  instanceId: string;
}

interface ModelMachine {
  readonly instanceId: string;
  readonly outdated: boolean;
  readonly zone: string;
  readonly launchedAt: number;
  leaving: boolean;
  age: number;
  protectedFromScaleIn: boolean;
}

/** How the replacement of a machine becomes a member by itself. */
export type StaticIdentity = 'same' | 'new';

const MODEL_POLICY = {
  maxLag: 100,
  settle: seconds(10),
  unhealthyAfter: minutes(5),
  patience: minutes(15),
} as const;

/** etcd and its auto scaling group, just real enough that a wrong plan loses quorum or never ends. */
export class EtcdModel {
  readonly members: ModelMember[] = [];
  readonly machines: ModelMachine[] = [];
  readonly log: string[] = [];
  readonly alarms: { memberId: string; kind: string }[] = [];
  leader: string;
  leaderChanges = 0;
  leadersReplaced = 0;
  disruptions = 0;
  memory: EtcdMemory = EMPTY_ETCD_MEMORY;
  rebalances = true;
  /** Zones are left as they are before the first machine is touched. */
  private started = false;
  now = 0;
  private desired: number;
  private maxSize: number;
  private next = 1;

  constructor(
    private readonly size: number,
    readonly way: EtcdWay,
    private readonly identity: StaticIdentity,
    private readonly random: () => number,
  ) {
    this.desired = size;
    this.maxSize = size;
    for (let index = 0; index < size; index += 1) {
      const machine = this.launch(true);
      machine.age = 10;
      this.join(machine, false);
    }
    for (const member of this.members) Object.assign(member, { healthy: true, lag: 0 });
    this.leader = this.members[Math.floor(random() * size)]?.id ?? '';
  }

  get policy(): EtcdPolicy {
    return { ...MODEL_POLICY, way: this.way };
  }

  private readonly sickSince = new Map<string, number>();

  private readonly wellSince = new Map<string, number>();

  scope(): EtcdScope {
    for (const member of this.members) {
      if (!member.healthy || member.learner) this.wellSince.delete(member.id);
      else if (!this.wellSince.has(member.id)) this.wellSince.set(member.id, this.now);
      if (member.healthy) this.sickSince.delete(member.id);
      else if (!this.sickSince.has(member.id)) this.sickSince.set(member.id, this.now);
    }
    return {
      members: this.members.map((member) => ({
        id: member.id,
        name: member.name,
        peerUrls: [member.peerUrl],
        learner: member.learner,
        healthy: member.healthy,
        leader: member.id === this.leader,
        ...(member.healthy && { lag: member.lag }),
        ...(this.wellSince.has(member.id) && { wellSince: this.wellSince.get(member.id) as number }),
        ...(!member.healthy && { unhealthySince: this.sickSince.get(member.id) ?? this.now }),
        ...(this.machines.some(({ instanceId }) => instanceId === member.instanceId) && {
          instanceId: member.instanceId,
        }),
      })),
      machines: this.machines.map((machine) => ({
        ...machine,
        group: 'etcd',
        inService: machine.age >= 2 && !machine.leaving,
        peerUrl: `http://${machine.instanceId}:2380`,
      })),
      groups: [
        {
          name: 'etcd',
          desired: this.desired,
          maxSize: this.maxSize,
          rebalances: this.rebalances,
          recentFailures: [],
        },
      ],
      alarms: this.alarms,
    };
  }

  /** One pass; `fate` says whether its process dies at the deed. */
  pass(fate: 'lives' | 'dies-before' | 'dies-after' = 'lives'): string {
    const { decision, memory } = planEtcd(this.scope(), this.memory, this.policy, this.now);
    this.log.push(`${this.now / 1000}s ${JSON.stringify(decision)}`);
    // As the engine does: remembered together with the intent, before the deed.
    this.memory = memory;
    if (decision.kind === 'act' && fate !== 'dies-before') this.apply(decision.action);
    return decision.kind;
  }

  tick(): void {
    this.now += seconds(20);
    for (const machine of [...this.machines]) {
      machine.age += 1;
      if (machine.leaving) this.machines.splice(this.machines.indexOf(machine), 1);
    }
    this.scale();
    for (const machine of this.machines)
      if (machine.age >= 3 && this.way === 'static') this.joinByItself(machine);
    for (const member of this.members) this.progress(member);
    this.elect();
  }

  /** Everybody has been seen well. */
  get calm(): boolean {
    return this.members.every(({ id, healthy }) => healthy && this.wellSince.has(id));
  }

  kill(index: number): void {
    const voters = this.members.filter(({ learner }) => !learner);
    const member = voters[index % voters.length] as ModelMember;
    member.healthy = false;
    this.dead.add(member.id);
    this.elect();
  }

  private readonly dead = new Set<string>();

  hasQuorum(): boolean {
    const voters = this.members.filter(({ learner }) => !learner);
    return voters.filter(({ healthy }) => healthy).length >= quorumOf(voters.length);
  }

  /** Everything is on current machines, as large as before. */
  finished(): boolean {
    const staying = this.machines.filter(({ leaving }) => !leaving);
    return (
      this.members.length === this.size &&
      this.members.every(({ healthy, learner }) => healthy && !learner) &&
      staying.length === this.size &&
      staying.every(({ outdated }) => !outdated) &&
      this.desired === this.size &&
      this.maxSize === this.size &&
      this.rebalances
    );
  }

  private apply(action: EtcdAction): void {
    this.started = true;
    const before = this.hasQuorum();
    this.deed(action);
    this.elect();
    if (before && !this.hasQuorum()) throw new Error(`quorum lost by ${JSON.stringify(action)}`);
  }

  private deed(action: EtcdAction): void {
    switch (action.kind) {
      case 'protect':
        for (const id of action.instanceIds) this.machine(id).protectedFromScaleIn = true;
        return;
      case 'set-size':
        if (action.expected !== this.desired) throw new Error('capacity moved');
        this.desired = action.desired;
        this.maxSize = Math.max(this.maxSize, action.maxSize ?? 0);
        if (this.desired > this.maxSize) throw new Error('above max');
        return;
      case 'suspend-rebalance':
      case 'resume-rebalance':
        this.rebalances = action.kind === 'resume-rebalance';
        return;
      case 'restore-max':
        this.maxSize = action.maxSize;
        return;
      case 'add-learner':
        if (this.members.some(({ peerUrl }) => peerUrl === action.peerUrl)) throw new Error('added twice');
        if (this.members.some(({ learner }) => learner)) throw new Error('too many learners');
        this.join(this.machine(action.instanceId), true);
        return;
      case 'promote':
        this.member(action.memberId).learner = false;
        return;
      case 'move-leader':
        if (action.from !== this.leader || !this.member(action.to).healthy) throw new Error('not leader');
        if (this.now - (this.wellSince.get(action.to) ?? this.now) < MODEL_POLICY.settle)
          throw new Error('fresh heir');
        this.leader = action.to;
        this.leaderChanges += 1;
        this.leadersReplaced += 1;
        return;
      case 'remove-member':
        this.disrupt(action.memberId);
        this.members.splice(this.members.indexOf(this.member(action.memberId)), 1);
        return;
      case 'terminate':
        return this.terminate(action.instanceId, action.decrement);
    }
  }

  private terminate(instanceId: string, decrement: boolean): void {
    const carried = this.members.find((member) => member.instanceId === instanceId);
    if (carried && this.way === 'member') throw new Error(`terminated the machine of ${carried.name}`);
    if (carried) this.disrupt(carried.id);
    this.machine(instanceId).leaving = true;
    if (carried) carried.healthy = false;
    if (carried) this.dead.add(carried.id);
    if (decrement) this.desired -= 1;
  }

  /** A healthy voter goes: nobody else may be away. */
  private disrupt(id: string): void {
    const target = this.member(id);
    if (target.learner) return;
    this.disruptions += 1;
    const away = this.members.filter((member) => !member.learner && !member.healthy && member.id !== id);
    if (target.healthy && away.length > 0) throw new Error(`${target.name} taken away while another is`);
    if (id === this.leader) throw new Error('the leader was taken away');
  }

  private scale(): void {
    const staying = this.machines.filter(({ leaving }) => !leaving);
    if (staying.length < this.desired) this.launch(false);
    else this.rebalance(staying);
    if (staying.length <= this.desired) return;
    const victim = staying.find(({ protectedFromScaleIn }) => !protectedFromScaleIn);
    if (!victim) return;
    if (this.members.some(({ instanceId }) => instanceId === victim.instanceId)) {
      throw new Error('a scale-in took the machine of a member');
    }
    victim.leaving = true;
  }

  /** As AWS does: where one zone has two more machines than another, one is moved. */
  private rebalance(staying: readonly ModelMachine[]): void {
    const inZone = (zone: string): number => staying.filter((machine) => machine.zone === zone).length;
    const victim = staying.find(
      ({ zone, protectedFromScaleIn }) => inZone(zone) >= 2 && !protectedFromScaleIn,
    );
    const empty = ['a', 'b', 'c'].some((zone) => inZone(zone) === 0);
    if (this.rebalances && this.started && empty && victim) victim.leaving = true;
  }

  private joinByItself(machine: ModelMachine): void {
    if (this.members.some(({ instanceId }) => instanceId === machine.instanceId)) return;
    const gone = this.members.find(
      (member) => !this.machines.some(({ instanceId }) => instanceId === member.instanceId),
    );
    if (!gone) return;
    if (this.identity === 'same') {
      gone.instanceId = machine.instanceId;
      this.dead.delete(gone.id);
      return;
    }
    this.members.splice(this.members.indexOf(gone), 1);
    this.join(machine, false);
  }

  private join(machine: ModelMachine, learner: boolean): void {
    const id = String(1000 + this.next++);
    this.members.push({
      id,
      name: learner ? '' : `etcd-${id}`,
      peerUrl: `http://${machine.instanceId}:2380`,
      learner,
      healthy: false,
      lag: 1_000,
      instanceId: machine.instanceId,
    });
  }

  private progress(member: ModelMember): void {
    const machine = this.machines.find(({ instanceId }) => instanceId === member.instanceId);
    if (!machine || machine.leaving) {
      member.healthy = false;
      return;
    }
    if (this.dead.has(member.id)) return;
    if (member.healthy) member.lag = Math.floor(member.lag / 20);
    member.healthy = true;
    if (member.name === '') member.name = `etcd-${member.id}`;
  }

  private elect(): void {
    const leader = this.members.find(({ id }) => id === this.leader);
    if ((leader?.healthy && !leader.learner) || !this.hasQuorum()) return;
    const voters = this.members.filter(({ healthy, learner }) => healthy && !learner);
    this.leader = voters[Math.floor(this.random() * voters.length)]?.id ?? '';
    this.leaderChanges += 1;
  }

  private launch(outdated: boolean): ModelMachine {
    const machine: ModelMachine = {
      instanceId: `i-${this.next++}`,
      outdated,
      zone: 'abc'[this.next % 3] as string,
      launchedAt: outdated ? this.now - minutes(60) : this.now,
      leaving: false,
      age: 0,
      protectedFromScaleIn: false,
    };
    this.machines.push(machine);
    return machine;
  }

  private machine(id: string): ModelMachine {
    const found = this.machines.find(({ instanceId }) => instanceId === id);
    if (!found) throw new Error(`no machine ${id}`);
    return found;
  }

  private member(id: string): ModelMember {
    const found = this.members.find((member) => member.id === id);
    if (!found) throw new Error(`no member ${id}`);
    return found;
  }
}
