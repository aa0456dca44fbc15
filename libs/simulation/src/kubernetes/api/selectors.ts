import { badRequest } from './api-error.js';
import { isJsonObject, type JsonObject, type KubeObject } from './object.js';

export type Predicate = (object: KubeObject) => boolean;
type Labels = Readonly<Record<string, string>>;
type LabelTest = (labels: Labels) => boolean;

const NAME = String.raw`[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?`;
const SET = new RegExp(String.raw`^(${NAME})\s+(in|notin)\s*\(([^()]*)\)$`);
const EQUALITY = new RegExp(String.raw`^(${NAME})\s*(==|=|!=)\s*([-A-Za-z0-9_.]*)$`);
const EXISTS = new RegExp(String.raw`^(!?)\s*(${NAME})$`);
const COMPARE = new RegExp(String.raw`^(${NAME})\s*([<>])\s*(-?\d+)$`);

/** `a=b,c!=d,e in (f,g),h notin (i),j,!k`, as `metav1.ListOptions.labelSelector`. Throws 400. */
export function parseLabelSelector(text: string): LabelTest {
  const tests = splitTopLevel(text).map((part) => requirement(part, text));
  return (labels) => tests.every((test) => test(labels));
}

function splitTopLevel(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let current = '';
  for (const character of text) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === ',' && depth === 0) {
      parts.push(current.trim());
      current = '';
    } else current += character;
  }
  parts.push(current.trim());
  return parts.length === 1 && parts[0] === '' ? [] : parts;
}

function requirement(part: string, whole: string): LabelTest {
  const set = SET.exec(part);
  if (set) {
    const [, key, operator, list] = set as unknown as [string, string, string, string];
    const values = new Set(list.split(',').map((value) => value.trim()));
    if (operator === 'in') return (labels) => labels[key] !== undefined && values.has(labels[key]);
    return (labels) => labels[key] === undefined || !values.has(labels[key]);
  }
  const equality = EQUALITY.exec(part);
  if (equality) {
    const [, key, operator, value] = equality as unknown as [string, string, string, string];
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const compare = COMPARE.exec(part);
  if (compare) {
    const [, key, operator, bound] = compare as unknown as [string, string, string, string];
    return (labels) => {
      const value = labels[key] === undefined ? Number.NaN : Number(labels[key]);
      return operator === '<' ? value < Number(bound) : value > Number(bound);
    };
  }
  const exists = EXISTS.exec(part);
  if (!exists) throw badRequest(`unable to parse requirement: found '${part}' in selector "${whole}"`);
  const [, not, key] = exists as unknown as [string, string, string];
  return not ? (labels) => labels[key] === undefined : (labels) => labels[key] !== undefined;
}

/** A `metav1.LabelSelector` value. Null selects nothing, an empty one everything. */
export function labelSelectorOf(selector: unknown): LabelTest {
  if (!isJsonObject(selector)) return () => false;
  const equal = Object.entries(isJsonObject(selector['matchLabels']) ? selector['matchLabels'] : {});
  const expressions = Array.isArray(selector['matchExpressions']) ? selector['matchExpressions'] : [];
  const tests = expressions.filter(isJsonObject).map(expressionTest);
  return (labels) =>
    equal.every(([key, value]) => labels[key] === value) && tests.every((test) => test(labels));
}

function expressionTest(expression: JsonObject): LabelTest {
  const key = String(expression['key']);
  const values = new Set(Array.isArray(expression['values']) ? expression['values'].map(String) : []);
  switch (expression['operator']) {
    case 'In':
      return (labels) => labels[key] !== undefined && values.has(labels[key]);
    case 'NotIn':
      return (labels) => labels[key] === undefined || !values.has(labels[key]);
    case 'Exists':
      return (labels) => labels[key] !== undefined;
    case 'DoesNotExist':
      return (labels) => labels[key] === undefined;
    default:
      return () => false;
  }
}

/** A LabelSelector value as text, for Scale and for table columns. */
export function labelSelectorText(selector: unknown): string {
  if (!isJsonObject(selector)) return '';
  const equal = Object.entries(isJsonObject(selector['matchLabels']) ? selector['matchLabels'] : {});
  const parts = equal.map(([key, value]) => `${key}=${String(value)}`);
  for (const expression of Array.isArray(selector['matchExpressions']) ? selector['matchExpressions'] : []) {
    if (!isJsonObject(expression)) continue;
    const key = String(expression['key']);
    const values = Array.isArray(expression['values']) ? expression['values'].join(',') : '';
    if (expression['operator'] === 'In') parts.push(`${key} in (${values})`);
    else if (expression['operator'] === 'NotIn') parts.push(`${key} notin (${values})`);
    else parts.push(expression['operator'] === 'Exists' ? key : `!${key}`);
  }
  return parts.join(',');
}

/** Fields that kube-apiserver can select on, beside metadata.name and metadata.namespace. */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  nodes: ['spec.unschedulable'],
  namespaces: ['status.phase'],
  secrets: ['type'],
  services: ['spec.clusterIP', 'spec.type'],
  jobs: ['status.successful'],
  replicasets: ['status.replicas'],
  persistentvolumeclaims: [],
  certificatesigningrequests: ['spec.signerName'],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
};

/** `metadata.name=a,spec.nodeName!=b`. Throws 400 for a field that the server cannot select on. */
export function parseFieldSelector(text: string, resource: string): Predicate {
  const tests = splitTopLevel(text).map((part) => fieldTest(part, resource, text));
  return (object) => tests.every((test) => test(object));
}

function fieldTest(part: string, resource: string, whole: string): Predicate {
  const match = /^([^=!]+?)(==|=|!=)(.*)$/s.exec(part);
  if (!match) throw badRequest(`invalid selector: '${whole}'; can't understand '${part}'`);
  const [, field, operator, value] = match as unknown as [string, string, string, string];
  if (!/^metadata\.(name|namespace)$/.test(field) && !SELECTABLE[resource]?.includes(field)) {
    throw badRequest(`field label not supported: ${field}`);
  }
  const path = field.split('.');
  return (object) => (readField(object, path) === value) === (operator !== '!=');
}

function readField(object: KubeObject, path: readonly string[]): string {
  let current: unknown = object;
  for (const member of path) current = isJsonObject(current) ? current[member] : undefined;
  if (current === undefined || current === null) return path.at(-1) === 'unschedulable' ? 'false' : '';
  return String(current);
}

export function predicateOf(
  resource: string,
  selectors: { readonly labelSelector?: string; readonly fieldSelector?: string },
): Predicate {
  const label = selectors.labelSelector ? parseLabelSelector(selectors.labelSelector) : undefined;
  const field = selectors.fieldSelector ? parseFieldSelector(selectors.fieldSelector, resource) : undefined;
  if (!label && !field) return () => true;
  return (object) => (!label || label(object.metadata.labels ?? {})) && (!field || field(object));
}
