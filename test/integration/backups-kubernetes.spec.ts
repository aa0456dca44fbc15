import { createDecipheriv } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { parseAllDocuments } from 'yaml';
import { beforeEach, describe, expect, it } from 'vitest';
import { hours, minutes, seconds } from '#kernel';
import type { BackupRecord, KubernetesObject } from '#fleet';
import { judgeFreshness } from '#upgrade';
import type { VeleroFate } from '#simulation';
import { ACCOUNT, BackupBed, BUCKET, CLUSTER_ID } from '../support/backup-bed.js';
import { eventually } from '../support/eventually.js';

let bed: BackupBed;
beforeEach(async () => {
  bed = await BackupBed.open();
  return () => bed.close();
});

const gate = async () =>
  judgeFreshness({
    standing: (await bed.stores.backups.backupStandings([CLUSTER_ID])).get(CLUSTER_ID),
    now: bed.clock.now(),
    maxAge: minutes(60),
  });

describe('resources of a cluster as YAML', () => {
  const configMaps = 620;
  const fill = (): void => {
    for (let at = 0; at < configMaps; at += 1) {
      const metadata = { name: `map-${at}`, namespace: 'default' };
      bed.kubernetes.create('configmaps', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata,
        data: { at: `- ${at}\n---\n` },
      });
    }
    const metadata = { name: 'token', namespace: 'default' };
    const data = { password: Buffer.from('hunter2').toString('base64') };
    bed.kubernetes.create('secrets', { apiVersion: 'v1', kind: 'Secret', metadata, data });
  };
  const bodyOf = ({ location }: BackupRecord): Buffer =>
    Buffer.from(bed.aws.objects.get(ACCOUNT, BUCKET, location.replace(`s3://${BUCKET}/`, '')).body);
  const create = async (): Promise<BackupRecord> => {
    await bed.ask({ kind: 'create' });
    await bed.pass();
    const [backup] = await bed.backups();
    if (!backup) throw new Error('no backup');
    return backup;
  };
  const parse = (yaml: Buffer): readonly KubernetesObject[] =>
    parseAllDocuments(yaml.toString()).map((document) => document.toJS() as KubernetesObject);

  it('holds every object of every kind, definitions and namespaces first, and no secrets', async () => {
    fill();
    await bed.configure({ backup_providers: 'resources', backup_bucket: BUCKET, backup_interval: 'off' });
    const backup = await create();
    expect(backup).toMatchObject({ state: 'good', message: `${backup.items} objects` });
    const objects = parse(gunzipSync(bodyOf(backup)));
    expect(objects).toHaveLength(backup.items ?? 0);
    const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names.filter((name) => name.startsWith('ConfigMap/map-'))).size).toBe(configMaps);
    expect(names[0]).toMatch(/^CustomResourceDefinition\//);
    expect(names).toContain('BackupStorageLocation/default');
    expect(names.some((name) => name.startsWith('Secret/'))).toBe(false);
    const map = objects.find(({ metadata }) => metadata.name === 'map-7');
    expect(map).toMatchObject({ apiVersion: 'v1', data: { at: '- 7\n---\n' } });
    expect(map?.metadata.managedFields).toBeUndefined();
    const request = await bed.ask({ kind: 'verify', backupId: backup.id });
    await bed.pass();
    expect(await bed.resultOf(request)).toMatch(/^intact/);
    bed.tamper(backup.location, (body) => body.subarray(0, body.length - 20));
    const again = await bed.ask({ kind: 'verify', backupId: backup.id });
    await bed.pass();
    expect(await bed.resultOf(again)).toMatch(/^damaged: .*it cannot be unpacked/);
  });

  it('is encrypted as a whole under a KMS key where secrets are wanted', async () => {
    fill();
    const region = bed.aws.region(ACCOUNT, 'eu-central-1');
    const kmsKey = region.kms.createKey('backups').arn;
    await bed.configure({
      backup_providers: 'resources',
      backup_bucket: BUCKET,
      backup_interval: 'off',
      backup_resources_secrets: 'encrypt',
      backup_kms_key: kmsKey,
    });
    const backup = await create();
    expect(backup).toMatchObject({ state: 'good' });
    expect(backup.location).toMatch(/\.yaml\.gz\.enc$/);
    const body = bodyOf(backup);
    const end = body.indexOf(10);
    const header = JSON.parse(body.subarray(0, end).toString()) as { key: string; iv: string };
    const key = region.kms.decrypt(Buffer.from(header.key, 'base64')).plaintext;
    const cipher = createDecipheriv('aes-256-ctr', key, Buffer.from(header.iv, 'hex'));
    const yaml = gunzipSync(Buffer.concat([cipher.update(body.subarray(end + 1)), cipher.final()]));
    const secret = parse(yaml).find(({ kind, metadata }) => kind === 'Secret' && metadata.name === 'token');
    expect(secret).toMatchObject({ data: { password: Buffer.from('hunter2').toString('base64') } });
    expect(bed.logged.join('\n')).not.toContain('hunter2');
  });

  it('is no backup where a kind cannot be read; excluded kinds are left out on purpose', async () => {
    fill();
    await bed.configure({
      backup_providers: 'resources',
      backup_bucket: BUCKET,
      backup_interval: 'off',
      backup_resources_exclude: 'configmaps,*.velero.io',
    });
    const backup = await create();
    const kinds = new Set(parse(gunzipSync(bodyOf(backup))).map(({ kind }) => kind));
    expect(kinds.has('ConfigMap')).toBe(false);
    expect(kinds.has('BackupStorageLocation')).toBe(false);
    bed.failLists('configmaps');
    await bed.configure({ backup_providers: 'resources', backup_bucket: BUCKET, backup_interval: 'off' });
    const failed = await create();
    expect(failed.state).toBe('failed');
    expect(failed.message).toContain('configmaps');
    expect(bed.stored).toHaveLength(1);
  });
});

describe('backups by Velero', () => {
  const ITEMS = { backup_providers: 'velero', backup_interval: 'off', backup_velero_time_limit: '30m' };

  const settle = async (fate: VeleroFate): Promise<BackupRecord> => {
    bed.velero.fate = fate;
    await bed.configure(ITEMS);
    await bed.ask({ kind: 'create' });
    await bed.pass();
    await eventually(
      async () => {
        await bed.pass();
        const [backup] = await bed.backups();
        return fate === 'stuck' ? /InProgress/.test(backup?.message ?? '') : backup?.state !== 'running';
      },
      `a backup that is ${fate}`,
      60_000,
    );
    if (fate === 'stuck') {
      bed.advance(minutes(31));
      await bed.pass();
    }
    const [backup] = await bed.backups();
    if (!backup) throw new Error('no backup');
    return backup;
  };

  it.each<[VeleroFate, BackupRecord['state'], RegExp]>([
    ['Completed', 'good', /^\d+ items$/],
    ['PartiallyFailed', 'partial', /PartiallyFailed with 1 errors/],
    ['FailedValidation', 'failed', /Velero refused the backup/],
    ['Failed', 'failed', /unable to upload the backup/],
    ['stuck', 'failed', /InProgress for 31m, at most 30m/],
    ['empty', 'failed', /holds no items/],
  ])(
    'that are %s',
    async (fate, state, message) => {
      const backup = await settle(fate);
      expect(backup.state).toBe(state);
      expect(backup.message).toMatch(message);
      expect((await gate()).open).toBe(fate === 'Completed');
      const object = bed.kubernetes.get('backups.velero.io', 'velero', backup.location.split('/')[1] ?? '');
      expect(object).toMatchObject({
        spec: { ttl: '720h0m0s', storageLocation: 'default', includedNamespaces: ['*'] },
      });
    },
    30_000,
  );

  it('are verified by asking Velero: one that was deleted is no evidence any more', async () => {
    const { id, location } = await settle('Completed');
    const verify = async (): Promise<string> => {
      const request = await bed.ask({ kind: 'verify', backupId: id });
      await bed.pass();
      return bed.resultOf(request);
    };
    expect(await verify()).toMatch(/^intact \(Velero has it, Completed/);
    bed.velero.storage = 'Unavailable';
    expect(await verify()).toBe('failed: storage location default is Unavailable');
    expect((await gate()).open).toBe(true);
    bed.velero.storage = 'Available';
    bed.kubernetes.remove('backups.velero.io', 'velero', location.split('/')[1] ?? '');
    expect(await verify()).toMatch(/^damaged: .*is not there any more/);
    expect((await gate()).open).toBe(false);
  });

  it('count with an approved exception, which is audited; only once, and only partial ones', async () => {
    const { id } = await settle('PartiallyFailed');
    expect((await gate()).reasons[0]).toContain('counts only with an approved exception');
    const exception = { by: 'carol', reason: 'the missing volume is a cache', at: bed.clock.now() };
    expect(await bed.stores.backups.approveBackup(id, exception)).toBe(true);
    expect(await bed.stores.backups.approveBackup(id, exception)).toBe(false);
    expect(await gate()).toMatchObject({ open: true, evidence: [{ id, exception }] });
    const [entry] = await bed.stores.audit.list(1);
    expect(entry).toMatchObject({
      actor: 'carol',
      action: 'backup.exception-approved',
      reason: exception.reason,
      data: { backup: id, provider: 'velero' },
    });
    // A pass that looks later takes it away from nobody.
    await bed.pass();
    expect(await gate()).toMatchObject({ open: true });
  });

  it('fail where the storage stays away, where the TTL is too short, and where there is no Velero', async () => {
    await bed.configure(ITEMS);
    bed.velero.storage = 'Unavailable';
    await bed.ask({ kind: 'create' });
    await bed.pass();
    expect((await bed.backups())[0]).toMatchObject({
      state: 'running',
      message: 'storage location default is Unavailable',
    });
    bed.advance(minutes(6));
    await bed.pass();
    expect((await bed.backups())[0]).toMatchObject({
      state: 'failed',
      message: 'storage location default is Unavailable',
    });
    bed.velero.storage = 'Available';
    await bed.configure({ ...ITEMS, backup_velero_ttl: '24h' });
    await bed.ask({ kind: 'create' });
    await bed.pass();
    expect((await bed.backups())[0]).toMatchObject({
      state: 'failed',
      message: 'backup_velero_ttl is 1d, it must be longer than soak and rollback window (7d)',
    });
    await bed.configure({ ...ITEMS, backup_velero_location: 'elsewhere' });
    await bed.ask({ kind: 'create' });
    await eventually(
      async () => {
        await bed.pass();
        return (await bed.backups())[0]?.state === 'failed';
      },
      'a refusal',
      60_000,
    );
    expect((await bed.backups())[0]?.message).toMatch(/Velero refused the backup/);
    bed.kubernetes.remove('customresourcedefinitions.apiextensions.k8s.io', undefined, 'backups.velero.io');
    await bed.configure(ITEMS);
    await bed.ask({ kind: 'create' });
    await bed.pass();
    expect((await bed.backups())[0]?.message).toMatch(
      /does not serve velero.io\/v1 Backup|is not there|not found/,
    );
    expect((await gate()).open).toBe(false);
  });

  it('of a worker that died after asking are found again, and nothing is asked twice', async () => {
    await bed.configure(ITEMS);
    await bed.ask({ kind: 'create' });
    const { kubernetes } = bed.ports;
    const dying = {
      connect: async (cluster: Parameters<typeof kubernetes.connect>[0]) => {
        const port = await kubernetes.connect(cluster);
        return new Proxy(port, {
          get: (target, name) => {
            const member: unknown = Reflect.get(target, name);
            if (name !== 'create') return typeof member === 'function' ? member.bind(target) : member;
            return async (object: KubernetesObject) => {
              await target.create(object);
              return new Promise<never>(() => undefined);
            };
          },
        });
      },
    };
    void bed.pass({ kubernetes: dying });
    await eventually(async () => bed.kubernetes.list('backups.velero.io').length === 1, 'the object', 60_000);
    const lease = await eventuallyLease();
    await bed.stores.leases.release(lease);
    await eventually(
      async () => {
        await bed.pass();
        return (await bed.backups()).every(({ state }) => state === 'good');
      },
      'evidence',
      60_000,
    );
    // The request was never settled, so the successor makes one more for it; the first is not lost.
    expect(bed.kubernetes.list('backups.velero.io').length).toBe((await bed.backups()).length);
  });

  const eventuallyLease = async () => {
    await bed.expireLeases();
    const lease = await bed.stores.leases.acquire(`backup/${CLUSTER_ID}`, seconds(1));
    if (!lease) throw new Error('the lease is held');
    return lease;
  };

  it('are noted as deleted when their TTL is over', async () => {
    await settle('Completed');
    bed.advance(hours(24 * 40));
    await bed.pass();
    expect((await bed.backups()).map(({ state }) => state)).toContain('expired');
  });
});
