import type { Deletion, KubernetesObject } from '#fleet';

/**
 * Objects that an entry of deletions.yaml means. Kind and namespace must fit (`objects` may hold more than was listed
 * for them), then exactly one of name, selector and labels; `has_owner` keeps only objects with or without an owner.
 * An entry with none of the three means nothing.
 */
export function matchDeletion(
  deletion: Deletion,
  objects: readonly KubernetesObject[],
): readonly KubernetesObject[] {
  const named = identifies(deletion);
  if (!named) return [];
  return objects.filter((object) => {
    // As kubectl: `deployment` means Deployment.
    if (object.kind.toLowerCase() !== deletion.kind.toLowerCase()) return false;
    if (deletion.namespace !== undefined && (object.metadata.namespace ?? '') !== deletion.namespace)
      return false;
    const owned = (object.metadata.ownerReferences ?? []).length > 0;
    return (deletion.hasOwner === undefined || deletion.hasOwner === owned) && named(object);
  });
}

function identifies(deletion: Deletion): ((object: KubernetesObject) => boolean) | undefined {
  const { name, selector, labels } = deletion;
  if (name !== undefined && name !== '') return (object) => object.metadata.name === name;
  if (labels !== undefined && Object.keys(labels).length > 0) {
    return (object) =>
      Object.entries(labels).every(([key, value]) => object.metadata.labels?.[key] === value);
  }
  if (selector === undefined || selector.trim() === '') return undefined;
  const requirements = splitSelector(selector).map(requirement);
  return (object) => requirements.every((holds) => holds(object.metadata.labels ?? {}));
}

type Requirement = (labels: Readonly<Record<string, string>>) => boolean;

/** Commas separate requirements, except inside parentheses. */
const splitSelector = (selector: string): readonly string[] =>
  selector
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** One requirement of kubectl's selector syntax. What cannot be read matches nothing: a deletion must not guess. */
function requirement(text: string): Requirement {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(text);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    const within: Requirement = (labels) => labels[key] !== undefined && values.includes(labels[key]);
    return operator === 'in' ? within : (labels) => !within(labels);
  }
  const equality = /^([^\s=!]+)\s*(==|=|!=)\s*([^\s=!]*)$/.exec(text);
  if (equality) {
    const [, key = '', operator, value] = equality;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const existence = /^(!?)\s*([A-Za-z0-9][A-Za-z0-9._/-]*)$/.exec(text);
  if (!existence) return () => false;
  const [, not, key = ''] = existence;
  return (labels) => (labels[key] !== undefined) !== (not === '!');
}
