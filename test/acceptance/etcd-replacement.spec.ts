import { describe, expect, it } from 'vitest';
import { findEtcd } from '../support/etcd-process.js';
import { suiteNotRun } from '../support/suite-not-run.js';
import { EtcdBed, NEW_IMAGE, type Drive, type EtcdBedOptions } from './support/etcd-bed.js';
import type { Fate } from './support/etcd-life.js';
import { EtcdWriter, type WriterReport } from './support/etcd-writer.js';

const SUITE = 'replacement of real etcd members';
/** etcd's own check makes members that joined wait 5 s; most stories leave the watching to Fairway alone. */
const LOOSE = ['--strict-reconfig-check=false'];
const done = ({ kind }: { kind: string }): boolean => kind === 'done';

/** Every death at a point once before and once after its effect; what only reads has no effect to tell apart. */
function everyPointOnce(): (call: string, write: boolean) => Fate {
  const visits = new Map<string, number>();
  return (key, write) => {
    const visit = (visits.get(key) ?? 0) + 1;
    visits.set(key, visit);
    if (visit === 1) return 'dies-before';
    return visit === 2 && write ? 'dies-after' : 'lives';
  };
}

/** Real deaths are dear: a process that starts costs seconds. So once each where members, machines or the record of them change. */
const DEADLY = [
  'after updates.recordIntents',
  'after etcd.addMember',
  'after etcd.promoteMember',
  'after etcd.removeMember',
  'after aws.terminateInstance',
];

interface Story extends EtcdBedOptions {
  readonly fateOf?: (call: string, write: boolean) => Fate;
  readonly deadly?: readonly string[];
  readonly limitMs: number;
}

interface Told {
  readonly drive: Drive;
  /** Where processes were ended by SIGKILL. */
  readonly killed: readonly string[];
  readonly written: WriterReport;
  readonly leaderChanges: number;
}

if (findEtcd() === undefined) suiteNotRun(SUITE, 'there is no etcd; install etcd-server');
else
  // Each waits for its turn as well.
  describe.concurrent(SUITE, { timeout: 1_500_000 }, () => {
    // They wait most of their time, for etcd to settle: two at once keep each other company.
    const turns = new Turns(2);

    /** Makes a cluster, writes to it all the time, and lets Fairway replace every machine. */
    async function replaceAll(story: Story): Promise<Told> {
      const leave = await turns.enter();
      const bed = await EtcdBed.open(story);
      try {
        return await tell(bed, story);
      } finally {
        await bed.close();
        leave();
      }
    }

    async function tell(bed: EtcdBed, { fateOf, deadly, limitMs, size, image }: Story): Promise<Told> {
      await bed.drive(done, 240_000);
      const old = [...bed.room.processes.keys()];
      const writer = new EtcdWriter(() => bed.room.endpoints);
      const termBefore = await term(bed);
      const since = bed.world.calls.length;
      bed.nodeImage = NEW_IMAGE;
      const killed = deadly ? await bed.driveProcesses(limitMs, deadly) : [];
      const drive = await bed.drive(done, limitMs, fateOf);
      const leaderChanges = (await term(bed)) - termBefore;
      const written = await writer.stop();
      const etcd = await bed.connect();
      expect((await etcd.members()).members).toHaveLength(size);
      expect(
        [...bed.room.processes.keys()].filter((id) => old.includes(id)),
        'old machines',
      ).toEqual([]);
      expect(bed.terminations(since), 'terminations').toHaveLength(size);
      expect(bed.intents.filter(({ settledAt }) => settledAt === undefined)).toEqual([]);
      expect(bed.room.problems).toEqual([]);
      console.log(
        `${size} ${image}: ${drive.passes} passes, ${drive.deaths.length + killed.length} deaths, ` +
          `${written.acknowledged} writes (${written.perSecond.toFixed(0)}/s), longest ${written.longestWrite} ms, ` +
          `${written.failedTries} tries failed, ${leaderChanges} leader changes`,
      );
      return { drive, killed, written, leaderChanges };
    }

    function expectNobodyNoticed({ written, leaderChanges }: Told): void {
      expect(written.lost, 'acknowledged and lost').toEqual([]);
      // Of 80 that are tried, and without the time in which the writer itself did not come to run.
      expect(written.perSecond).toBeGreaterThan(50);
      expect(written.longestWrite).toBeLessThan(5_000);
      // One leader was replaced: every election and every transfer raises the term by one.
      expect(leaderChanges).toBeLessThanOrEqual(1);
    }

    it('three members, a learner beside each, etcd checking every change too', async () => {
      expectNobodyNoticed(await replaceAll({ size: 3, image: 'waits', limitMs: 400_000 }));
    });

    it('three members, a learner beside each, dying at every call before and after its effect', async () => {
      const told = await replaceAll({
        size: 3,
        image: 'waits',
        flags: LOOSE,
        fateOf: everyPointOnce(),
        limitMs: 400_000,
      });
      expectNobodyNoticed(told);
      expect(told.drive.deaths.length).toBeGreaterThan(60);
    });

    it('three members, a learner beside each, by processes that SIGKILL ends', async () => {
      const told = await replaceAll({
        size: 3,
        image: 'waits',
        flags: LOOSE,
        deadly: DEADLY,
        limitMs: 600_000,
      });
      expectNobodyNoticed(told);
      expect([...told.killed].sort()).toEqual([...DEADLY].sort());
    });

    it('three machines by their group, images that join by themselves, dying at every call', async () => {
      const told = await replaceAll({
        size: 3,
        image: 'joins',
        flags: LOOSE,
        fateOf: everyPointOnce(),
        limitMs: 400_000,
      });
      expectNobodyNoticed(told);
      expect(told.drive.deaths.length).toBeGreaterThan(30);
    });

    it('three machines by their groups, on volumes that outlive them', async () => {
      expectNobodyNoticed(await replaceAll({ size: 3, image: 'volume', limitMs: 400_000 }));
    });

    it('five members, a learner beside each', async () => {
      expectNobodyNoticed(await replaceAll({ size: 5, image: 'waits', flags: LOOSE, limitMs: 400_000 }));
    });
  });

/** So many at a time. */
class Turns {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  async enter(): Promise<() => void> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((go) => this.waiting.push(go));
    return () => {
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    };
  }
}

async function term(bed: EtcdBed): Promise<number> {
  const etcd = await bed.connect();
  const terms = await Promise.all(bed.room.endpoints.map((endpoint) => etcd.status(endpoint)));
  return Math.max(...terms.map(({ raftTerm }) => Number(raftTerm)));
}
