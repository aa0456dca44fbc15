import { describe, expect, it } from 'vitest';
import { FailureError } from '#kernel';
import { classify } from './classify.js';

const error = (message: string, code?: string): Error => Object.assign(new Error(message), code && { code });

describe('classify', () => {
  it.each([
    [error('connect ECONNREFUSED 127.0.0.1:6379', 'ECONNREFUSED'), 'transient', 'queue-unreachable'],
    [error('getaddrinfo ENOTFOUND redis', 'ENOTFOUND'), 'transient', 'queue-unreachable'],
    [error('Connection is closed.'), 'transient', 'queue-unreachable'],
    [
      error("Stream isn't writeable and enableOfflineQueue options is false"),
      'transient',
      'queue-unreachable',
    ],
    [error('LOADING Redis is loading the dataset in memory'), 'transient', 'queue-unreachable'],
    [error('READONLY You can’t write against a read only replica.'), 'transient', 'queue-unreachable'],
    [error('the database system is starting up', '57P03'), 'transient', 'queue-unreachable'],
    [error('terminating connection due to administrator command', '57P01'), 'transient', 'queue-unreachable'],
    [error('timeout exceeded when trying to connect'), 'transient', 'queue-unreachable'],
    [
      new AggregateError([error('connect ECONNREFUSED ::1:5432', 'ECONNREFUSED')], ''),
      'transient',
      'queue-unreachable',
    ],
    [error('Missing lock for job 1. moveToFinished', undefined), 'conflict', 'ring-taken-over'],
    [error('NOAUTH Authentication required.'), 'denied', 'queue-denied'],
    [error('WRONGPASS invalid username-password pair'), 'denied', 'queue-denied'],
    [error('password authentication failed for user "x"', '28P01'), 'denied', 'queue-denied'],
    [error('value out of range', '22003'), 'bug', 'queue-error'],
    [new TypeError('x is not a function'), 'bug', 'queue-error'],
  ])('%s is %s/%s', (thrown, failureClass, code) => {
    expect(classify(thrown)).toMatchObject({ class: failureClass, code });
  });

  it('leaves failures alone', () => {
    const failure = { class: 'blocked', code: 'x', message: 'y' } as const;
    expect(classify(new FailureError(failure))).toBe(failure);
  });
});
