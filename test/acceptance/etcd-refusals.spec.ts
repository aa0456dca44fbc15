import { afterEach, describe, expect, it } from 'vitest';
import type { Outcome } from '#kernel';
import { findEtcd } from '../support/etcd-process.js';
import { eventually } from '../support/eventually.js';
import { suiteNotRun } from '../support/suite-not-run.js';
import { EtcdBed, NEW_IMAGE, type EtcdBedOptions } from './support/etcd-bed.js';
import { post } from './support/etcd-writer.js';

const SUITE = 'real etcd that may not be touched';
const LOOSE = ['--strict-reconfig-check=false'];
const done = ({ kind }: Outcome): boolean => kind === 'done';
const blocked = ({ kind }: Outcome): boolean => kind === 'blocked';
const wordsOf = (outcome: Outcome): string =>
  outcome.kind === 'blocked' ? `${outcome.by}. ${outcome.unblock}` : outcome.kind;

if (findEtcd() === undefined) suiteNotRun(SUITE, 'there is no etcd; install etcd-server');
else
  describe(SUITE, () => {
    let bed: EtcdBed;
    afterEach(() => bed.close());

    async function open(options: EtcdBedOptions): Promise<void> {
      bed = await EtcdBed.open({ flags: LOOSE, ...options });
      await bed.drive(done, 240_000);
    }

    async function followers(): Promise<readonly string[]> {
      const etcd = await bed.connect();
      const { leaderId } = await etcd.status(bed.room.endpoints[0] ?? '');
      expect(leaderId).toBeDefined();
      const { members } = await etcd.members();
      return members.filter(({ id }) => id !== leaderId).map(({ name }) => name);
    }

    it('one member dead: only it is replaced; the other that was asked for is refused, with the projection', async () => {
      await open({ size: 3, image: 'waits', items: { etcd_unhealthy_after: '3s' } });
      // No leader: an election takes longer here than a member may be away.
      const [dead = '', wished = ''] = await followers();
      await bed.room.processes.get(dead)?.kill();
      bed.items = { ...bed.items, etcd_replace: wished };
      const since = bed.world.calls.length;
      const refused = await bed.drive(blocked, 240_000);
      expect(wordsOf(refused.outcome)).toMatch(new RegExp(`member ${dead} is unhealthy`));
      const [problem] = refused.report.problems;
      expect(problem?.type).toMatch(/etcd-replacement-refused$/);
      expect(problem?.detail).toContain(wished);
      expect(problem?.detail).toMatch(
        /would leave 1 healthy of 2 voters, quorum is 2: etcd would stop taking writes/,
      );
      expect(problem?.detail).toContain(`only ${dead} may be replaced now`);
      expect(bed.terminations(since)).toEqual([]);
      await bed.drive(done, 240_000);
      const gone = bed.terminations(since).map(({ params }) => (params as { InstanceId: string }).InstanceId);
      expect(gone, 'the dead one first, then the one that was asked for').toEqual([dead, wished]);
      expect((await (await bed.connect()).members()).members).toHaveLength(3);
    });

    it('alarms, and a learner that is not ours', async () => {
      await open({ size: 3, image: 'waits' });
      bed.nodeImage = NEW_IMAGE;
      const etcd = await bed.connect();
      const [endpoint = ''] = bed.room.endpoints;
      const { memberId } = await etcd.status(endpoint);
      for (const [kind, says] of [
        ['NOSPACE', /alarm NOSPACE on i-\w+: its database is full.*Compact and defragment/],
        ['CORRUPT', /alarm CORRUPT on i-\w+: its data differ.*Compare the hashes/],
      ] as const) {
        await post(endpoint, '/v3/maintenance/alarm', {
          action: 'ACTIVATE',
          memberID: memberId,
          alarm: kind,
        });
        expect(wordsOf((await bed.drive(blocked, 240_000)).outcome)).toMatch(says);
        await etcd.disarm({ memberId, kind });
        await eventually(async () => (await etcd.alarms()).length === 0, 'no alarm');
      }
      await etcd.addMember({ peerUrls: ['http://127.0.0.1:9'], learner: true });
      const { outcome } = await bed.drive(blocked, 240_000);
      expect(wordsOf(outcome)).toMatch(/is a learner that somebody else added.*etcdctl member remove/);
      expect(bed.terminations()).toEqual([]);
      expect((await etcd.members()).members.filter(({ learner }) => !learner)).toHaveLength(3);
    });

    it('a learner of ours that is stuck is told of, and its voters stay untouched', async () => {
      await open({ size: 3, image: 'waits', items: { etcd_patience: '2s' } });
      bed.room.deaf = true;
      bed.nodeImage = NEW_IMAGE;
      const { outcome } = await bed.drive((one) => /learner/.test(wordsOf(one)), 240_000);
      expect(wordsOf(outcome)).toMatch(
        /waiting for learner \w+ to catch up since .*(ECONNREFUSED|it has not started yet).*The learner is stuck: look at etcd's log on i-\w+.*etcdctl member remove/,
      );
      expect(bed.terminations()).toEqual([]);
      expect((await (await bed.connect()).members()).members).toHaveLength(4);
    });

    it('an even number of members', async () => {
      await open({ size: 4, image: 'waits' });
      bed.nodeImage = NEW_IMAGE;
      const { outcome } = await bed.drive(blocked, 240_000);
      expect(wordsOf(outcome)).toMatch(/4 voters are an even number: they tolerate 1 failures, as 3 do/);
      expect(bed.terminations()).toEqual([]);
    });
  });
