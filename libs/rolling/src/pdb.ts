import type { PdbView, PodView } from '#fleet';
import type { PdbBlock } from './decision.js';
import { matchesSelector } from './selector.js';

export const pdbName = (pdb: PdbView): string => `${pdb.namespace}/${pdb.name}`;
export const podName = (pod: PodView): string => `${pod.namespace}/${pod.name}`;

/** PDBs that cover a pod. More than one makes the Eviction API answer 500, always. */
export function pdbsOf(pod: PodView, pdbs: readonly PdbView[]): readonly PdbView[] {
  const own = byNamespace(pdbs).get(pod.namespace) ?? [];
  return own.filter((pdb) => matchesSelector(pdb.selector, pod.labels));
}

const indexes = new WeakMap<readonly PdbView[], ReadonlyMap<string, readonly PdbView[]>>();

/** One look's PDBs are asked about for every pod of every node: clusters have hundreds of them, a namespace a few. */
function byNamespace(pdbs: readonly PdbView[]): ReadonlyMap<string, readonly PdbView[]> {
  const known = indexes.get(pdbs);
  if (known) return known;
  const index = new Map<string, PdbView[]>();
  for (const pdb of pdbs) {
    const list = index.get(pdb.namespace);
    if (list) list.push(pdb);
    else index.set(pdb.namespace, [pdb]);
  }
  indexes.set(pdbs, index);
  return index;
}

/** All pods are healthy and still none may go: nothing but a change of the PDB or the replicas will ever free one. */
export const neverAllows = (pdb: PdbView): boolean =>
  pdb.observedGeneration >= pdb.generation &&
  pdb.expectedPods > 0 &&
  pdb.currentHealthy >= pdb.expectedPods &&
  pdb.disruptedPods === 0 &&
  pdb.disruptionsAllowed === 0;

/** Database operators hold their primary's PDB at zero until they have switched over: that is work, not a mistake. */
const RESPONDER_LABELS = ['cluster-name', 'cnpg.io/cluster', 'postgres-operator.crunchydata.com/cluster'];

export const hasResponder = (pdb: PdbView): boolean => guardsPrimary(pdb) || isLabelled(pdb);

/** Operators' PDBs select by role; their labels depend on the installation. */
function guardsPrimary({ selector }: PdbView): boolean {
  const labels = (selector as { matchLabels?: Readonly<Record<string, string>> } | null)?.matchLabels ?? {};
  return labels['spilo-role'] === 'master' || labels['cnpg.io/instanceRole'] === 'primary';
}

const isLabelled = (pdb: PdbView): boolean =>
  RESPONDER_LABELS.some((label) => pdb.labels[label] !== undefined) &&
  (pdb.labels['spilo-role'] !== undefined ||
    pdb.labels['application'] === 'spilo' ||
    'cnpg.io/cluster' in pdb.labels);

const OWNER_KEYS = ['team', 'owner', 'application', 'app.kubernetes.io/name', 'app'];

/** Whom to ask: the team by label or annotation, else the application. */
export function ownerOf(pdb: PdbView): string | undefined {
  for (const key of OWNER_KEYS) {
    const value = pdb.labels[key] ?? pdb.annotations[key];
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}

export function pdbBlock(pdb: PdbView, pod?: PodView): PdbBlock {
  const owner = ownerOf(pdb);
  return {
    pdb: pdb.name,
    namespace: pdb.namespace,
    needs: pdb.desiredHealthy,
    has: pdb.currentHealthy,
    ...(pod && { pod: pod.name }),
    ...(owner !== undefined && { owner }),
  };
}

export function pdbRemedy(pdb: PdbView): string {
  const owner = ownerOf(pdb);
  const who = owner === undefined ? 'Its owner' : `Its owner (${owner})`;
  return neverAllows(pdb)
    ? `${who} must allow a disruption (maxUnavailable ≥ 1, or minAvailable below the number of replicas) or add a replica.`
    : `It opens when ${pdb.desiredHealthy + 1} pods are healthy (now ${pdb.currentHealthy} of ${pdb.expectedPods}); ${who.toLowerCase()} can help.`;
}
