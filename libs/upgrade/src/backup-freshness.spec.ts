import { describe, expect, it } from 'vitest';
import type { BackupRecord, BackupStanding } from '#fleet';
import { days, hours, minutes } from '#kernel';
import { judgeFreshness } from './backup-freshness.js';

const NOW = Date.UTC(2026, 10, 21, 12);
const backup = (over: Partial<BackupRecord> = {}): BackupRecord => ({
  id: 'b1',
  clusterId: 'c',
  provider: 'etcd',
  state: 'good',
  trigger: 'schedule',
  actor: 'fairway',
  startedAt: NOW - minutes(10),
  location: 's3://b/k',
  message: '3 keys',
  ...over,
});
const standing = (over: Partial<BackupStanding> = {}): BackupStanding => ({
  clusterId: 'c',
  providers: ['etcd'],
  evidence: [backup()],
  failures: [],
  ...over,
});
const judge = (over: Partial<BackupStanding> | undefined, more: object = {}) =>
  judgeFreshness({ standing: over && standing(over), now: NOW, maxAge: minutes(60), ...more });

describe('freshness of backups', () => {
  it.each([
    ['59 minutes', minutes(59), true],
    ['60 minutes', minutes(60), true],
    ['a millisecond more', minutes(60) + 1, false],
    ['61 minutes', minutes(61), false],
  ])('of %s', (_name, age, open) => {
    const verdict = judge({ evidence: [backup({ startedAt: NOW - age })] });
    expect(verdict.open).toBe(open);
    expect(verdict.renew).toEqual(open ? [] : ['etcd']);
    if (open) expect(verdict.shutsAt).toBe(NOW - age + minutes(60));
    else expect(verdict.reasons[0]).toContain('at most 1h is allowed');
  });

  const velero = backup({ provider: 'velero', expiresAt: NOW + days(8) });
  it.each<[string, Partial<BackupStanding> | undefined, object, string]>([
    ['nobody has looked', undefined, {}, 'no backup pass has looked at the cluster yet'],
    [
      'nothing is configured',
      { providers: [] },
      {},
      'no backup is configured (config item backup_providers)',
    ],
    [
      'the configuration is wrong',
      { problem: 'backup_bucket is missing' },
      {},
      'the backup configuration cannot be followed: backup_bucket is missing',
    ],
    ['there is none', { evidence: [] }, {}, 'etcd: there is no backup yet'],
    [
      'the last one failed',
      { evidence: [], failures: [backup({ state: 'failed', message: 'S3 is away' })] },
      {},
      'etcd: no backup is good; the last one: S3 is away',
    ],
    ['one of two providers has one', { providers: ['etcd', 'velero'] }, {}, 'velero: there is no backup yet'],
    [
      'Velero deletes it before the soak ends',
      { providers: ['velero'], evidence: [velero] },
      { keptFor: days(10) },
      'velero: the newest backup is deleted in 8d, it must be kept 10d',
    ],
    ['no drill was made', {}, { drillMaxAge: days(1) }, 'etcd: no restore drill has been made yet'],
    [
      'the drill is old',
      { drilledAt: NOW - days(2) },
      { drillMaxAge: days(1) },
      'etcd: the last restore drill is 2d old, at most 1d is allowed',
    ],
  ])('shuts when %s', (_name, over, more, reason) => {
    const verdict = judge(over, more);
    expect(verdict.open).toBe(false);
    expect(verdict.reasons).toEqual([reason]);
  });

  it('is open with every provider fresh, kept long enough and drilled, until the first of them is too old', () => {
    const evidence = [backup({ startedAt: NOW - minutes(20) }), { ...velero, startedAt: NOW - minutes(50) }];
    const verdict = judge(
      { providers: ['etcd', 'velero'], evidence, drilledAt: NOW - hours(1) },
      { keptFor: days(8), drillMaxAge: days(1) },
    );
    expect(verdict).toMatchObject({ open: true, configured: true, shutsAt: NOW + minutes(10) });
  });
});
