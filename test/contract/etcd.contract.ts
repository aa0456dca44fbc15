import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FailureError } from '#kernel';
import type { EtcdPort } from '#ports';
import { eventually } from '../support/eventually.js';

/** One etcd cluster of three members, real or simulated. */
export interface EtcdContractSubject {
  readonly port: EtcdPort;
  /** A peer URL at which a learner may be added; nobody listens there. */
  readonly idlePeerUrl: string;
  put(key: string, value: string): Promise<void>;
  kill(endpoint: string): Promise<void>;
}

const failureOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no failure',
    (thrown: unknown) => (thrown instanceof FailureError ? thrown.failure.code : String(thrown)),
  );

/** What the engine relies on. Ends with members dead: the subject is used once. */
export function etcdContract(name: string, subject: () => EtcdContractSubject): void {
  describe(`etcd: ${name}`, () => {
    it('lists the members as every endpoint knows them', async () => {
      const { port } = subject();
      const lists = await Promise.all(port.endpoints.map((one) => port.withEndpoints([one]).members()));
      for (const list of lists) expect(list).toEqual(lists[0]);
      expect(lists[0]?.members).toHaveLength(3);
      for (const member of lists[0]?.members ?? []) {
        expect(member.id).toMatch(/^[1-9]\d+$/);
        expect(member.learner).toBe(false);
        expect(port.endpoints).toContain(member.clientUrls[0]);
      }
    });

    it('tells one leader, versions, sizes and revisions that grow', async () => {
      const { port, put } = subject();
      const statuses = async () => Promise.all(port.endpoints.map((one) => port.status(one)));
      const before = await statuses();
      expect(new Set(before.map(({ leaderId }) => leaderId)).size).toBe(1);
      expect(before.map(({ memberId }) => memberId)).toContain(before[0]?.leaderId);
      await put('contract/a', 'b');
      await eventually(async () => {
        const after = await statuses();
        return after.every(({ revision }, at) => BigInt(revision) > BigInt(before[at]?.revision ?? 0));
      }, 'the revision to grow everywhere');
      for (const status of before) {
        expect(status).toMatchObject({ learner: false, errors: [], version: expect.stringMatching(/^3\./) });
        expect(status.dbSizeBytes).toBeGreaterThanOrEqual(status.dbSizeInUseBytes);
        expect(BigInt(status.raftIndex)).toBeGreaterThanOrEqual(BigInt(status.raftAppliedIndex));
      }
    });

    it('is healthy, and has metrics', async () => {
      const { port } = subject();
      for (const endpoint of port.endpoints) {
        expect(await port.health(endpoint)).toEqual({ endpoint, healthy: true });
        const metrics = await port.metrics(endpoint);
        expect(metrics).toMatchObject({ endpoint, hasLeader: true });
        expect(metrics.quotaBytes).toBeGreaterThan(1_000_000);
      }
    });

    it('counts keys, and hashes alike on members at the same revision', async () => {
      const { port, put } = subject();
      const before = await port.countKeys();
      await put('contract/b', '1');
      await put('contract/b', '2');
      const after = await port.countKeys();
      expect(after.keys - before.keys).toBe(1);
      expect(BigInt(after.revision) - BigInt(before.revision)).toBe(2n);
      // Whichever member is asked: it has what was acknowledged before.
      for (const endpoint of port.endpoints)
        expect(await port.countKeys({ endpoint, linearizable: true })).toEqual(after);
      await eventually(async () => {
        const hashes = await Promise.all(port.endpoints.map((one) => port.hashKv(one, after.revision)));
        return new Set(hashes.map(({ hash, compactRevision }) => `${hash}/${compactRevision}`)).size === 1;
      }, 'equal hashes');
    });

    it('streams a snapshot that carries its own SHA-256', async () => {
      const { port } = subject();
      const { chunks } = await port.snapshot();
      const bytes: Uint8Array[] = [];
      for await (const chunk of chunks) bytes.push(chunk);
      const all = Buffer.concat(bytes);
      const data = all.subarray(0, -32);
      expect(data.length % 4096).toBe(0);
      expect(all.subarray(-32).equals(createHash('sha256').update(data).digest())).toBe(true);
    });

    it('lets a snapshot be given up in the middle', async () => {
      const { port } = subject();
      const { chunks } = await port.snapshot();
      for await (const chunk of chunks) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect((await port.members()).members).toHaveLength(3);
    });

    it('moves leadership, and only the leader does', async () => {
      const { port } = subject();
      const statuses = await Promise.all(port.endpoints.map((one) => port.status(one)));
      const leader = statuses.find(({ memberId, leaderId }) => memberId === leaderId);
      const heir = statuses.find(({ memberId, leaderId }) => memberId !== leaderId);
      expect(await failureOf(port.moveLeader({ endpoint: heir?.endpoint ?? '' }, heir?.memberId ?? ''))).toBe(
        'etcd-not-leader',
      );
      expect(await failureOf(port.moveLeader({ endpoint: leader?.endpoint ?? '' }, '77'))).toBe(
        'etcd-bad-transferee',
      );
      await port.moveLeader({ endpoint: leader?.endpoint ?? '' }, heir?.memberId ?? '');
      await eventually(
        async () => (await port.status(leader?.endpoint ?? '')).leaderId === heir?.memberId,
        'the heir to lead',
      );
    });

    it('has no alarm, and disarms what is not there', async () => {
      const { port } = subject();
      expect(await port.alarms()).toEqual([]);
      expect(await port.disarm()).toEqual([]);
    });

    it('adds one learner, once, does not promote it before it is in sync, and removes it', async () => {
      const { port, idlePeerUrl } = subject();
      const add = (): Promise<unknown> => port.addMember({ peerUrls: [idlePeerUrl], learner: true });
      // etcd refuses while any member has been connected for less than 5 s.
      await eventually(
        () =>
          add().then(
            () => true,
            (thrown: unknown) =>
              failureCode(thrown) === 'etcd-unhealthy-cluster' ? false : Promise.reject(thrown),
          ),
        'the learner to be added',
      );
      const { members } = await port.members();
      const learner = members.find((member) => member.learner);
      expect(learner).toMatchObject({ name: '', peerUrls: [idlePeerUrl], clientUrls: [] });
      const id = learner?.id ?? '';
      expect(['etcd-member-exists', 'etcd-peer-url-exists']).toContain(await failureOf(add()));
      const second = port.addMember({ peerUrls: ['http://127.0.0.1:9'], learner: true });
      expect(await failureOf(second)).toBe('etcd-too-many-learners');
      expect(await failureOf(port.promoteMember(id))).toBe('etcd-learner-not-ready');
      const voter = members.find((member) => !member.learner);
      expect(await failureOf(port.promoteMember(voter?.id ?? ''))).toBe('etcd-not-learner');
      expect(await failureOf(port.removeMember('42'))).toBe('etcd-member-not-found');
      expect((await port.removeMember(id)).members).toHaveLength(3);
      expect(await failureOf(port.removeMember(id))).toBe('etcd-member-not-found');
    });

    it('goes on with one member dead, and says so of that one', async () => {
      const { port, kill, put } = subject();
      const victim = port.endpoints[0] ?? '';
      await kill(victim);
      expect(await failureOf(port.status(victim))).toBe('etcd-unreachable');
      expect(await port.health(victim)).toMatchObject({ healthy: false });
      await eventually(() => put('contract/c', '1').then(() => true), 'a write without it');
      expect((await port.members()).members).toHaveLength(3);
    });

    it('without a quorum no change is made, and nobody is healthy', async () => {
      const { port, kill } = subject();
      await kill(port.endpoints[1] ?? '');
      const last = port.endpoints[2] ?? '';
      await eventually(async () => !(await port.health(last)).healthy, 'the last one to be unhealthy');
      const { members } = await port.members({ linearizable: false });
      const code = await failureOf(port.removeMember(members[0]?.id ?? ''));
      expect(['etcd-unhealthy-cluster', 'etcd-timeout', 'etcd-no-leader']).toContain(code);
      await kill(last);
      expect(await failureOf(port.members())).toBe('etcd-unreachable');
    });
  });
}

const failureCode = (thrown: unknown): string => (thrown instanceof FailureError ? thrown.failure.code : '');
