import { failureError } from './classify.js';
import type { RequestContext } from './request-context.js';
import { parseStatus, type ApiAnswer } from './status.js';

/** A container that has not run, or a pod that has no node. */
const NO_LOG_YET = /is waiting to start|not (yet )?available|not found|does not have a host assigned/;

/** The log that was answered; undefined where there is none yet, or the pod is gone. */
export function podLogText(answer: ApiAnswer, context: RequestContext): string | undefined {
  if (answer.status === 200) return answer.body;
  // Kubernetes 1.36 says this of a pod that nobody has scheduled; elsewhere it is a 400 with words.
  if (answer.status === 204) return undefined;
  const status = parseStatus(answer.body);
  if (answer.status === 404 && status?.name) return undefined;
  if (answer.status === 400 && NO_LOG_YET.test(status?.message ?? '')) return undefined;
  throw failureError(answer, context);
}
