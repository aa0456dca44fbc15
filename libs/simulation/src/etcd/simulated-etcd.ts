import { createHash } from 'node:crypto';
import { seconds, type Duration } from '#kernel';
import type { Scheduler } from '../time/scheduler.js';
import type { SeededRandom } from '../time/seeded-random.js';
import { refusals } from './etcd-refusal.js';

export interface SimulatedMember {
  readonly id: string;
  name: string;
  peerUrl: string;
  clientUrl: string;
  learner: boolean;
  alive: boolean;
  /** For long enough that etcd lets others in. */
  connected: boolean;
  /** Has the whole log. */
  caughtUp: boolean;
  /** Counts its starts. */
  starts: number;
}

export interface EtcdTimings {
  /** Without a leader after one died. */
  readonly election: Duration;
  /** A learner's start until it has the whole log. */
  readonly catchUp: Duration;
  /** etcd lets no member in while another has been connected for less. */
  readonly connected: Duration;
}

const defaultEtcdTimings: EtcdTimings = {
  election: seconds(2),
  catchUp: seconds(20),
  connected: seconds(5),
};

/** One etcd cluster: members, learners, a leader, a log, a few keys, alarms. Behaves as etcd 3.5 with its strict check. */
export class SimulatedEtcd {
  readonly clusterId: string;
  readonly members: SimulatedMember[] = [];
  readonly keys = new Map<string, string>();
  readonly alarms: { readonly memberId: string; readonly kind: string }[] = [];
  leaderId: string | undefined;
  term = 1;
  index = 4;
  revision = 1;
  /** Times that fewer voters were alive than must agree. */
  quorumLosses = 0;
  private electing = false;
  private readonly timings: EtcdTimings;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: SeededRandom,
    timings: Partial<EtcdTimings> = {},
  ) {
    this.timings = { ...defaultEtcdTimings, ...timings };
    this.clusterId = this.newId();
  }

  /** The first members form the cluster. */
  form(
    members: readonly { readonly name: string; readonly peerUrl: string; readonly clientUrl: string }[],
  ): void {
    for (const { name, peerUrl, clientUrl } of members) {
      const member = { ...this.newMember(peerUrl, false), caughtUp: true };
      this.members.push(member);
      this.run(member, name, clientUrl);
    }
    this.leaderId = this.random.pick(this.members).id;
  }

  find(id: string): SimulatedMember {
    const member = this.members.find((candidate) => candidate.id === id);
    if (!member) throw refusals.memberNotFound();
    return member;
  }

  get voters(): readonly SimulatedMember[] {
    return this.members.filter(({ learner }) => !learner);
  }

  get hasQuorum(): boolean {
    return this.voters.filter(({ alive }) => alive).length > this.voters.length / 2;
  }

  /** What a member knows of the leader. */
  leaderSeenBy(member: SimulatedMember): string | undefined {
    return member.alive && this.hasQuorum ? this.leaderId : undefined;
  }

  add(peerUrl: string, learner: boolean): SimulatedMember {
    this.needQuorum();
    if (this.members.some((member) => member.peerUrl === peerUrl)) throw refusals.peerUrlExists();
    if (learner && this.members.some((member) => member.learner)) throw refusals.tooManyLearners();
    if (this.voters.some(({ alive, connected }) => !alive || !connected)) throw refusals.unhealthy();
    const member = this.newMember(peerUrl, learner);
    this.members.push(member);
    this.commit();
    return member;
  }

  promote(id: string): void {
    this.needQuorum();
    const member = this.find(id);
    if (!member.learner) throw refusals.notLearner();
    if (!member.alive || this.lagOf(member) > 0) throw refusals.notInSync();
    member.learner = false;
    this.commit();
  }

  remove(id: string): void {
    const member = this.find(id);
    const others = this.voters.filter((voter) => voter !== member);
    if (!this.hasQuorum) throw refusals.unhealthy();
    if (others.length > 0 && others.filter(({ alive }) => alive).length <= others.length / 2)
      throw refusals.unhealthy();
    this.members.splice(this.members.indexOf(member), 1);
    this.commit();
    this.watchLeader();
  }

  update(id: string, peerUrl: string): void {
    this.needQuorum();
    this.find(id).peerUrl = peerUrl;
    this.commit();
  }

  moveLeader(asked: SimulatedMember, to: string): void {
    if (asked.id !== this.leaderId) throw refusals.notLeader();
    const heir = this.members.find(({ id }) => id === to);
    if (!heir || heir.learner) throw refusals.badTransferee();
    if (!heir.alive) throw refusals.timedOut();
    this.leaderId = to;
    this.term += 1;
  }

  put(key: string, value: string): void {
    this.needQuorum();
    if (this.alarms.some(({ kind }) => kind === 'NOSPACE')) throw refusals.noSpace();
    this.keys.set(key, value);
    this.revision += 1;
    this.commit();
  }

  /** A member's process starts on its machine, or comes back. */
  start(member: SimulatedMember, name: string, clientUrl: string): void {
    this.run(member, name, clientUrl);
    this.watchLeader();
  }

  stop(member: SimulatedMember): void {
    if (!member.alive) return;
    const before = this.hasQuorum;
    Object.assign(member, { alive: false, connected: false });
    if (before && !this.hasQuorum) this.quorumLosses += 1;
    this.watchLeader();
  }

  /** Entries that a member has yet to apply: all or none. */
  lagOf(member: SimulatedMember): number {
    return member.caughtUp ? 0 : this.index;
  }

  get sizeBytes(): number {
    let bytes = 20_480;
    for (const [key, value] of this.keys) bytes += key.length + value.length + 64;
    return bytes;
  }

  hash(): number {
    const sum = createHash('sha256');
    for (const key of [...this.keys.keys()].sort()) sum.update(`${key}\0${this.keys.get(key)}\0`);
    return sum.digest().readUInt32BE(0);
  }

  needQuorum(): void {
    if (!this.hasQuorum || this.leaderId === undefined) throw refusals.timedOut();
  }

  private commit(): void {
    this.index += 1;
  }

  /** A leader that is gone is followed by another one after an election. */
  private watchLeader(): void {
    const leader = this.members.find(({ id }) => id === this.leaderId);
    if (leader?.alive && !leader.learner) return;
    this.leaderId = undefined;
    if (this.electing) return;
    this.electing = true;
    this.scheduler.after(this.timings.election, () => {
      this.electing = false;
      const electable = this.voters.filter(({ alive }) => alive);
      if (!this.hasQuorum || electable.length === 0 || this.leaderId !== undefined) return;
      this.leaderId = this.random.pick(electable).id;
      this.term += 1;
    });
  }

  /** Time is what the scheduler makes of it: nothing here compares clocks. */
  private run(member: SimulatedMember, name: string, clientUrl: string): void {
    const starts = member.starts + 1;
    Object.assign(member, { name, clientUrl, alive: true, starts });
    const later = (delay: Duration, then: () => void): void => {
      this.scheduler.after(delay, () => {
        if (member.alive && member.starts === starts) then();
      });
    };
    later(this.timings.connected, () => (member.connected = true));
    later(this.timings.catchUp, () => (member.caughtUp = true));
  }

  private newMember(peerUrl: string, learner: boolean): SimulatedMember {
    const idle = { name: '', clientUrl: '', alive: false, connected: false, caughtUp: false, starts: 0 };
    return { ...idle, id: this.newId(), peerUrl, learner };
  }

  private newId(): string {
    return BigInt(`0x${this.random.hex(15)}1`).toString();
  }
}
