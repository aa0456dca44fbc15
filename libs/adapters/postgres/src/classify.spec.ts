import { describe, expect, it } from 'vitest';
import { FailureError } from '#kernel';
import { classify } from './classify.js';

/** Shapes as `pg` 8.23, `pg-pool` and TypeORM 1.1 throw them; the contract suite makes the real ones. */
const pgError = (code: string, over: object = {}): Error =>
  Object.assign(new Error(`pg says ${code}`), { code, ...over });

describe('classify', () => {
  it.each([
    [
      '23505',
      { detail: 'Key (alias)=(kube-1) already exists.', table: 'clusters' },
      'invalid',
      'already-exists',
    ],
    ['23503', { detail: 'Key (a)=(b) is not present in table "t".' }, 'invalid', 'not-found'],
    ['23503', { detail: 'Key (a)=(b) is still referenced from table "t".' }, 'invalid', 'still-referenced'],
    ['23514', {}, 'invalid', 'value-refused'],
    ['22021', {}, 'invalid', 'unstorable-value'],
    ['40001', {}, 'transient', 'database-contention'],
    ['40P01', {}, 'transient', 'database-contention'],
    ['57014', {}, 'transient', 'database-timeout'],
    ['53300', {}, 'transient', 'database-exhausted'],
    ['57P01', {}, 'transient', 'database-unreachable'],
    ['08006', {}, 'transient', 'database-unreachable'],
    ['25006', {}, 'transient', 'database-unreachable'],
    ['ECONNREFUSED', {}, 'transient', 'database-unreachable'],
    ['ENOTFOUND', {}, 'transient', 'database-unreachable'],
    ['42P01', {}, 'transient', 'schema-outdated'],
    ['28P01', {}, 'denied', 'database-denied'],
    ['3D000', {}, 'denied', 'database-denied'],
    ['42501', {}, 'denied', 'database-denied'],
    ['42601', {}, 'bug', 'database-error'],
    ['XX000', {}, 'bug', 'database-error'],
  ])('%s %o is %s/%s', (code, over, failureClass, failureCode) => {
    expect(classify(pgError(code, over))).toMatchObject({ class: failureClass, code: failureCode });
  });

  it.each([
    'Connection terminated unexpectedly',
    'timeout exceeded when trying to connect',
    'Client has encountered a connection error and is not queryable',
    'Query runner already released. Cannot run queries anymore.',
  ])('"%s" is an absent database', (message) => {
    expect(classify(new Error(message))).toMatchObject({ class: 'transient', code: 'database-unreachable' });
  });

  it('names the field and the value that are taken', () => {
    const failure = classify(
      pgError('23505', { detail: 'Key (alias)=(kube-1) already exists.', table: 'clusters' }),
    );
    expect(failure).toMatchObject({
      message: 'alias "kube-1" already exists in clusters',
      place: { field: 'alias' },
    });
  });

  it('looks into what TypeORM and Node wrap', () => {
    const wrapped = Object.assign(new Error('query failed'), { driverError: pgError('40P01') });
    expect(classify(wrapped).code).toBe('database-contention');
    const both = new AggregateError([pgError('ECONNREFUSED'), pgError('ECONNREFUSED')]);
    expect(classify(both).code).toBe('database-unreachable');
  });

  it('leaves failures alone and takes anything else for a bug', () => {
    const failure = { class: 'blocked', code: 'x', message: 'y' } as const;
    expect(classify(new FailureError(failure))).toBe(failure);
    expect(classify(new TypeError('oops'))).toMatchObject({ class: 'bug', message: 'oops' });
    expect(classify('text')).toMatchObject({ class: 'bug', message: 'text' });
  });
});
