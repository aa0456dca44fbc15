import { describe, expect, it } from 'vitest';
import { days, hours, minutes } from '#kernel';
import { judgeVelero, veleroTtl, type VeleroVerdict } from './backup-velero.js';

const NOW = Date.UTC(2026, 10, 21, 12);
type Question = Parameters<typeof judgeVelero>[0];
const completed: Question = {
  phase: 'Completed',
  startedAt: NOW - minutes(3),
  now: NOW,
  timeLimit: hours(1),
  itemsBackedUp: 120,
  totalItems: 120,
  validationErrors: [],
  expiresAt: NOW + days(30),
  neededUntil: NOW + days(10),
  locationPhase: 'Available',
  location: 'default',
};

describe('verdict on a Velero backup', () => {
  it.each<[string, Partial<Question>, VeleroVerdict['kind'], RegExp]>([
    ['Completed', {}, 'good', /^120 items$/],
    ['Completed without items', { itemsBackedUp: 0 }, 'bad', /holds no items/],
    [
      'Completed with a TTL too short',
      { expiresAt: NOW + days(9) },
      'bad',
      /kept for 9d, soak and rollback window need 10d/,
    ],
    ['Completed with errors', { errors: 2 }, 'partial', /2 errors/],
    [
      'PartiallyFailed',
      { phase: 'PartiallyFailed', errors: 1, itemsBackedUp: 119 },
      'partial',
      /119 of 120 items; counts only with an approved/,
    ],
    [
      'PartiallyFailed without items',
      { phase: 'PartiallyFailed', itemsBackedUp: 0 },
      'bad',
      /holds no items/,
    ],
    [
      'PartiallyFailed with a TTL too short',
      { phase: 'PartiallyFailed', expiresAt: NOW },
      'bad',
      /kept for 0s/,
    ],
    [
      'FailedValidation',
      { phase: 'FailedValidation', validationErrors: ['no location'] },
      'bad',
      /refused the backup: no location/,
    ],
    ['Failed', { phase: 'Failed', failureReason: 'upload' }, 'bad', /failed: upload/],
    ['Deleting', { phase: 'Deleting' }, 'bad', /being deleted/],
    ['a phase of the future', { phase: 'Teleported' }, 'bad', /Teleported, which is not known/],
    ['New', { phase: 'New' }, 'pending', /Velero: New/],
    ['InProgress', { phase: 'InProgress', itemsBackedUp: 4 }, 'pending', /4 of 120 items/],
    ['waiting for plugins', { phase: 'WaitingForPluginOperationsPartiallyFailed' }, 'pending', /Waiting/],
    ['InProgress for an hour', { phase: 'InProgress', startedAt: NOW - hours(1) }, 'pending', /InProgress/],
    [
      'stuck InProgress',
      { phase: 'InProgress', startedAt: NOW - hours(1) - 1 },
      'bad',
      /InProgress for 1h, at most 1h/,
    ],
    [
      'storage unavailable',
      { phase: 'New', locationPhase: 'Unavailable' },
      'pending',
      /location default is Unavailable/,
    ],
    [
      'storage unavailable for long',
      { phase: 'New', locationPhase: 'Unavailable', startedAt: NOW - minutes(6) },
      'bad',
      /is Unavailable/,
    ],
  ])('%s', (_name, over, kind, message) => {
    const verdict = judgeVelero({ ...completed, ...over });
    expect(verdict.kind).toBe(kind);
    expect(verdict.message).toMatch(message);
  });

  it('with no storage location at all', () => {
    const { locationPhase: _gone, ...rest } = completed;
    const verdict = judgeVelero({ ...rest, phase: 'New', startedAt: NOW - minutes(6) });
    expect(verdict).toEqual({
      kind: 'bad',
      code: 'velero-storage',
      message: 'storage location default is missing',
    });
  });

  it('asks for a TTL that outlives soak and rollback window', () => {
    expect(veleroTtl(undefined, days(10))).toEqual({ ttl: days(30) });
    expect(veleroTtl(undefined, days(40))).toEqual({ ttl: days(40) + hours(1) });
    expect(veleroTtl(days(11), days(10))).toEqual({ ttl: days(11) });
    expect(veleroTtl(days(10), days(10))).toEqual({
      problem: 'backup_velero_ttl is 10d, it must be longer than soak and rollback window (10d)',
    });
  });
});
