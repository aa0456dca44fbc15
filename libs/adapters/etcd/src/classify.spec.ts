import { describe, expect, it } from 'vitest';
import { FailureError } from '#kernel';
import { classifyAnswer, classifyThrown, EtcdLimitError, surelyNotDone } from './classify.js';

const grpc = (message: string, code: number): string => JSON.stringify({ error: message, message, code });

describe('classifyAnswer', () => {
  // Sentences and codes as etcd 3.4.23 and 3.5.30 were heard to say them.
  it.each([
    [404, grpc('etcdserver: member not found', 5), 'conflict', 'etcd-member-not-found'],
    [412, grpc('etcdserver: Peer URLs already exists', 9), 'conflict', 'etcd-peer-url-exists'],
    [412, grpc('etcdserver: member ID already exist', 9), 'conflict', 'etcd-member-exists'],
    [
      412,
      grpc('etcdserver: can only promote a learner member which is in sync with leader', 9),
      'transient',
      'etcd-learner-not-ready',
    ],
    [412, grpc('etcdserver: can only promote a learner member', 9), 'conflict', 'etcd-not-learner'],
    [412, grpc('etcdserver: too many learner members in cluster', 9), 'blocked', 'etcd-too-many-learners'],
    [503, grpc('etcdserver: unhealthy cluster', 14), 'blocked', 'etcd-unhealthy-cluster'],
    [
      412,
      grpc('etcdserver: re-configuration failed due to not enough started members', 9),
      'blocked',
      'etcd-unhealthy-cluster',
    ],
    [412, grpc('etcdserver: bad leader transferee', 9), 'conflict', 'etcd-bad-transferee'],
    [412, grpc('etcdserver: not leader', 9), 'conflict', 'etcd-not-leader'],
    [429, grpc('etcdserver: mvcc: database space exceeded', 8), 'blocked', 'etcd-no-space'],
    [500, grpc('etcdserver: corrupt cluster', 15), 'terminal', 'etcd-corrupt'],
    [503, grpc('etcdserver: no leader', 14), 'transient', 'etcd-no-leader'],
    [503, grpc('etcdserver: leader changed', 14), 'transient', 'etcd-no-leader'],
    [503, grpc('etcdserver: request timed out', 14), 'transient', 'etcd-timeout'],
    [
      503,
      grpc('etcdserver: request timed out, possibly due to previous leader failure', 14),
      'transient',
      'etcd-timeout',
    ],
    [503, grpc('etcdserver: rpc not supported for learner', 14), 'transient', 'etcd-learner'],
    [429, grpc('etcdserver: too many requests', 8), 'throttled', 'etcd-throttled'],
    [403, grpc('etcdserver: permission denied', 7), 'denied', 'etcd-denied'],
    [401, grpc('etcdserver: invalid auth token', 16), 'denied', 'etcd-denied'],
    [400, grpc('etcdserver: user name is empty', 3), 'denied', 'etcd-denied'],
    [400, grpc("invalid character 'a' looking for beginning of value", 3), 'invalid', 'etcd-bad-request'],
    [404, 'Not Found\n', 'invalid', 'etcd-unsupported'],
    [501, grpc('unknown service', 12), 'invalid', 'etcd-unsupported'],
    [502, '<html>bad gateway</html>', 'transient', 'etcd-unreachable'],
    [
      200,
      JSON.stringify({ error: { grpc_code: 14, http_code: 503, message: 'etcdserver: no leader' } }),
      'transient',
      'etcd-no-leader',
    ],
    [418, 'teapot', 'bug', 'etcd-unclassified'],
  ])('%i %s is %s %s', (status, body, kind, code) => {
    expect(classifyAnswer('asked', status, body)).toMatchObject({ class: kind, code });
  });
});

const coded = (code: string, message = code): Error => Object.assign(new Error(message), { code });

describe('classifyThrown', () => {
  it.each([
    [coded('ECONNREFUSED'), 'transient', 'etcd-unreachable', true],
    [coded('ECONNRESET'), 'transient', 'etcd-unreachable', false],
    [coded('ENOTFOUND'), 'transient', 'etcd-unreachable', true],
    [new Error('socket hang up'), 'transient', 'etcd-unreachable', false],
    [new EtcdLimitError('connect', 'no connection within 3 s'), 'transient', 'etcd-unreachable', true],
    [new EtcdLimitError('answer', 'no answer within 10 s'), 'transient', 'etcd-timeout', false],
    [new EtcdLimitError('size', 'too large'), 'terminal', 'etcd-answer-too-large', false],
    [coded('SELF_SIGNED_CERT_IN_CHAIN'), 'denied', 'etcd-tls-untrusted', true],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'denied', 'etcd-tls-untrusted', true],
    [coded('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'denied', 'etcd-tls-refused', true],
    [coded('EPROTO', 'wrong version number'), 'invalid', 'etcd-tls-protocol', false],
    [new TypeError('x is not a function'), 'bug', 'etcd-unclassified', false],
    ['text', 'bug', 'etcd-unclassified', false],
  ])('%s is %s %s; surely not done: %s', (thrown, kind, code, notDone) => {
    const failure = classifyThrown('asked', thrown);
    expect(failure).toMatchObject({ class: kind, code });
    expect(surelyNotDone(failure, thrown)).toBe(notDone);
  });

  it('leaves what is classified as it is', () => {
    const failure = { class: 'denied', code: 'etcd-credentials-missing', message: 'no' } as const;
    expect(classifyThrown('asked', new FailureError(failure))).toBe(failure);
  });
});
