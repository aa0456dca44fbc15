import type { Scheduler } from '../../time/scheduler.js';
import { AdmissionHooks } from '../api/admission.js';
import { forbidden, notFound, tooManyRequests } from '../api/api-error.js';
import { ApiError, type KubeObject, type ObjectStore } from '../api/store.js';
import type { ClusterView } from './cluster-view.js';
import { conditionOf, withCondition } from './conditions.js';
import { withoutPod } from './disruption-budget.js';
import type { Pod, Thing } from './objects.js';
import { isFinished, isReady, isTerminating } from './pods.js';
import { selects } from './selector.js';
import type { BudgetStatus, DisruptionBudget } from './workloads.js';

const PODS = { resource: 'pods', group: '' };
const BUDGETS = 'poddisruptionbudgets.policy';
const VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget.";
/** More evictions than this that the controller has not confirmed, and the API refuses further ones. */
const MAX_DISRUPTED = 2000;

/** What `POST …/pods/<name>/eviction` carries (policy/v1 Eviction). */
export interface EvictionRequest {
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly dryRun?: boolean;
}

export interface EvictionDependencies {
  readonly store: ObjectStore;
  readonly view: ClusterView;
  readonly scheduler: Scheduler;
}

/**
 * The eviction subresource with kube-apiserver's rules and words (registry/core/pod/storage/eviction.go): returns where it
 * answers 201 with `Status: Success`, throws ApiError for every other answer. Order matters and is kept: admission, pod,
 * pods that no budget guards, more than one budget, unready pods, then verify-and-decrement, and only then the delete, so that
 * a failed UID precondition has already cost a disruption, as on a real server.
 */
export class EvictionHandler {
  constructor(private readonly deps: EvictionDependencies) {}

  evict(request: EvictionRequest): void {
    this.admit(request);
    const pod = this.deps.view.get<Pod>('pods', request.namespace, request.name);
    if (!pod) throw notFound(PODS, request.name);
    if (isUnguarded(pod)) return this.delete(pod, request);
    const budgets = this.budgetsOf(pod);
    if (budgets.length > 1) throw new ApiError(500, '', TWO_BUDGETS);
    const budget = budgets[0];
    if (budget && !mayGoUnready(pod, budget)) this.decrement(pod, budget, request.dryRun === true);
    this.delete(pod, request);
  }

  private admit(request: EvictionRequest): void {
    const namespace = this.deps.view.get('namespaces', undefined, request.namespace);
    if (namespace && (isTerminating(namespace) || phaseOf(namespace) === 'Terminating')) {
      const why = `unable to create new content in namespace ${request.namespace} because it is being terminated`;
      const message = `namespace ${request.namespace} is being terminated`;
      throw forbidden(PODS, request.name, why, [
        { reason: 'NamespaceTerminating', message, field: 'metadata.namespace' },
      ]);
    }
    reviewEviction(this.deps.store.admission, request);
  }

  private budgetsOf(pod: Pod): DisruptionBudget[] {
    if (Object.keys(pod.metadata.labels ?? {}).length === 0) return [];
    return this.deps.view
      .inNamespace<DisruptionBudget>(BUDGETS, pod.metadata.namespace as string)
      .filter((budget) => selects(budget.spec?.selector, pod.metadata.labels));
  }

  private decrement(pod: Pod, budget: DisruptionBudget, dryRun: boolean): void {
    const status = checkBudget(budget);
    if (dryRun) return;
    const now = this.deps.scheduler.now();
    const next = withoutPod(status, pod.metadata.name, now);
    const observedGeneration = budget.metadata.generation ?? 1;
    const insufficient = {
      type: 'DisruptionAllowed',
      status: 'False',
      reason: 'InsufficientPods',
      message: '',
      observedGeneration,
    };
    this.deps.store.modify(
      BUDGETS,
      budget.metadata.namespace,
      budget.metadata.name,
      (draft) => {
        draft['status'] =
          next.disruptionsAllowed > 0
            ? next
            : { ...next, conditions: withCondition(status.conditions, insufficient, now) };
      },
      { subresource: 'status', manager: 'kube-apiserver' },
    );
  }

  private delete(pod: Pod, request: EvictionRequest): void {
    const { store } = this.deps;
    const { namespace, name } = pod.metadata;
    const preconditions = {
      ...(request.uid !== undefined && { uid: request.uid }),
      ...(request.resourceVersion !== undefined && { resourceVersion: request.resourceVersion }),
    };
    if (request.uid !== undefined && request.uid !== pod.metadata.uid) {
      throw preconditionFailed(name, 'UID', request.uid, pod.metadata.uid as string);
    }
    const marks = !request.dryRun && request.resourceVersion === undefined && !isTerminating(pod);
    if (marks) this.mark(pod);
    store.remove('pods', namespace, name, {
      ...preconditions,
      ...(request.gracePeriodSeconds !== undefined && { gracePeriodSeconds: request.gracePeriodSeconds }),
      ...(request.dryRun && { dryRun: true }),
    });
  }

  private mark(pod: Pod): void {
    const now = this.deps.scheduler.now();
    const reason = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
    };
    const change = (draft: KubeObject): void => {
      const status = (draft['status'] ?? {}) as { conditions?: never };
      draft['status'] = { ...status, conditions: withCondition(status.conditions, reason, now) };
    };
    this.deps.store.modify('pods', pod.metadata.namespace, pod.metadata.name, change, {
      subresource: 'status',
      manager: 'kube-apiserver',
    });
  }
}

const TWO_BUDGETS =
  'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';

/** Finished, pending and already deleted pods are evicted whatever the budget says. */
const isUnguarded = (pod: Pod): boolean =>
  isFinished(pod) || (pod.status?.phase ?? 'Pending') === 'Pending' || isTerminating(pod);

function mayGoUnready(pod: Pod, budget: DisruptionBudget): boolean {
  if (isReady(pod)) return false;
  if (budget.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function checkBudget(budget: DisruptionBudget): BudgetStatus {
  const { name } = budget.metadata;
  const status = budget.status ?? {
    disruptionsAllowed: 0,
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
  };
  if ((status.observedGeneration ?? 0) < (budget.metadata.generation ?? 1)) {
    const message = `The disruption budget ${name} is still being processed by the server.`;
    throw tooManyRequests(VIOLATES, 10, [{ reason: 'DisruptionBudget', message }]);
  }
  const target = { resource: 'poddisruptionbudget', group: 'policy' };
  if (status.disruptionsAllowed < 0) throw forbidden(target, name, 'pdb disruptions allowed is negative');
  if (Object.keys(status.disruptedPods ?? {}).length > MAX_DISRUPTED) {
    throw forbidden(
      target,
      name,
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    );
  }
  if (status.disruptionsAllowed > 0) return status;
  const condition = conditionOf({ status }, 'DisruptionAllowed');
  const message =
    condition?.reason === 'SyncFailed'
      ? `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${condition.message}`
      : `The disruption budget ${name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`;
  throw tooManyRequests(VIOLATES, 0, [{ reason: 'DisruptionBudget', message }]);
}

function preconditionFailed(name: string, what: string, wanted: string, is: string): ApiError {
  const message = `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${is}`;
  return new ApiError(409, 'Conflict', `Operation cannot be fulfilled on pods "${name}": ${message}`, {
    details: { name, kind: 'pods' },
  });
}

const phaseOf = (namespace: Thing): unknown => (namespace.status as { phase?: string } | undefined)?.phase;

/** Webhooks on `pods/eviction` see the Eviction object and may deny it in their own words. */
function reviewEviction(hooks: AdmissionHooks, request: EvictionRequest): void {
  const review = {
    operation: 'CREATE' as const,
    resource: 'pods',
    subresource: 'eviction',
    namespace: request.namespace,
    name: request.name,
    object: {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: request.name, namespace: request.namespace },
    } as unknown as KubeObject,
    dryRun: request.dryRun === true,
  };
  for (const hook of hooks.matching(review)) {
    const answer = hook.review(review);
    if (!('deny' in answer)) continue;
    const text = `admission webhook "${hook.name}" denied the request${answer.deny ? `: ${answer.deny}` : ' without explanation'}`;
    throw new ApiError(answer.code ?? 400, answer.reason ?? 'BadRequest', text);
  }
}
