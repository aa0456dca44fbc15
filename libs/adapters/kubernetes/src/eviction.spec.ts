import { describe, expect, it } from 'vitest';
import { FailureError } from '#kernel';
import type { EvictionAnswer } from '#ports';
import { classifyEviction } from './eviction.js';

const CONTEXT = { action: 'evict pod default/web', verb: 'delete' } as const;
const POD = { name: 'web', kind: 'pods' };

const status = (code: number, message: string, details: Record<string, unknown> = {}, reason = '') => ({
  status: code,
  headers: {},
  body: JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message,
    reason,
    details,
    code,
  }),
});
const budget = (message: string) => ({ causes: [{ reason: 'DisruptionBudget', message }] });
const VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget.";

/** The table of rolling.md with the real server's words. */
const ANSWERS: readonly (readonly [
  string,
  { status: number; headers: Record<string, string>; body: string },
  EvictionAnswer['kind'],
])[] = [
  ['201', { status: 201, headers: {}, body: '{"kind":"Status","status":"Success"}' }, 'accepted'],
  ['200', { status: 200, headers: {}, body: '{}' }, 'accepted'],
  ['404 pod', status(404, 'pods "web" not found', POD, 'NotFound'), 'gone'],
  [
    '409 UID',
    status(
      409,
      'Operation cannot be fulfilled on pods "web": the UID in the precondition (a) does not match the UID in record (b). The object might have been deleted and then recreated',
      POD,
      'Conflict',
    ),
    'gone',
  ],
  [
    '409 other',
    status(
      409,
      'Operation cannot be fulfilled on poddisruptionbudgets.policy "web": the object has been modified',
      {},
      'Conflict',
    ),
    'transient',
  ],
  [
    '429 budget',
    status(
      429,
      VIOLATES,
      budget('The disruption budget web needs 2 healthy pods and has 2 currently'),
      'TooManyRequests',
    ),
    'blocked-by-pdb',
  ],
  [
    '429 budget being processed',
    status(429, VIOLATES, {
      ...budget('The disruption budget web is still being processed by the server.'),
      retryAfterSeconds: 10,
    }),
    'blocked-by-pdb',
  ],
  [
    '429 throttled',
    status(
      429,
      'the server has received too many requests and has asked us to try again later',
      { retryAfterSeconds: 1 },
      'TooManyRequests',
    ),
    'throttled',
  ],
  [
    '429 by fairness',
    { status: 429, headers: { 'retry-after': '1' }, body: 'Too many requests, please try again later.' },
    'throttled',
  ],
  [
    '500 two budgets',
    status(
      500,
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    ),
    'several-pdbs',
  ],
  [
    '403 namespace terminating',
    status(
      403,
      'pods "web" is forbidden: unable to create new content in namespace x because it is being terminated',
      {
        ...POD,
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: 'namespace x is being terminated',
            field: 'metadata.namespace',
          },
        ],
      },
    ),
    'namespace-terminating',
  ],
  [
    '403 negative budget',
    status(
      403,
      'poddisruptionbudget.policy "web" is forbidden: pdb disruptions allowed is negative',
      { name: 'web', group: 'policy', kind: 'poddisruptionbudget' },
      'Forbidden',
    ),
    'forbidden-with-pdb',
  ],
  [
    '403 crowded budget',
    status(
      403,
      'poddisruptionbudget.policy "web" is forbidden: DisruptedPods map too big - too many evictions not confirmed by PDB controller',
      { name: 'web', group: 'policy', kind: 'poddisruptionbudget' },
    ),
    'forbidden-with-pdb',
  ],
  [
    '403 webhook',
    status(403, 'admission webhook "postgres.example.org" denied the request: switchover first'),
    'webhook-denied',
  ],
  [
    '400 webhook',
    status(400, 'admission webhook "postgres.example.org" denied the request: switchover first'),
    'webhook-denied',
  ],
  [
    '429 webhook',
    status(429, 'admission webhook "postgres.example.org" denied the request: later'),
    'webhook-denied',
  ],
  [
    '500 webhook',
    status(500, 'admission webhook "postgres.example.org" denied the request: switchover first'),
    'webhook-denied',
  ],
  [
    '500 webhook away',
    status(
      500,
      'Internal error occurred: failed calling webhook "postgres.example.org": failed to call webhook: connection refused',
      {},
      'InternalError',
    ),
    'transient',
  ],
  ['500 other', status(500, 'etcdserver: leader changed', {}, 'InternalError'), 'transient'],
  [
    '504 conflicts',
    status(
      504,
      'couldn\'t update PodDisruptionBudget "web" due to conflicts',
      { retryAfterSeconds: 10 },
      'Timeout',
    ),
    'transient',
  ],
  [
    '502 HTML',
    { status: 502, headers: {}, body: '<html><title>502 Bad Gateway</title></html>' },
    'transient',
  ],
  ['503 HTML', { status: 503, headers: {}, body: '<html><title>503</title></html>' }, 'transient'],
  ['404 HTML of a load balancer', { status: 404, headers: {}, body: 'default backend - 404' }, 'transient'],
];

const HALTING: readonly (readonly [
  string,
  { status: number; headers: Record<string, string>; body: string },
  string,
])[] = [
  ['401', status(401, 'Unauthorized', {}, 'Unauthorized'), 'denied'],
  [
    '403 RBAC',
    status(
      403,
      'pods "web" is forbidden: User "fairway" cannot create resource "pods/eviction" in API group "" in the namespace "default"',
      POD,
      'Forbidden',
    ),
    'denied',
  ],
  ['400', status(400, 'name in URL does not match name in Eviction object', {}, 'BadRequest'), 'bug'],
  ['422', status(422, 'Eviction.policy "web" is invalid', {}, 'Invalid'), 'bug'],
  [
    '404 without the subresource',
    status(404, 'the server could not find the requested resource', {}, 'NotFound'),
    'bug',
  ],
];

describe('classifyEviction', () => {
  it.each(ANSWERS)('%s', (_name, answer, kind) => {
    expect(classifyEviction(answer, CONTEXT).kind).toBe(kind);
  });

  it.each(HALTING)('%s halts the roll', (_name, answer, kind) => {
    let failure;
    try {
      classifyEviction(answer, CONTEXT);
    } catch (thrown) {
      failure = thrown instanceof FailureError ? thrown.failure : undefined;
    }
    expect(failure?.class).toBe(kind);
  });

  it('says which budget, what it needs and has, and how long to wait', () => {
    const [, blocked] = ANSWERS.find(([name]) => name === '429 budget') ?? [];
    expect(blocked && classifyEviction(blocked, CONTEXT)).toEqual({
      kind: 'blocked-by-pdb',
      message: 'The disruption budget web needs 2 healthy pods and has 2 currently',
    });
    const [, processed] = ANSWERS.find(([name]) => name === '429 budget being processed') ?? [];
    expect(processed && classifyEviction(processed, CONTEXT)).toMatchObject({ retryAfterMs: 10_000 });
  });
});
