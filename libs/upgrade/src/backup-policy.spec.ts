import { describe, expect, it } from 'vitest';
import type { BackupRecord, Plan } from '#fleet';
import { days, hours, minutes } from '#kernel';
import { irreversibleDeeds } from './backup-need.js';
import { readBackupPolicy } from './backup-policy.js';
import { restorePlan } from './backup-restore-plan.js';
import { backupSchedule, failuresInARow, retryDelay } from './backup-schedule.js';

const NOW = Date.UTC(2026, 10, 21, 12);
const etcd = { backup_providers: 'etcd', backup_bucket: 'b', etcd_endpoints: 'https://10.0.0.1:2379' };

describe('backup policy', () => {
  it('is none without providers, and has sound defaults', () => {
    expect(readBackupPolicy({ backup_bucket: 'b' }).kind).toBe('none');
    const reading = readBackupPolicy({
      ...etcd,
      backup_providers: 'etcd, resources',
      etcd_endpoints: 'http://a:1 http://b:2',
    });
    expect(reading).toMatchObject({
      kind: 'policy',
      policy: {
        providers: ['etcd', 'resources'],
        interval: hours(1),
        maxAge: minutes(60),
        drillEvery: 0,
        retention: [
          { every: hours(1), keep: days(7) },
          { every: days(1), keep: days(90) },
        ],
        etcd: { endpoints: ['http://a:1', 'http://b:2'] },
        resources: { secrets: 'exclude' },
      },
    });
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'an unknown provider',
      { backup_providers: 'etcd,tape' },
      'backup_providers: "tape" is none of etcd, velero, resources',
    ],
    ['no bucket', { backup_bucket: '' }, 'backup_bucket is missing: etcd backups are stored there'],
    [
      'no endpoints',
      { etcd_endpoints: '' },
      'etcd_endpoints is missing: where etcd is asked for snapshots, comma-separated',
    ],
    [
      'a bad duration',
      { backup_max_age: 'soon' },
      'backup_max_age: "soon" is no duration; write for example 90m, 2h or 7d',
    ],
    [
      'a bad tier',
      { backup_retention: '1h=7d,weekly' },
      'backup_retention: "weekly" is no tier; write for example 1h=7d,1d=90d',
    ],
    ['a frantic schedule', { backup_interval: '1m' }, 'backup_interval must be 5m or more'],
    [
      'secrets in clear',
      { backup_resources_secrets: 'yes' },
      'backup_resources_secrets is "yes"; write exclude or encrypt',
    ],
    [
      'secrets without a key',
      { backup_resources_secrets: 'encrypt' },
      'backup_resources_secrets: encrypt needs backup_kms_key',
    ],
    [
      'drills that are asked for and never made',
      { backup_drill: 'off', backup_drill_max_age: '7d' },
      'backup_drill_max_age asks for restore drills, and backup_drill is off',
    ],
    [
      'drills that are made too seldom',
      { backup_drill: '14d', backup_drill_max_age: '7d' },
      'backup_drill (14d) must not be longer than backup_drill_max_age (7d)',
    ],
  ])('names what is wrong: %s', (_name, over, problem) => {
    expect(readBackupPolicy({ ...etcd, ...over })).toEqual({ kind: 'invalid', problems: [problem] });
  });

  it('may have no schedule, and no drill', () => {
    const reading = readBackupPolicy({ ...etcd, backup_interval: 'off', backup_drill: 'off' });
    if (reading.kind !== 'policy') throw new Error('no policy');
    expect(reading.policy.interval).toBeUndefined();
    expect(reading.policy.drillEvery).toBeUndefined();
  });
});

const backup = (over: Partial<BackupRecord>): BackupRecord => ({
  id: 'b1',
  clusterId: 'c',
  provider: 'etcd',
  state: 'good',
  trigger: 'schedule',
  actor: 'fairway',
  startedAt: NOW,
  location: 's3://b/k.db',
  message: '',
  ...over,
});

describe('backup schedule', () => {
  const policy = { providers: ['etcd'] as const, interval: hours(1) };
  const failure = (ago: number) =>
    backup({ id: `f${ago}`, state: 'failed', startedAt: NOW - ago, finishedAt: NOW - ago });
  it.each<[string, readonly BackupRecord[], boolean, number | undefined]>([
    ['the first', [], true, undefined],
    ['an hour old', [backup({ startedAt: NOW - hours(1) })], true, undefined],
    ['a minute before', [backup({ startedAt: NOW - minutes(59) })], false, NOW + minutes(1)],
    ['one under way', [backup({ state: 'running' })], false, undefined],
    ['a failure just now', [failure(0)], false, NOW + minutes(1)],
    ['a failure a minute ago', [failure(minutes(1))], true, undefined],
    ['three failures', [failure(0), failure(1000), failure(2000)], false, NOW + minutes(4)],
    [
      'a partial one counts as a failure',
      [backup({ state: 'partial', finishedAt: NOW })],
      false,
      NOW + minutes(1),
    ],
    [
      'an approved one does not',
      [
        backup({
          state: 'partial',
          exception: { by: 'a', reason: 'b', at: 1 },
          startedAt: NOW - minutes(30),
        }),
      ],
      false,
      NOW + minutes(30),
    ],
  ])('%s', (_name, backups, due, nextAt) => {
    const schedule = backupSchedule({ policy, backups, now: NOW });
    expect(schedule.due.length > 0).toBe(due);
    expect(schedule.nextAt).toBe(nextAt);
  });

  it('waits at most half an hour after failures', () => {
    expect([1, 2, 3, 20].map(retryDelay)).toEqual([minutes(1), minutes(2), minutes(4), minutes(30)]);
    expect(failuresInARow([backup({ state: 'failed' }), backup({ state: 'expired' })])).toBe(1);
  });
});

describe('what needs a backup', () => {
  const none: Pick<Plan, 'stacks' | 'objects' | 'nodes'> = { stacks: [], objects: [], nodes: [] };
  const object = (kind: string) =>
    ({ ref: { apiVersion: 'v1', kind, name: 'x' }, component: 'c', action: 'delete', fields: [] }) as const;
  const roll = { pool: 'masters', master: true, total: 3, outdated: ['i-1'], reason: 'ami' };
  it.each([
    ['nothing', {}, []],
    ['a patch', { serverVersion: 'v1.31.4', targetVersion: '1.31.9' }, []],
    ['a minor', { serverVersion: 'v1.31.4', targetVersion: '1.32.0' }, ['Kubernetes 1.31 → 1.32']],
    ['masters', { plan: { ...none, nodes: [roll] } }, ['replacement of 1 control plane nodes (masters)']],
    ['workers', { plan: { ...none, nodes: [{ ...roll, master: false }] } }, []],
    [
      'the etcd stack',
      {
        etcdStack: 'etcd',
        plan: { ...none, stacks: [{ name: 'etcd', action: 'update' as const, changes: [] }] },
      },
      ['update of the etcd stack etcd'],
    ],
    [
      'another stack',
      {
        etcdStack: 'etcd',
        plan: { ...none, stacks: [{ name: 'x', action: 'update' as const, changes: [] }] },
      },
      [],
    ],
    [
      'precious objects',
      {
        plan: {
          ...none,
          objects: [
            object('StatefulSet'),
            object('StatefulSet'),
            object('ConfigMap'),
            object('CustomResourceDefinition'),
          ],
        },
      },
      ['removal of 2 StatefulSet', 'removal of 1 CustomResourceDefinition'],
    ],
  ])('%s', (_name, over, deeds) => {
    expect(irreversibleDeeds({ plan: none, ...over })).toEqual(deeds);
  });
});

describe('restore plan', () => {
  const cluster = {
    id: 'aws:1:eu-central-1:kube-1',
    alias: 'kube-1',
    localId: 'kube-1',
    infrastructureAccount: 'aws:1',
    apiServerUrl: 'https://kube-1.example.org/',
    region: 'eu-central-1',
  };
  const commands = (over: Partial<BackupRecord>): string =>
    restorePlan({ cluster, backup: backup({ sha256: 'ab12', ...over }), now: NOW + minutes(5) })
      .steps.flatMap((step) => step.commands)
      .join('\n');

  it('restores every member of etcd by its name, all to one cluster', () => {
    const members = [1, 2, 3].map((n) => ({ name: `m${n}`, peerUrl: `https://10.0.0.${n}:2380` }));
    const text = commands({ members });
    expect(text).toContain('echo "ab12  snapshot.db" | sha256sum --check');
    for (const { name, peerUrl } of members) {
      expect(text).toContain(
        `--name ${name} --initial-cluster m1=https://10.0.0.1:2380,m2=https://10.0.0.2:2380,m3=https://10.0.0.3:2380 --initial-advertise-peer-urls ${peerUrl}`,
      );
    }
    expect(text.indexOf('kube-apiserver.yaml /root')).toBeLessThan(text.indexOf('systemctl stop etcd'));
  });

  it('decrypts where the export is encrypted, and names Velero’s own backup', () => {
    expect(commands({ provider: 'resources', location: 's3://b/k.yaml.gz.enc' })).toContain(
      'aws kms decrypt',
    );
    expect(commands({ provider: 'resources', location: 's3://b/k.yaml.gz' })).not.toContain('kms');
    expect(commands({ provider: 'velero', location: 'velero:velero/fairway-x' })).toContain(
      '--from-backup fairway-x',
    );
  });

  it('warns of what is lost and of what was never proven', () => {
    const { warnings } = restorePlan({
      cluster,
      backup: backup({ state: 'damaged', message: 'bits' }),
      now: NOW + minutes(5),
    });
    expect(warnings).toEqual([
      'Everything that was written in the last 5m is lost.',
      'The backup is damaged: bits',
      'This snapshot was never restored for proof: run fairway backup verify --drill first.',
    ]);
  });
});
