import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FailureError, hours, minutes, seconds } from '#kernel';
import type { BackupRecord } from '#fleet';
import { BackupSlots, reconcileBackups, type EnginePorts } from '#engine';
import { AwsError } from '#simulation';
import { judgeFreshness } from '#upgrade';
import { createRestoreDrill } from '#adapters/etcd';
import { ACCOUNT, BackupBed, BUCKET, CLUSTER_ID, items } from '../support/backup-bed.js';
import { withClient } from '../support/database.js';
import { EtcdTestCluster } from '../support/etcd-server.js';
import { eventually } from '../support/eventually.js';
import { suiteNotRun } from '../support/suite-not-run.js';
import { putKeys } from '../support/etcd-keys.js';
import { paperEtcd } from '../support/paper-etcd.js';

const KEYS = 300;
/** More than one part of 8 MiB, so that uploads have several. */
const FILL = 10;
/** Two parts. */
const SEVERAL_PARTS = 9_000_000;
const SMALL = 20_480;

const SUITE = 'etcd snapshots in S3';
const obstacle = await createRestoreDrill().unavailable();
if (obstacle !== undefined) suiteNotRun(SUITE, `${obstacle}; install etcd-server and etcd-client`);

describe.runIf(obstacle === undefined)(SUITE, () => {
  let etcd: EtcdTestCluster;
  let bed: BackupBed;
  beforeAll(async () => {
    etcd = await EtcdTestCluster.start({ members: 1 });
    const [endpoint = ''] = etcd.endpoints;
    await putKeys(endpoint, KEYS, 100);
  });
  afterAll(() => etcd.close());
  beforeEach(async () => {
    bed = await BackupBed.open();
    return () => bed.close();
  });

  const create = async (): Promise<BackupRecord | undefined> => {
    await bed.ask({ kind: 'create' });
    await bed.pass();
    return (await bed.backups())[0];
  };
  const gate = async (maxAge = minutes(60)) =>
    judgeFreshness({
      standing: (await bed.stores.backups.backupStandings([CLUSTER_ID])).get(CLUSTER_ID),
      now: bed.clock.now(),
      maxAge,
    });

  it('that were cut, changed in one bit or deleted are found by verify, and are no evidence any more', async () => {
    await bed.configure(items(etcd.endpoints, { backup_drill: 'off', backup_interval: 'off' }));
    const verify = async (change: ((body: Buffer) => Buffer) | undefined, drill = false): Promise<string> => {
      const backup = await create();
      if (!backup) throw new Error('no backup');
      if (change) bed.tamper(backup.location, change);
      const request = await bed.ask({ kind: drill ? 'drill' : 'verify', backupId: backup.id });
      await bed.pass();
      const { state } = (await bed.stores.backups.getBackup(backup.id)) ?? {};
      return `${state}: ${await bed.resultOf(request)}`;
    };
    expect(await verify(undefined)).toMatch(/^good: intact \(read back/);
    expect(await verify(undefined, true)).toMatch(/^good: intact \(restored: revision \d+, 300 keys/);
    expect(await verify((body) => body.subarray(0, body.length - 4096))).toMatch(
      /^damaged: damaged: .*it has \d+ bytes, \d+ were stored/,
    );
    const flipped = (body: Buffer): Buffer => {
      body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
      return body;
    };
    expect(await verify(flipped)).toMatch(/^damaged: damaged: .*its SHA-256 is/);
    expect(await verify(flipped, true)).toMatch(/^damaged: damaged: /);
    expect(await gate()).toMatchObject({ open: true });
    const gone = await create();
    bed.aws.objects.delete(ACCOUNT, BUCKET, gone?.location.replace(/^s3:\/\/[^/]+\//, '') ?? '');
    const request = await bed.ask({ kind: 'verify', ...(gone && { backupId: gone.id }) });
    await bed.pass();
    expect(await bed.resultOf(request)).toMatch(/^damaged: .*is not there/);
  }, 180_000);

  it('are read back, restored, and compared with their source; evidence of 59 min opens the gate, of 61 min is renewed', async () => {
    await bed.configure(items(etcd.endpoints));
    await putKeys(etcd.endpoints[0] ?? '', FILL, 900_000, 'big');
    const port = await etcd.connect();
    const source = await port.countKeys();
    const backup = await create();
    expect(backup).toMatchObject({
      state: 'good',
      revision: source.revision,
      items: KEYS + FILL,
      drill: { revision: source.revision, keys: source.keys },
      members: [{ name: 'm1' }],
      message: `revision ${source.revision}, ${KEYS + FILL} keys, restored and compared`,
    });
    expect(bed.stored).toHaveLength(1);
    expect(bed.stored[0]).toMatch(/^123456789012\/kube-1\/etcd\/\d{8}T\d{6}Z-.+\.db$/);
    bed.advance(minutes(59));
    expect(await gate()).toMatchObject({ open: true });
    await bed.pass();
    expect(await bed.backups()).toHaveLength(1);
    bed.advance(minutes(2));
    expect(await gate()).toMatchObject({ open: false, renew: ['etcd'] });
    await bed.pass();
    expect(await gate()).toMatchObject({ open: true });
    expect((await bed.backups()).map(({ trigger, state }) => `${trigger} ${state}`)).toEqual([
      'schedule good',
      'request good',
    ]);
  }, 180_000);
});

describe('snapshots when something goes wrong', () => {
  let bed: BackupBed;
  beforeEach(async () => {
    bed = await BackupBed.open({ etcd: paperEtcd(SEVERAL_PARTS) });
    return () => bed.close();
  });

  const create = async (): Promise<BackupRecord | undefined> => {
    await bed.ask({ kind: 'create' });
    await bed.pass();
    return (await bed.backups())[0];
  };
  const gate = async (maxAge = minutes(60)) =>
    judgeFreshness({
      standing: (await bed.stores.backups.backupStandings([CLUSTER_ID])).get(CLUSTER_ID),
      now: bed.clock.now(),
      maxAge,
    });

  it('leave neither evidence nor objects where S3 fails halfway, at whatever call', async () => {
    await bed.configure(items(['http://paper:2379'], { backup_drill: 'off', backup_interval: 'off' }));
    const broken = new AwsError('InternalError', 'We encountered an internal error.', 500);
    for (const action of ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload', 'GetObject']) {
      const undo = bed.aws.faults.failNext({ service: 's3', action }, broken, 100);
      const backup = await create();
      undo();
      expect(`${action} ${backup?.state}`).toBe(`${action} failed`);
      expect(backup?.message).toContain('InternalError');
      expect([...bed.stored, bed.halfUploads], action).toEqual([0]);
    }
    // The upload was completed, but nobody heard of it.
    bed.aws.faults.dropReplyNext({ service: 's3', action: 'CompleteMultipartUpload' }, 10);
    expect((await create())?.state).toBe('failed');
    expect([...bed.stored, bed.halfUploads]).toEqual([0]);
    expect(await gate()).toMatchObject({ open: false });
    expect((await gate()).reasons[0]).toContain('etcd: no backup is good; the last one:');
  }, 180_000);
});

describe('small snapshots when something goes wrong', () => {
  let bed: BackupBed;
  beforeEach(async () => {
    bed = await BackupBed.open({ etcd: paperEtcd(SMALL) });
    return () => bed.close();
  });
  const create = async (): Promise<BackupRecord | undefined> => {
    await bed.ask({ kind: 'create' });
    await bed.pass();
    return (await bed.backups())[0];
  };

  it('that could not be cleaned up after are cleaned up after by a later pass', async () => {
    await bed.configure(items(['http://paper:2379'], { backup_drill: 'off', backup_interval: 'off' }));
    const broken = new AwsError('InternalError', 'We encountered an internal error.', 500);
    const undo = [
      bed.aws.faults.failNext({ service: 's3', action: 'GetObject' }, broken, 100),
      bed.aws.faults.failNext({ service: 's3', action: 'DeleteObject' }, broken, 100),
    ];
    expect((await create())?.state).toBe('running');
    expect(bed.stored).toHaveLength(1);
    for (const each of undo) each();
    await bed.pass();
    expect((await bed.backups())[0]?.state).toBe('failed');
    expect(bed.stored).toEqual([]);
  }, 180_000);

  it('that a worker left half uploaded are aborted by its successor', async () => {
    await bed.configure(items(['http://paper:2379'], { backup_interval: 'off' }));
    const lease = await bed.stores.leases.acquire(`backup/${CLUSTER_ID}`, minutes(1));
    if (!lease) throw new Error('no lease');
    await bed.stores.backups.recordBackup(lease, {
      id: 'half',
      clusterId: CLUSTER_ID,
      provider: 'etcd',
      state: 'running',
      trigger: 'request',
      actor: 'alice',
      startedAt: bed.clock.now(),
      location: `s3://${BUCKET}/half.db`,
      message: 'begun',
    });
    await bed.stores.leases.release(lease);
    const { uploads } = bed.aws.objects;
    const upload = uploads.begin(ACCOUNT, BUCKET, 'half.db', {});
    uploads.part(ACCOUNT, upload.id, 1, Buffer.alloc(10), undefined);
    uploads.begin(ACCOUNT, BUCKET, 'half.db.of-somebody-else', {});
    await bed.pass();
    expect(await bed.stores.backups.getBackup('half')).toMatchObject({ state: 'failed' });
    expect(uploads.list(ACCOUNT, BUCKET).map(({ key }) => key)).toEqual(['half.db.of-somebody-else']);
  });

  it('are true evidence or none wherever the worker dies', async () => {
    await bed.configure(items(['http://paper:2379'], { backup_drill: 'off', backup_interval: 'off' }));
    let calls = 0;
    for (let fatal = 1; ; fatal += 1) {
      const mortal = new Mortal(bed.ports, fatal);
      await bed.ask({ kind: 'create' });
      await bed.pass(mortal.ports).catch(() => undefined);
      if (!mortal.died) break;
      calls = fatal;
      // The lease of the dead is still held: its successor takes over when it has run out.
      await bed.stores.leases.release(mortal.lease ?? { name: '', token: 0, expiresAt: 0 });
      const evidence = await bed.backups();
      const good = evidence.filter(({ state }) => state === 'good');
      for (const { location } of good)
        expect(
          bed.stored.some((key) => location.endsWith(key)),
          `after call ${fatal}`,
        ).toBe(true);
      await bed.pass();
      const after = await bed.backups();
      expect(
        after.filter(({ state }) => state === 'running'),
        `after call ${fatal}`,
      ).toEqual([]);
      expect(bed.halfUploads).toBe(0);
      expect(bed.stored.length).toBe(after.filter(({ state }) => state === 'good').length);
    }
    expect(calls).toBeGreaterThan(15);
  }, 300_000);

  it('are kept where the drill has no room, and a drill without room speaks against none', async () => {
    const full = createRestoreDrill({ directory: '/nonexistent' });
    const drill = { unavailable: async () => undefined, restore: full.restore };
    await bed.configure(items(['http://paper:2379'], { backup_interval: 'off' }));
    await bed.ask({ kind: 'create' });
    await bed.pass({ drill });
    const [backup] = await bed.backups();
    expect(backup).toMatchObject({
      state: 'good',
      message: expect.stringContaining('not restored: restore drill: '),
    });
    expect(backup?.drill).toBeUndefined();
    const request = await bed.ask({ kind: 'drill' });
    await bed.pass({ drill });
    expect(await bed.resultOf(request)).toMatch(/^failed: restore drill: /);
    expect((await bed.backups())[0]?.state).toBe('good');
    // What speaks against the snapshot itself still ends it.
    const refused = new FailureError({
      class: 'terminal',
      code: 'snapshot-damaged',
      message: 'etcd refuses it',
    });
    const refusing = { ...drill, restore: () => Promise.reject(refused) };
    await bed.ask({ kind: 'create' });
    await bed.pass({ drill: refusing });
    expect((await bed.backups())[0]).toMatchObject({ state: 'failed', message: 'etcd refuses it' });
    expect(bed.stored).toHaveLength(1);
  });

  it('that were found damaged count again when their bytes are back', async () => {
    await bed.configure(items(['http://paper:2379'], { backup_drill: 'off', backup_interval: 'off' }));
    const backup = await create();
    const location = backup?.location ?? '';
    const swap = (body: Buffer): Buffer => body.reverse();
    for (const expected of ['damaged', 'good']) {
      bed.tamper(location, swap);
      await bed.ask({ kind: 'verify', ...(backup && { backupId: backup.id }) });
      await bed.pass();
      expect((await bed.backups())[0]?.state).toBe(expected);
    }
  });

  it('come from a member that has what was committed, and not from one that is cut off', async () => {
    const ports = { etcd: paperEtcd(SMALL, 'http://cut-off:2379') };
    await bed.configure(items(['http://paper:2379'], { backup_drill: 'off', backup_interval: 'off' }));
    await bed.ask({ kind: 'create' });
    await bed.pass(ports);
    expect((await bed.backups())[0]).toMatchObject({ state: 'good', revision: '7' });
  });

  it('keep their lease while a drill is silent for longer than it lasts', async () => {
    await bed.configure(items(['http://paper:2379'], { backup_interval: 'off' }));
    await bed.ask({ kind: 'create' });
    const expiry = async (): Promise<number> =>
      withClient(bed.stores.url, async (client) => {
        const { rows } = await client.query<{ expires_at: Date }>(
          `SELECT expires_at FROM leases WHERE name = 'backup/${CLUSTER_ID}'`,
        );
        return rows[0]?.expires_at.getTime() ?? 0;
      });
    const silent = async (): Promise<never> => {
      const before = await expiry();
      bed.advance(minutes(1));
      await eventually(async () => (await expiry()) > before, 'a longer lease');
      throw new FailureError({ class: 'transient', code: 'drill-failed', message: 'enough' });
    };
    const ports = { ...bed.ports, drill: { unavailable: async () => undefined, restore: silent } };
    await reconcileBackups(ports, { leaseTtl: seconds(4) }, new BackupSlots(), CLUSTER_ID);
    expect((await bed.backups())[0]?.state).toBe('good');
  });

  it('go by retention; what protects a revision that is not soaked stays', async () => {
    await bed.configure(
      items(['http://paper:2379'], {
        backup_drill: 'off',
        backup_interval: '1h',
        backup_retention: '1h=3h,1d=2d',
      }),
    );
    for (let hour = 0; hour < 8; hour += 1) {
      await bed.pass();
      bed.advance(hours(1));
    }
    const states = (await bed.backups()).map(({ state }) => state);
    expect(states.filter((state) => state === 'expired').length).toBeGreaterThanOrEqual(3);
    expect(bed.stored.length).toBe(states.filter((state) => state === 'good').length);
    const held = await bed.stores.backups.backups(CLUSTER_ID, 100, { state: ['good', 'damaged'] });
    expect(held.length).toBe(bed.stored.length);
  }, 180_000);
});

/** A worker whose n-th call to the outside never returns; from then on none leaves it. */
class Mortal {
  died = false;
  lease: Awaited<ReturnType<EnginePorts['leases']['acquire']>>;
  private calls = 0;

  constructor(
    private readonly real: BackupBed['ports'],
    private readonly fatal: number,
  ) {}

  get ports(): Partial<EnginePorts> {
    const { aws, backups, leases, etcd } = this.real;
    return {
      backups: this.guard(backups),
      leases: {
        ...this.guard(leases),
        acquire: async (name, ttl) => (this.lease = await leases.acquire(name, ttl)),
      },
      aws: { connect: async (account, region) => this.guard(await aws.connect(account, region)) },
      ...(etcd && { etcd: { connect: async (address) => this.guard(await etcd.connect(address)) } }),
    };
  }

  private guard<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          if (this.died) throw new Error('dead');
          const result: unknown = await Reflect.apply(member, target, args);
          this.calls += 1;
          if (this.calls >= this.fatal) {
            this.died = true;
            throw new Error('dead');
          }
          return result;
        };
      },
    });
  }
}
