import { beforeEach, describe, expect, it } from 'vitest';
import { minutes, type Outcome } from '#kernel';
import type { Update } from '#fleet';
import { DEFAULT_ENGINE_SETTINGS } from '#engine';
import { AwsError } from '#simulation';
import { requireBackup } from '../../libs/engine/src/backup/require-backup.js';
import { PassMemory } from '../../libs/engine/src/pass/pass-memory.js';
import type { BasePass } from '../../libs/engine/src/pass/pass.js';
import { BackupBed, CLUSTER_ID, items } from '../support/backup-bed.js';
import { paperEtcd } from '../support/paper-etcd.js';

describe('the backup gate of an update', { timeout: 120_000 }, () => {
  let bed: BackupBed;
  let written: number[];
  let memory: PassMemory;
  beforeEach(async () => {
    bed = await BackupBed.open({ etcd: paperEtcd(20_480) });
    written = [];
    memory = new PassMemory({});
    await bed.configure(items(['http://paper:2379'], { backup_drill: 'off', backup_interval: 'off' }));
    return () => bed.close();
  });

  const update: Update = { id: 'u1', clusterId: CLUSTER_ID, kind: 'update', state: 'running', startedAt: 1 };
  /** One look of the step, by a process that remembers what the last one stored. */
  const look = async (
    deeds: readonly string[] = ['Kubernetes 1.31 → 1.32'],
    over: Partial<Update> = {},
  ): Promise<Outcome> => {
    const cluster = await bed.stores.registry.getCluster(CLUSTER_ID);
    const intents = written.map((recordedAt) => ({ recordedAt }));
    const updates = Object.assign(Object.create(bed.stores.updates) as object, {
      listIntents: async () => intents,
    });
    memory = new PassMemory(JSON.parse(JSON.stringify(memory.toJson())) as Record<string, unknown>);
    return requireBackup(
      {
        ports: { ...bed.ports, updates },
        settings: DEFAULT_ENGINE_SETTINGS,
        cluster,
        update: { ...update, ...over },
        memory,
        report: { events: [], problems: [] },
      } as unknown as BasePass,
      deeds,
    );
  };
  const requests = () => bed.stores.backups.openBackupRequests(CLUSTER_ID);

  it('asks for a backup once, waits for it, and is open for what it was made for', async () => {
    expect(await look()).toMatchObject({
      kind: 'waiting',
      for: 'a fresh backup before Kubernetes 1.31 → 1.32',
    });
    expect(await look()).toMatchObject({ kind: 'waiting' });
    expect(await requests()).toMatchObject([
      { kind: 'create', providers: ['etcd'], updateId: 'u1', trigger: 'update' },
    ]);
    expect(bed.rung).toEqual([`backup/${CLUSTER_ID}`, `backup/${CLUSTER_ID}`]);
    await bed.pass();
    expect(bed.rung.at(-1)).toBe(`cluster/${CLUSTER_ID}`);
    expect(await look()).toMatchObject({ kind: 'done', changed: false });
    expect((await bed.backups()).map(({ updateId }) => updateId)).toEqual(['u1']);
  });

  it('takes one of 59 minutes, renews one of 61, until the first write; after that the update goes on', async () => {
    await look();
    await bed.pass();
    bed.advance(minutes(59));
    expect((await look()).kind).toBe('done');
    // Held before its first write: by then the backup is too old.
    bed.advance(minutes(2));
    expect((await look()).kind).toBe('waiting');
    await bed.pass();
    expect((await look()).kind).toBe('done');
    written.push(bed.clock.now());
    bed.advance(minutes(300));
    expect((await look()).kind).toBe('done');
    // Other deeds than those it was opened for, and another update, need their own.
    expect((await look(['replacement of etcd members'])).kind).toBe('waiting');
    expect((await look(undefined, { id: 'u2' })).kind).toBe('waiting');
    expect(await bed.backups()).toHaveLength(2);
  });

  it('stays open for the first deeds when later ones were let in as well', async () => {
    await look(['a']);
    await bed.pass();
    expect((await look(['a'])).kind).toBe('done');
    written.push(bed.clock.now());
    expect((await look(['b'])).kind).toBe('done');
    written.push(bed.clock.now());
    bed.advance(minutes(120));
    expect((await look(['a'])).kind).toBe('done');
    expect((await look(['b'])).kind).toBe('done');
  });

  it('is blocked with the reason while backups fail, and tries again by itself', async () => {
    const undo = bed.aws.faults.failNext(
      { service: 's3', action: 'PutObject' },
      new AwsError('AccessDenied', 'Access Denied', 403),
      100,
    );
    await look();
    await bed.pass();
    const blocked = await look();
    expect(blocked).toMatchObject({ kind: 'blocked' });
    if (blocked.kind !== 'blocked') throw new Error('not blocked');
    expect(blocked.by).toMatch(/^the backup gate: etcd: no backup is good; the last one: .*AccessDenied/);
    expect(blocked.unblock).toMatch(/The next try is in \S+\./);
    undo();
    bed.advance(minutes(1));
    expect((await look()).kind).toBe('waiting');
    await bed.pass();
    expect((await look()).kind).toBe('done');
  });

  it('does not take one snapshot after another while none can be restored for proof', async () => {
    const config = { backup_drill: 'always', backup_drill_max_age: '7d', backup_interval: 'off' };
    await bed.configure(items(['http://paper:2379'], config));
    const drill = {
      unavailable: async () => 'etcdutl not found',
      restore: () => Promise.reject(new Error()),
    };
    expect((await look()).kind).toBe('waiting');
    await bed.pass({ drill });
    const blocked = await look();
    expect(blocked).toMatchObject({
      kind: 'blocked',
      by: expect.stringContaining('no restore drill has been made yet'),
      unblock: expect.stringContaining('not restored: etcdutl not found'),
    });
    expect(await requests()).toEqual([]);
    bed.advance(minutes(1));
    expect((await look()).kind).toBe('waiting');
    await bed.pass({ drill });
    bed.advance(minutes(1));
    expect((await look()).kind).toBe('blocked');
    expect(await bed.backups()).toHaveLength(2);
  });

  it('is not asked where nothing is irreversible, and skipped where no backup is configured', async () => {
    expect(await look([])).toMatchObject({ kind: 'done', summary: 'nothing is planned that needs a backup' });
    await bed.configure({});
    expect(await look()).toMatchObject({
      kind: 'done',
      summary: 'skipped: no backup is configured (config item backup_providers)',
    });
    await bed.configure({ backup_providers: 'etcd' });
    expect(await look()).toMatchObject({
      kind: 'failed',
      failure: { code: 'backup-policy-invalid', class: 'invalid' },
    });
    expect(await requests()).toEqual([]);
  });
});
