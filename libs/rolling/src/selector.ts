type Labels = Readonly<Record<string, string>>;

interface Requirement {
  readonly key?: unknown;
  readonly operator?: unknown;
  readonly values?: unknown;
}

/** A LabelSelector (matchLabels, matchExpressions). An empty one matches everything, an absent one nothing. */
export function matchesSelector(selector: unknown, labels: Labels): boolean {
  if (typeof selector !== 'object' || selector === null) return false;
  const { matchLabels, matchExpressions } = selector as { matchLabels?: unknown; matchExpressions?: unknown };
  const wanted = (matchLabels ?? {}) as Labels;
  for (const key in wanted) if (labels[key] !== wanted[key]) return false;
  return listOf(matchExpressions).every((requirement) => matchesRequirement(requirement, labels));
}

/** One requirement of a label selector or a node selector term (`Gt` and `Lt` are the latter's only). */
export function matchesRequirement(requirement: unknown, labels: Labels): boolean {
  const { key, operator, values } = (requirement ?? {}) as Requirement;
  const value = labels[String(key)];
  const wanted = listOf(values).map(String);
  switch (operator) {
    case 'In':
      return value !== undefined && wanted.includes(value);
    case 'NotIn':
      return value === undefined || !wanted.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(wanted[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(wanted[0]);
    default:
      return false;
  }
}

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
