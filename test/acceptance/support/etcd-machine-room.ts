import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEtcdAccess } from '#adapters/etcd';
import type { EtcdPort } from '#ports';
import type { AwsWorld, Machine } from '#simulation';
import { EtcdProcess } from '../../support/etcd-process.js';

/**
 * What the image of an etcd machine does when it boots.
 * - `waits` until somebody has put its peer URL into the member list, then joins
 * - `joins` by itself: removes members whose machines are gone, adds itself (as the image of CLM's etcd stack does)
 * - `volume` comes with a data volume and an address that outlive the machine, one per auto scaling group
 */
export type EtcdImage = 'waits' | 'joins' | 'volume';

const SLOT_TAG = 'fairway.dev/etcd-member';
/** No election by accident on a busy machine: leadership here moves because it is moved, or because its holder is killed. */
const CALM = ['--heartbeat-interval', '250', '--election-timeout', '5000'];

export interface MachineRoomOptions {
  readonly world: AwsWorld;
  readonly binary: string;
  readonly image: EtcdImage;
  /** Members that form the cluster; the first machines wait for one another. */
  readonly size: number;
  readonly addressPrefix: string;
  readonly flags?: readonly string[];
}

/** Real etcd processes in the place of what simulated EC2 instances would run. */
export class EtcdMachineRoom {
  readonly processes = new Map<string, EtcdProcess>();
  readonly problems: unknown[] = [];
  private readonly machines = new Map<string, Machine>();
  private readonly access = createEtcdAccess({ credentialsDirectory: '/nonexistent' });
  /** Machines that boot now start no etcd. */
  deaf = false;
  private formed = false;
  private closed = false;

  private constructor(
    private readonly directory: string,
    private readonly options: MachineRoomOptions,
  ) {
    options.world.onMachine({
      booted: (machine) => void this.booted(machine),
      terminating: (machine) => this.gone(machine),
      terminated: (machine) => this.gone(machine),
    });
  }

  static async open(options: MachineRoomOptions): Promise<EtcdMachineRoom> {
    return new EtcdMachineRoom(await mkdtemp(join(tmpdir(), 'fairway-etcd-room-')), options);
  }

  /** Client URLs of what runs. */
  get endpoints(): readonly string[] {
    return [...this.processes.values()].filter(({ running }) => running).map(({ clientUrl }) => clientUrl);
  }

  connect(endpoints: readonly string[] = this.endpoints): Promise<EtcdPort> {
    return this.access.connect({ clusterId: 'room', endpoints });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.access.close();
    await Promise.all([...this.processes.values()].map((process) => process.kill()));
    await rm(this.directory, { recursive: true, force: true });
  }

  private async booted(machine: Machine): Promise<void> {
    if (machine.tags['component'] !== 'etcd-cluster' || this.closed || this.deaf) return;
    this.machines.set(machine.instanceId, machine);
    try {
      if (!this.formed) await this.form();
      else if (this.options.image === 'volume') await this.startOnVolume(machine);
      else await this.join(machine);
    } catch (error) {
      // A machine that is terminated while it joins fails to: nobody's trouble.
      if (!this.closed && this.machines.has(machine.instanceId)) this.problems.push(error);
    }
  }

  private gone(machine: Machine): void {
    this.machines.delete(machine.instanceId);
    void this.processes.get(machine.instanceId)?.kill();
    this.processes.delete(machine.instanceId);
  }

  private async form(): Promise<void> {
    if (this.machines.size < this.options.size) return;
    this.formed = true;
    const members = [...this.machines.values()];
    const initial = members.map((one) => `${this.nameOf(one)}=${this.peerUrl(one)}`).join(',');
    await Promise.all(members.map((one) => this.start(one, initial, 'new')));
  }

  private startOnVolume(machine: Machine): Promise<void> {
    return this.start(machine, `${this.nameOf(machine)}=${this.peerUrl(machine)}`, 'existing');
  }

  private async join(machine: Machine): Promise<void> {
    const own = this.peerUrl(machine);
    while (this.machines.has(machine.instanceId) && !this.closed) {
      const known = await this.membersFor(own).catch(() => undefined);
      if (known?.some((peerUrl) => peerUrl === own)) {
        const etcd = await this.connect();
        const { members } = await etcd.members();
        const initial = members.flatMap(({ name, peerUrls }) =>
          peerUrls.map((url) => `${url === own ? this.nameOf(machine) : name}=${url}`),
        );
        return this.start(machine, initial.join(','), 'existing');
      }
      await new Promise((wake) => setTimeout(wake, 50));
    }
  }

  /** Peer URLs in the member list, after what the image does about it by itself. */
  private async membersFor(own: string): Promise<readonly string[]> {
    const etcd = await this.connect();
    const { members } = await etcd.members();
    const urls = members.flatMap(({ peerUrls }) => peerUrls);
    if (this.options.image === 'waits' || urls.includes(own)) return urls;
    const alive = new Set([...this.machines.values()].map((one) => this.peerUrl(one)));
    for (const { id, peerUrls } of members) {
      if (!peerUrls.some((url) => alive.has(url))) await etcd.removeMember(id);
    }
    await etcd.addMember({ peerUrls: [own], learner: false });
    return [...urls, own];
  }

  private async start(machine: Machine, initialCluster: string, state: 'new' | 'existing'): Promise<void> {
    const process = new EtcdProcess({
      binary: this.options.binary,
      name: this.nameOf(machine),
      clientUrl: `http://${this.addressOf(machine)}:2379`,
      peerUrl: this.peerUrl(machine),
      dataDir: join(this.directory, this.nameOf(machine)),
      initialCluster,
      state,
      flags: [...CALM, ...(this.options.flags ?? [])],
    });
    this.processes.set(machine.instanceId, process);
    await process.start();
  }

  private nameOf(machine: Machine): string {
    return machine.tags[SLOT_TAG] ?? machine.instanceId;
  }

  /** A volume's address stays, as an elastic network interface does. */
  private addressOf(machine: Machine): string {
    const slot = machine.tags[SLOT_TAG];
    return slot === undefined
      ? machine.privateIp
      : `${this.options.addressPrefix}.200.${slot.replace(/\D/g, '')}`;
  }

  private peerUrl(machine: Machine): string {
    return `http://${this.addressOf(machine)}:2380`;
  }
}
