import type { LabelSelector, SelectorRequirement, StringMap } from './objects.js';

const NONE: StringMap = {};

/** One requirement on a set of labels. `Gt` and `Lt` compare integers and serve node affinity only. */
export function meets(requirement: SelectorRequirement, labels: StringMap = NONE): boolean {
  const value = labels[requirement.key];
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/** An absent selector matches nothing, an empty one everything. */
export function selects(selector: LabelSelector | undefined, labels: StringMap = NONE): boolean {
  if (!selector) return false;
  for (const [key, value] of Object.entries(selector.matchLabels ?? NONE))
    if (labels[key] !== value) return false;
  return (selector.matchExpressions ?? []).every((requirement) => meets(requirement, labels));
}
