import { FailureError } from '#kernel';
import type { EvictionAnswer } from '#ports';
import { classify, isAdmissionDenial, isNamespaceTerminating, isUidMismatch } from './classify.js';
import type { RequestContext } from './request-context.js';
import { excerpt, parseStatus, retryAfterMs, type ApiAnswer, type ApiStatus } from './status.js';

/**
 * What an answer of the Eviction API (`policy/v1`) means; the table of shared/design/rolling.md. What must halt a roll
 * (401, 403 by RBAC, 400, 422, anything unknown) is thrown as a {@link FailureError}.
 * Source: kubernetes/pkg/registry/core/pod/storage/eviction.go.
 */
export function classifyEviction(answer: ApiAnswer, context: RequestContext): EvictionAnswer {
  const { status: code } = answer;
  if (code === 200 || code === 201) return { kind: 'accepted' };
  const status = parseStatus(answer.body);
  if (status === undefined) return classifyForeignEviction(answer, context);
  const message = status.message;
  if (isAdmissionDenial(message)) return { kind: 'webhook-denied', message };
  if (code === 429) return classifyTooMany(answer, status);
  if (code === 404 && status.name !== undefined && status.name !== '') return { kind: 'gone' };
  if (code === 409) {
    // Any other conflict (the PDB was written at the same moment) passes by itself.
    return isUidMismatch(status) ? { kind: 'gone' } : { kind: 'transient', message };
  }
  if (/more than one PodDisruptionBudget/.test(message)) return { kind: 'several-pdbs', message };
  if (code === 403) {
    if (isNamespaceTerminating(status)) return { kind: 'namespace-terminating', message };
    if (isAboutPdb(status)) return { kind: 'forbidden-with-pdb', message };
  }
  if (code >= 500) return { kind: 'transient', message: message || `HTTP ${code}` };
  throw haltingFailure(answer, context);
}

/** 429 is either the budget's no, or the server's plea for patience: only the cause tells. */
function classifyTooMany(answer: ApiAnswer, status: ApiStatus): EvictionAnswer {
  const asked = retryAfterMs(answer);
  const budget = status.causes.find((cause) => cause.type === 'DisruptionBudget');
  if (budget === undefined && !/disruption budget/i.test(status.message)) {
    return { kind: 'throttled', retryAfterMs: asked ?? 1000 };
  }
  return {
    kind: 'blocked-by-pdb',
    // The cause names the budget with what it needs and has; the message is the same for all.
    message: budget?.message || status.message,
    ...(asked !== undefined && { retryAfterMs: asked }),
  };
}

function classifyForeignEviction(answer: ApiAnswer, context: RequestContext): EvictionAnswer {
  if (answer.status === 429) return { kind: 'throttled', retryAfterMs: retryAfterMs(answer) ?? 1000 };
  if (answer.status === 401 || answer.status === 403 || answer.status === 400 || answer.status === 422) {
    throw haltingFailure(answer, context);
  }
  // An HTML 404 of a load balancer must never pass for "the pod is gone".
  return { kind: 'transient', message: `HTTP ${answer.status} ${excerpt(answer.body)}`.trim() };
}

function haltingFailure(answer: ApiAnswer, context: RequestContext): FailureError {
  const failure = classify(answer, context);
  if (failure.class === 'denied') return new FailureError(failure);
  // We build the request: if the server calls it malformed, the fault is ours.
  return new FailureError({ ...failure, class: 'bug', code: 'eviction-malformed' });
}

const isAboutPdb = (status: ApiStatus): boolean =>
  /^poddisruptionbudgets?$/i.test(status.kind ?? '') ||
  /pdb |disruption budget|DisruptedPods/i.test(status.message);
