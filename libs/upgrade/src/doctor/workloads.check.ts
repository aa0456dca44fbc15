import { formatDuration, minutes } from '#kernel';
import type { Finding, PdbView } from '#fleet';
import { finding } from './catalogue.js';
import { judge, plural, some, verdict, type Verdict } from './check.js';
import type { DoctorObservation, WebhookView } from './observation.js';

/** Controllers need a while to empty a namespace; what takes longer is held by something. */
const STUCK_AFTER = minutes(10);

/** Budgets that no drain can ever pass. */
export function budgetsCheck({ pdbs }: DoctorObservation): Verdict {
  return judge(pdbs, (all) =>
    verdict(
      `${plural(all.length, 'budget')}, each allows a disruption sooner or later`,
      all.filter(neverAllows).map((pdb) =>
        finding('pdb-blocks-always', {
          subject: `pdb ${pdb.namespace}/${pdb.name}`,
          message: `${pdb.namespace}/${pdb.name} wants ${pdb.desiredHealthy} of ${plural(pdb.expectedPods, 'pod')} healthy: it can never allow an eviction`,
          remedy: 'Its owner adds a replica, or uses maxUnavailable: 1.',
        }),
      ),
    ),
  );
}

/** Whole, observed, and still nothing is allowed (rolling.md): waiting does not help. */
const neverAllows = (pdb: PdbView): boolean =>
  pdb.observedGeneration >= pdb.generation &&
  pdb.expectedPods > 0 &&
  pdb.currentHealthy >= pdb.expectedPods &&
  pdb.disruptedPods === 0 &&
  pdb.disruptionsAllowed === 0;

/** Workloads that are away whenever their only pod moves. One finding for all: they are many and rarely urgent. */
export function workloadsCheck({ workloads }: DoctorObservation): Verdict {
  return judge(workloads, (all) => {
    const lonely = all.filter(({ replicas, surges }) => replicas === 1 && !surges).map(({ name }) => name);
    const found = finding('single-replica', {
      subject: 'workloads',
      message: `${plural(lonely.length, 'workload has', 'workloads have')} one replica and no surge: ${some(lonely, 5)}`,
      remedy: 'Run two replicas with a PodDisruptionBudget, or let a rollout surge (maxSurge: 1).',
    });
    return verdict(
      `${plural(all.length, 'workload')}, none with a single replica that cannot surge`,
      lonely.length > 0 ? [found] : [],
    );
  });
}

/** Webhooks that refuse everything because nobody is there to answer. */
export function webhooksCheck({ webhooks }: DoctorObservation): Verdict {
  return judge(webhooks, (all) => {
    const closed = all.filter((webhook) => webhook.closed);
    const dead = closed.filter(({ service, endpoints }) => service !== undefined && endpoints === 0);
    const unseen = closed.filter(
      ({ service, endpoints }) => service !== undefined && endpoints === undefined,
    );
    const why = `endpoints of ${some(unseen.map(({ service }) => service ?? ''))} could not be read`;
    return verdict(
      `${plural(all.length, 'webhook')}, ${closed.length} of them fail closed and are answered`,
      dead.map(deadWebhook),
      unseen.length > 0 ? [why] : [],
    );
  });
}

const deadWebhook = ({ name, service }: WebhookView): Finding =>
  finding('webhook-without-endpoints', {
    subject: `webhook ${name}`,
    message: `${name} fails closed, and service ${service} has no ready endpoint`,
    remedy: `Bring the pods behind ${service} up, or delete the webhook configuration until they are.`,
  });

/** Extension API servers that the API server cannot reach. */
export function aggregatedApisCheck({ aggregatedApis }: DoctorObservation): Verdict {
  return judge(aggregatedApis, (all) =>
    verdict(
      `${plural(all.length, 'API')} of extension servers available`,
      all
        .filter(({ available }) => !available)
        .map(({ name, message }) =>
          finding('aggregated-api-down', {
            subject: `apiservice ${name}`,
            message: `${name} is not available: ${message}`,
            remedy: 'Mend the service behind it, or delete the APIService where it is not used any more.',
          }),
        ),
    ),
  );
}

/** Namespaces that are on their way out for too long. */
export function namespacesCheck({ terminating, clusterNow, now: ours }: DoctorObservation): Verdict {
  const now = clusterNow ?? ours;
  return judge(terminating, (all) =>
    verdict(
      all.length === 0
        ? 'none is terminating'
        : `${plural(all.length, 'namespace')} terminating, none for long`,
      all
        .filter(({ since }) => now - since > STUCK_AFTER)
        .map(({ name, since, because }) =>
          finding('namespace-stuck', {
            subject: `namespace ${name}`,
            message: `${name} is terminating for ${formatDuration(now - since)}: ${because}`,
            remedy:
              'Bring the controller back that owns the finalizers, or the extension API that is missing; take finalizers off only where their owner is gone for good.',
            since,
          }),
        ),
    ),
  );
}
