import { describe, expect, it } from 'vitest';
import type { FailureClass } from '#kernel';
import { ApiLimitError } from './classify-network.js';
import { classify } from './classify.js';
import type { RequestContext } from './request-context.js';

const APPLY: RequestContext = { action: 'apply apps/Deployment default/web', verb: 'apply' };
const DELETE: RequestContext = { action: 'delete v1/Pod default/web', verb: 'delete' };

const status = (code: number, body: Record<string, unknown>, headers: Record<string, string> = {}) => ({
  status: code,
  headers,
  body: JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, ...body }),
});
const plain = (code: number, body: string, headers: Record<string, string> = {}) => ({
  status: code,
  headers,
  body,
});
const thrown = (code: string, message = code) => Object.assign(new Error(message), { code });

const TABLE: readonly (readonly [string, unknown, FailureClass, string])[] = [
  ['401', status(401, { reason: 'Unauthorized', message: 'Unauthorized' }), 'denied', 'api-denied'],
  [
    '403 by RBAC',
    status(403, {
      reason: 'Forbidden',
      message:
        'deployments.apps "web" is forbidden: User "fairway" cannot patch resource "deployments" in API group "apps" in the namespace "default"',
      details: { name: 'web', group: 'apps', kind: 'deployments' },
    }),
    'denied',
    'api-denied',
  ],
  [
    '403 namespace terminating',
    status(403, {
      reason: 'Forbidden',
      message:
        'deployments.apps "web" is forbidden: unable to create new content in namespace gone because it is being terminated',
      details: {
        name: 'web',
        group: 'apps',
        kind: 'deployments',
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: 'namespace gone is being terminated',
            field: 'metadata.namespace',
          },
        ],
      },
    }),
    'blocked',
    'namespace-terminating',
  ],
  [
    '403 quota',
    status(403, {
      reason: 'Forbidden',
      message:
        'pods "web" is forbidden: exceeded quota: compute, requested: cpu=2, used: cpu=8, limited: cpu=9',
      details: { name: 'web', kind: 'pods' },
    }),
    'blocked',
    'quota-exceeded',
  ],
  [
    '403 Pod Security',
    status(403, {
      reason: 'Forbidden',
      message:
        'pods "web" is forbidden: violates PodSecurity "restricted:latest": privileged (container "a" must not set …)',
      details: { name: 'web', kind: 'pods' },
    }),
    'invalid',
    'admission-denied',
  ],
  [
    '400 webhook denied',
    status(400, { message: 'admission webhook "policy.example.org" denied the request: no latest tag' }),
    'invalid',
    'admission-denied',
  ],
  [
    '422 ValidatingAdmissionPolicy',
    status(422, {
      reason: 'Invalid',
      message:
        "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'demo' denied request: failed expression: object.spec.replicas <= 5",
      details: {
        name: 'web',
        group: 'apps',
        kind: 'deployments',
        causes: [{ message: 'failed expression' }],
      },
    }),
    'invalid',
    'admission-denied',
  ],
  [
    '404 object',
    status(404, {
      reason: 'NotFound',
      message: 'nodes "a" not found',
      details: { name: 'a', kind: 'nodes' },
    }),
    'conflict',
    'not-found',
  ],
  [
    '404 namespace',
    status(404, {
      reason: 'NotFound',
      message: 'namespaces "x" not found',
      details: { name: 'x', kind: 'namespaces' },
    }),
    'invalid',
    'not-found',
  ],
  [
    '404 resource',
    status(404, {
      reason: 'NotFound',
      message: 'the server could not find the requested resource',
      details: {},
    }),
    'invalid',
    'kind-unknown',
  ],
  [
    '409 already exists',
    status(409, {
      reason: 'AlreadyExists',
      message: 'jobs.batch "e2e" already exists',
      details: { name: 'e2e', group: 'batch', kind: 'jobs' },
    }),
    'conflict',
    'already-exists',
  ],
  [
    '409 changed',
    status(409, {
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on nodes "a": the object has been modified; please apply your changes to the latest version and try again',
      details: { name: 'a', kind: 'nodes' },
    }),
    'conflict',
    'object-changed',
  ],
  [
    '409 field managers',
    status(409, {
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas',
      details: {
        causes: [
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "kubectl-edit" using apps/v1',
            field: '.spec.replicas',
          },
        ],
      },
    }),
    'conflict',
    'field-conflict',
  ],
  [
    '409 other UID',
    status(409, {
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on pods "web": the UID in the precondition (a) does not match the UID in record (b). The object might have been deleted and then recreated',
      details: { name: 'web', kind: 'pods' },
    }),
    'conflict',
    'object-replaced',
  ],
  [
    '410 expired',
    status(410, { reason: 'Expired', message: 'The provided continue parameter is too old' }),
    'conflict',
    'resource-expired',
  ],
  [
    '422 invalid',
    status(422, {
      reason: 'Invalid',
      message:
        'Job.batch "e2e" is invalid: spec.template: Invalid value: core.PodTemplateSpec{…}: field is immutable',
      details: {
        name: 'e2e',
        group: 'batch',
        kind: 'Job',
        causes: [
          {
            reason: 'FieldValueInvalid',
            message: 'Invalid value: core.PodTemplateSpec{…}: field is immutable',
            field: 'spec.template',
          },
        ],
      },
    }),
    'invalid',
    'object-invalid',
  ],
  [
    '400 strict decoding',
    status(400, {
      reason: 'BadRequest',
      message:
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica"',
    }),
    'invalid',
    'object-invalid',
  ],
  [
    '500 typed patch',
    status(500, {
      message:
        'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema',
    }),
    'invalid',
    'object-invalid',
  ],
  [
    '500 webhook away',
    status(500, {
      reason: 'InternalError',
      message:
        'Internal error occurred: failed calling webhook "policy.example.org": failed to call webhook: Post "https://policy.default.svc:443/?timeout=10s": dial tcp 10.0.0.1:443: connect: connection refused',
      details: { causes: [{ message: 'failed calling webhook' }] },
    }),
    'transient',
    'webhook-unreachable',
  ],
  [
    '500 etcd',
    status(500, { reason: 'InternalError', message: 'etcdserver: request timed out' }),
    'transient',
    'api-error',
  ],
  [
    '503 Status',
    status(503, {
      reason: 'ServiceUnavailable',
      message: 'the server is currently unable to handle the request',
    }),
    'transient',
    'api-unreachable',
  ],
  [
    '504 Status',
    status(504, {
      reason: 'Timeout',
      message: 'request did not complete within requested timeout - context deadline exceeded',
    }),
    'transient',
    'api-unreachable',
  ],
  [
    '503 HTML',
    plain(
      503,
      '<html><head><title>503 Service Temporarily Unavailable</title></head><body><center>awselb/2.0</center></body></html>',
    ),
    'transient',
    'api-unreachable',
  ],
  ['302 login page', plain(302, '', { location: 'https://login.example.org' }), 'denied', 'api-redirected'],
  ['403 of a proxy', plain(403, '<h1>Forbidden</h1>'), 'denied', 'api-denied'],
  [
    '429 by fairness',
    plain(429, 'Too many requests, please try again later.\n', { 'retry-after': '3' }),
    'throttled',
    'api-throttled',
  ],
  ['refused', thrown('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1'), 'transient', 'api-unreachable'],
  ['reset', thrown('ECONNRESET', 'read ECONNRESET'), 'transient', 'api-unreachable'],
  ['hang up', thrown('', 'socket hang up'), 'transient', 'api-unreachable'],
  ['timed out', thrown('ETIMEDOUT'), 'transient', 'api-unreachable'],
  [
    'no such name',
    thrown('ENOTFOUND', 'getaddrinfo ENOTFOUND kube-1.example.org'),
    'transient',
    'api-unreachable',
  ],
  [
    'all addresses refused',
    Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
    'transient',
    'api-unreachable',
  ],
  ['our limit', new ApiLimitError('answer', 'no answer within 10 s'), 'transient', 'api-unreachable'],
  [
    'self-signed',
    thrown('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain'),
    'denied',
    'api-tls-untrusted',
  ],
  ['unknown CA', thrown('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'denied', 'api-tls-untrusted'],
  [
    'other host',
    thrown('ERR_TLS_CERT_ALTNAME_INVALID', "Hostname/IP does not match certificate's altnames"),
    'denied',
    'api-tls-untrusted',
  ],
  ['expired', thrown('CERT_HAS_EXPIRED', 'certificate has expired'), 'denied', 'api-tls-untrusted'],
  [
    'client certificate refused',
    thrown('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tlsv13 alert certificate required'),
    'denied',
    'api-tls-refused',
  ],
  [
    'no TLS there',
    thrown('EPROTO', 'write EPROTO 00:error:0A00010B:SSL routines:ssl3_get_record:wrong version number'),
    'invalid',
    'api-tls-protocol',
  ],
  [
    'aborted',
    Object.assign(new Error('The operation was aborted'), { name: 'AbortError', code: 'ABORT_ERR' }),
    'transient',
    'request-aborted',
  ],
  ['anything else', new TypeError('x is not a function'), 'bug', 'unclassified-error'],
];

describe('classify', () => {
  it.each(TABLE)('%s', (_name, trouble, kind, code) => {
    const failure = classify(trouble, APPLY);
    expect({ class: failure.class, code: failure.code }).toEqual({ class: kind, code });
    expect(failure.message).toContain('apply apps/Deployment default/web');
  });

  it('names the field and the reason of an invalid object', () => {
    const invalid = TABLE.find(([name]) => name === '422 invalid')?.[1];
    expect(classify(invalid, APPLY).details).toEqual([
      {
        message: 'Invalid value: core.PodTemplateSpec{…}: field is immutable',
        place: { field: 'spec.template' },
      },
    ]);
  });

  it('names the field of a typed patch error, and the manager of a conflict', () => {
    const typed = TABLE.find(([name]) => name === '500 typed patch')?.[1];
    expect(classify(typed, APPLY).place).toEqual({ field: 'spec.replica' });
    const conflict = TABLE.find(([name]) => name === '409 field managers')?.[1];
    expect(classify(conflict, APPLY).details).toEqual([
      { message: 'conflict with "kubectl-edit" using apps/v1', place: { field: '.spec.replicas' } },
    ]);
  });

  it('a denied delete is blocked, not invalid', () => {
    const denied = status(403, {
      message: 'admission webhook "keep.example.org" denied the request: protected',
    });
    expect(classify(denied, DELETE).class).toBe('blocked');
  });

  it('carries what the server asks to wait, from the body before the header', () => {
    const busy = status(
      429,
      { reason: 'TooManyRequests', message: 'busy', details: { retryAfterSeconds: 7 } },
      { 'retry-after': '1' },
    );
    expect(classify(busy, APPLY).retryAfterMs).toBe(7000);
    expect(classify(plain(429, 'x', { 'retry-after': '3' }), APPLY).retryAfterMs).toBe(3000);
    expect(classify(plain(429, 'x'), APPLY).retryAfterMs).toBe(1000);
  });

  it('hints at the CA where the certificate is not trusted', () => {
    expect(classify(thrown('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), APPLY).hint).toContain('CA');
  });

  it('says the title of an HTML page, not the page', () => {
    const page = TABLE.find(([name]) => name === '503 HTML')?.[1];
    expect(classify(page, APPLY).message).toContain('503 Service Temporarily Unavailable');
    expect(classify(page, APPLY).message).not.toContain('<');
  });

  it('never repeats the values of a Secret', () => {
    const answer = status(422, {
      reason: 'Invalid',
      message: 'Secret "a" is invalid: data[x]: Invalid value: "hunter2": must be valid',
      details: {
        causes: [
          {
            reason: 'FieldValueInvalid',
            message: 'Invalid value: "hunter2": must be valid',
            field: 'data[x]',
          },
        ],
      },
    });
    expect(JSON.stringify(classify(answer, { ...APPLY, secret: true }))).not.toContain('hunter2');
    const typed = status(500, {
      message:
        'failed to create typed patch object (a/b; /v1, Kind=Secret): .stringData.pin: expected string, got &value.valueUnstructured{Value:4242171}',
    });
    const failure = classify(typed, { ...APPLY, secret: true });
    expect(failure).toMatchObject({ code: 'object-invalid', place: { field: 'stringData.pin' } });
    expect(JSON.stringify(failure)).not.toContain('4242171');
  });
});
