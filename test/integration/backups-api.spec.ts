import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { BackupBed, CLUSTER_ID, items } from '../support/backup-bed.js';
import { runCli, type CliRun } from '../support/cli.js';
import { paperEtcd } from '../support/paper-etcd.js';

describe('backups by API and command line', () => {
  let bed: BackupBed;
  let api: TestApi;
  let home: string;
  beforeAll(async () => {
    bed = await BackupBed.open({ etcd: paperEtcd(20_480) });
    api = await startTestApi({ FAIRWAY_DATABASE_URL: bed.stores.url });
    home = mkdtempSync(join(tmpdir(), 'fairway-home-'));
    await runCli(['login', api.url], { env: { FAIRWAY_HOME: home }, input: api.token });
  });
  afterAll(async () => {
    await api.close();
    await bed.close();
    rmSync(home, { recursive: true, force: true });
  });

  const path = (rest = ''): string => `/api/v1/clusters/kube-1/backups${rest}`;
  const cli = (...args: string[]): Promise<CliRun> =>
    runCli(['backup', ...args], { env: { FAIRWAY_HOME: home } });
  /** A command that waits, while a worker looks. */
  const withWorker = async (run: Promise<CliRun>): Promise<CliRun> => {
    let ended = false;
    void run.finally(() => (ended = true));
    while (!ended) {
      await bed.pass();
      await new Promise((wake) => setTimeout(wake, 250));
    }
    return run;
  };

  it('say what is missing before anything is configured', async () => {
    await bed.configure({});
    const list = await api.send('GET', path());
    expect(list.body).toMatchObject({
      problem: 'no backup is configured (config item backup_providers)',
      backups: [],
    });
    const refused = await api.send('POST', path(), { body: { reason: 'try' } });
    expect([refused.status, refused.text]).toEqual([409, expect.stringContaining('backup-not-configured')]);
    expect((await api.send('GET', path('/restore-plan'))).status).toBe(404);
  });

  it('are made, listed, verified, and planned to be restored', async () => {
    await bed.configure(items(['http://paper:2379'], { backup_drill: 'off', backup_interval: 'off' }));
    const made = await withWorker(cli('create', 'kube-1', '--reason', 'before the storm'));
    expect([made.code, made.stdout]).toEqual([
      0,
      expect.stringMatching(/^etcd \S+ good: revision 7, 3 keys/),
    ]);
    const list = await cli('list', 'kube-1');
    expect([list.code, list.stdout]).toEqual([
      0,
      expect.stringMatching(/^gate open: .*\n\nID +PROVIDER.*\n\S+ +etcd +good/),
    ]);
    const verified = await withWorker(cli('verify', 'kube-1'));
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('intact (read back')]);
    const plan = await cli('restore-plan', 'kube-1');
    expect(plan.stdout).toContain('--name m1 --initial-cluster m1=http://paper:2380');
    expect(plan.stdout).toMatch(
      /aws s3 cp s3:\/\/fairway-backups\/123456789012\/kube-1\/etcd\/\S+\.db snapshot\.db/,
    );
    const [backup] = await bed.backups();
    bed.tamper(backup?.location ?? '', (body) => body.subarray(512));
    const damaged = await withWorker(cli('verify', 'kube-1', backup?.id ?? ''));
    expect([damaged.code, damaged.stdout]).toEqual([4, expect.stringContaining('damaged: ')]);
    const shut = await cli('list', 'kube-1');
    expect([shut.code, shut.stdout]).toEqual([
      4,
      expect.stringContaining('gate shut: etcd: no backup is good'),
    ]);
    const audit = await bed.stores.audit.list(20);
    expect(audit.find(({ action }) => action === 'backup.create-requested')).toMatchObject({
      reason: 'before the storm',
    });
  }, 240_000);

  it('are refused with the field that is wrong, to viewers, and for other clusters', async () => {
    const viewer = await api.tokenFor('viewer');
    const operator = await api.tokenFor('operator');
    expect((await api.send('GET', path(), { token: viewer })).status).toBe(200);
    expect((await api.send('POST', path(), { token: viewer, body: { reason: 'x' } })).status).toBe(403);
    const bad = await api.send('POST', path(), { body: { providers: ['tape'] } });
    expect([bad.status, bad.text]).toEqual([
      400,
      expect.stringMatching(/providers.*reason|reason.*providers/s),
    ]);
    expect((await api.send('POST', path('/verify'), { body: { backup: 'none', reason: 'x' } })).status).toBe(
      404,
    );
    const [backup] = await bed.backups();
    const approve = path(`/${backup?.id}/approve`);
    expect((await api.send('POST', approve, { token: operator, body: { reason: 'x' } })).status).toBe(403);
    const notPartial = await api.send('POST', approve, { body: { reason: 'x' } });
    expect([notPartial.status, notPartial.text]).toEqual([
      409,
      expect.stringContaining('backup-not-partial'),
    ]);
  });

  it('with an exception say who gave it', async () => {
    const lease = await bed.stores.leases.acquire(`backup/${CLUSTER_ID}`, 60_000);
    if (!lease) throw new Error('no lease');
    await bed.stores.backups.recordBackup(lease, {
      id: 'partial-1',
      clusterId: CLUSTER_ID,
      provider: 'velero',
      state: 'partial',
      trigger: 'schedule',
      actor: 'fairway',
      startedAt: bed.clock.now(),
      finishedAt: bed.clock.now(),
      items: 9,
      location: 'velero:velero/fairway-x',
      message: 'PartiallyFailed',
    });
    await bed.stores.leases.release(lease);
    const run = await cli('approve', 'kube-1', 'partial-1', '--reason', 'the rest is a cache');
    expect([run.code, run.stdout]).toEqual([0, expect.stringContaining('counts now, by ')]);
    expect((await api.send('GET', path())).text).toContain('the rest is a cache');
  });
});
