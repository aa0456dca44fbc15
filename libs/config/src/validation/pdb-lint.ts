import type { ConfigProblem, SourcedObject } from '#fleet';
import { problem } from '../problems.js';
import { isRecord } from './cloudformation.js';

type Fields = Readonly<Record<string, unknown>>;
const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (inner, name) => (isRecord(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined),
    value,
  );

interface Workload {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Fields;
  readonly replicas: number;
}

const namespaceOf = (sourced: SourcedObject): string => sourced.object.metadata.namespace ?? 'default';

/** Workloads with a fixed number of replicas. One that an autoscaler grows counts with its least. */
function workloads(objects: readonly SourcedObject[]): readonly Workload[] {
  const autoscaled = new Map<string, number>();
  for (const sourced of objects) {
    if (sourced.object.kind !== 'HorizontalPodAutoscaler') continue;
    const target = at(sourced.object, 'spec', 'scaleTargetRef', 'name');
    const least = at(sourced.object, 'spec', 'minReplicas');
    autoscaled.set(`${namespaceOf(sourced)}/${String(target)}`, typeof least === 'number' ? least : 1);
  }
  return objects.flatMap((sourced) => {
    const { object } = sourced;
    if (object.kind !== 'Deployment' && object.kind !== 'StatefulSet') return [];
    const labels = at(object, 'spec', 'template', 'metadata', 'labels');
    const replicas = at(object, 'spec', 'replicas') ?? 1;
    if (!isRecord(labels) || typeof replicas !== 'number') return [];
    const namespace = namespaceOf(sourced);
    const { name } = object.metadata;
    return [
      {
        name: `${object.kind} ${name}`,
        namespace,
        labels,
        replicas: autoscaled.get(`${namespace}/${name}`) ?? replicas,
      },
    ];
  });
}

function selects(selector: unknown, labels: Fields): boolean {
  const wanted = at(selector, 'matchLabels');
  const expressions = at(selector, 'matchExpressions');
  if (isRecord(wanted) && Object.entries(wanted).some(([key, value]) => labels[key] !== value)) return false;
  if (!Array.isArray(expressions)) return true;
  return (expressions as readonly unknown[]).every((expression) => matches(expression, labels));
}

function matches(expression: unknown, labels: Fields): boolean {
  const label = labels[String(at(expression, 'key'))];
  const values = at(expression, 'values');
  const among = Array.isArray(values) && (values as readonly unknown[]).includes(label);
  switch (at(expression, 'operator')) {
    case 'In':
      return among;
    case 'NotIn':
      return !among;
    case 'Exists':
      return label !== undefined;
    case 'DoesNotExist':
      return label === undefined;
    default:
      return false;
  }
}

/** A number or a percentage of the replicas, rounded up as Kubernetes does. */
function amount(value: unknown, replicas: number): number | undefined {
  if (typeof value === 'number') return value;
  const percent = typeof value === 'string' ? /^(\d+)%$/.exec(value)?.[1] : undefined;
  return percent === undefined ? undefined : Math.ceil((Number(percent) * replicas) / 100);
}

/** Why a budget can never allow an eviction; undefined if it can. */
function neverAllows(spec: unknown, workload: Workload): string | undefined {
  const { replicas, name } = workload;
  const least = amount(at(spec, 'minAvailable'), replicas);
  if (least !== undefined && least >= replicas && replicas > 0) {
    return `minAvailable ${String(at(spec, 'minAvailable'))} of ${name} with ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`;
  }
  const most = amount(at(spec, 'maxUnavailable'), replicas);
  return most === 0 && replicas > 0
    ? `maxUnavailable ${String(at(spec, 'maxUnavailable'))} of ${name}`
    : undefined;
}

/** Warns of budgets that would block every drain of a node that runs one of their pods. */
export function pdbProblems(objects: readonly SourcedObject[]): readonly ConfigProblem[] {
  const all = workloads(objects);
  return objects.flatMap((sourced) => {
    const { object } = sourced;
    if (object.kind !== 'PodDisruptionBudget') return [];
    const selector = at(object, 'spec', 'selector');
    const reasons = all
      .filter((workload) => workload.namespace === namespaceOf(sourced) && selects(selector, workload.labels))
      .flatMap((workload) => neverAllows(at(object, 'spec'), workload) ?? []);
    return reasons.map((reason) =>
      problem(
        'pdb-never-allows',
        `PodDisruptionBudget ${object.metadata.name} can never allow an eviction: ${reason}`,
        sourced,
        'Add a replica, or use maxUnavailable: 1.',
        'warning',
      ),
    );
  });
}
