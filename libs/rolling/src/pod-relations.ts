import type { NodeView, PodView } from '#fleet';
import { listOf, matchesSelector } from './selector.js';

/** A pod where it runs, or where the simulation has put it. */
export interface Standing {
  readonly pod: PodView;
  readonly node: NodeView;
}

/** A term by which a pod keeps others away, and where it does. */
export interface Keeper {
  readonly standing: Standing;
  readonly term: Term;
}

/** The pods around. */
export interface Surroundings {
  /** At least all that the selector means in these namespaces. */
  near(namespaces: readonly string[], selector: unknown): readonly Standing[];
  /** At least all terms that keep this pod away. */
  keepersFor(pod: PodView): readonly Keeper[];
  /** Domains of a topology key on the nodes that have all these keys, with nobody counted in them. */
  domains(key: string, keys: readonly string[]): ReadonlyMap<string, number>;
}

export interface Term {
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

export const antiAffinityTerms = (pod: PodView): readonly Term[] => termsOf(pod, 'podAntiAffinity');

export type Refusal = (node: NodeView) => string | undefined;

/**
 * Why a pod may not stand on a node because of the pods around it: required affinity and anti-affinity, its own and that
 * of the others. What a namespaceSelector selects is not known here; such terms are taken as met.
 * Source: kubernetes/pkg/scheduler/framework/plugins/interpodaffinity/filtering.go.
 */
export function relationsOf(pod: PodView, around: Surroundings): Refusal {
  const wanted = termsOf(pod, 'podAffinity').flatMap((term) => wantedDomains(pod, term, around) ?? []);
  const own = antiAffinityTerms(pod).map((term) => domainsOf(pod, term, around));
  const others = around
    .keepersFor(pod)
    .filter(({ standing, term }) => isMeant(standing.pod, term, pod))
    .map(({ standing, term }) => ({
      key: String(term.topologyKey),
      values: new Set([standing.node.labels[String(term.topologyKey)]]),
    }));
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
const domainsOf = (pod: PodView, term: Term, around: Surroundings): Domains => {
  const key = String(term.topologyKey);
  const near = around.near(namespacesOf(pod, term), term.labelSelector);
  const meant = near.filter((other) => isMeant(pod, term, other.pod));
  return { key, values: new Set(meant.map(({ node }) => node.labels[key])) };
};

/** The first of a group that wants to be near itself may go anywhere. */
function wantedDomains(pod: PodView, term: Term, around: Surroundings): Domains | undefined {
  if (term.namespaceSelector !== undefined) return undefined;
  const domains = domainsOf(pod, term, around);
  return domains.values?.size === 0 && isMeant(pod, term, pod) ? { ...domains, values: undefined } : domains;
}

/** Namespaces that a term of `subject` is about: none where a namespaceSelector says so. */
export function namespacesOf(subject: PodView, term: Term): readonly string[] {
  if (term.namespaceSelector !== undefined) return [];
  const named = listOf(term.namespaces).map(String);
  return named.length > 0 ? named : [subject.namespace];
}

/** Whether a term of `subject` is about this pod. */
function isMeant(subject: PodView, term: Term, pod: PodView): boolean {
  return (
    namespacesOf(subject, term).includes(pod.namespace) &&
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
