import type { NodeView, PodView } from '#fleet';
import { listOf, matchesSelector } from './selector.js';

/** A pod where it runs, or where the simulation has put it. */
export interface Standing {
  readonly pod: PodView;
  readonly node: NodeView;
}

interface Term {
  readonly topologyKey?: unknown;
  readonly labelSelector?: unknown;
  readonly namespaces?: unknown;
  readonly namespaceSelector?: unknown;
  readonly matchLabelKeys?: unknown;
  readonly mismatchLabelKeys?: unknown;
}

type Kind = 'podAffinity' | 'podAntiAffinity';

/** The required terms of a pod's affinity or anti-affinity to other pods. */
function termsOf(pod: PodView, kind: Kind): readonly Term[] {
  const affinity = (pod.affinity ?? {}) as Readonly<
    Partial<Record<Kind, { readonly requiredDuringSchedulingIgnoredDuringExecution?: unknown } | null>>
  >;
  return listOf(affinity[kind]?.requiredDuringSchedulingIgnoredDuringExecution) as readonly Term[];
}

export const keepsOthersAway = (pod: PodView): boolean => termsOf(pod, 'podAntiAffinity').length > 0;

export type Refusal = (node: NodeView) => string | undefined;

/**
 * Why a pod may not stand on a node because of the pods around it: required affinity and anti-affinity, its own and that
 * of the others (`exclusive`: those of `standing` that keep others away). What a namespaceSelector selects is not known
 * here; such terms are taken as met.
 * Source: kubernetes/pkg/scheduler/framework/plugins/interpodaffinity/filtering.go.
 */
export function relationsOf(
  pod: PodView,
  standing: readonly Standing[],
  exclusive: readonly Standing[],
): Refusal {
  const wanted = termsOf(pod, 'podAffinity').flatMap((term) => wantedDomains(pod, term, standing) ?? []);
  const own = termsOf(pod, 'podAntiAffinity').map((term) => domainsOf(pod, term, standing));
  const others = exclusive.flatMap((other) =>
    termsOf(other.pod, 'podAntiAffinity')
      .filter((term) => isMeant(other.pod, term, pod))
      .map((term) => ({
        key: String(term.topologyKey),
        values: new Set([other.node.labels[String(term.topologyKey)]]),
      })),
  );
  return (node) => {
    if (!wanted.every((domains) => isIn(node, domains))) return 'required pod affinity is not met';
    if (own.some((domains) => isIn(node, domains))) return 'required pod anti-affinity is not met';
    return others.some((domains) => isIn(node, domains))
      ? 'the anti-affinity of another pod keeps it away'
      : undefined;
  };
}

interface Domains {
  readonly key: string;
  /** Undefined: any, as long as the node has the key. */
  readonly values: ReadonlySet<string | undefined> | undefined;
}

function isIn(node: NodeView, { key, values }: Domains): boolean {
  const value = node.labels[key];
  return value !== undefined && (values === undefined || values.has(value));
}

/** Where those that a term is about stand. */
const domainsOf = (pod: PodView, term: Term, standing: readonly Standing[]): Domains => {
  const key = String(term.topologyKey);
  const meant = standing.filter((other) => isMeant(pod, term, other.pod));
  return { key, values: new Set(meant.map(({ node }) => node.labels[key])) };
};

/** The first of a group that wants to be near itself may go anywhere. */
function wantedDomains(pod: PodView, term: Term, standing: readonly Standing[]): Domains | undefined {
  if (term.namespaceSelector !== undefined) return undefined;
  const domains = domainsOf(pod, term, standing);
  return domains.values?.size === 0 && isMeant(pod, term, pod) ? { ...domains, values: undefined } : domains;
}

/** Whether a term of `subject` is about this pod. */
function isMeant(subject: PodView, term: Term, pod: PodView): boolean {
  if (term.namespaceSelector !== undefined) return false;
  const named = listOf(term.namespaces).map(String);
  const namespaces = named.length > 0 ? named : [subject.namespace];
  return (
    namespaces.includes(pod.namespace) &&
    matchesSelector(term.labelSelector, pod.labels) &&
    sameLabels(subject, pod, term.matchLabelKeys) &&
    listOf(term.mismatchLabelKeys)
      .map(String)
      .every((key) => subject.labels[key] === undefined || subject.labels[key] !== pod.labels[key])
  );
}

/** `matchLabelKeys`: only pods with the subject's own values; keys that it does not have are ignored. */
export const sameLabels = (subject: PodView, pod: PodView, keys: unknown): boolean =>
  listOf(keys)
    .map(String)
    .every((key) => subject.labels[key] === undefined || subject.labels[key] === pod.labels[key]);
