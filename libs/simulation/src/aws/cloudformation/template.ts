import { Pair, parseDocument, Scalar, YAMLMap, type CollectionTag, type ScalarTag, type YAMLSeq } from 'yaml';
import { validationError } from '../aws-error.js';
import { isProps, list, props, text, type Props } from '../props.js';

export interface ResourceDefinition {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Props;
  readonly condition?: string;
  readonly dependsOn: readonly string[];
  readonly deletionPolicy: string;
  readonly updateReplacePolicy: string;
}

export interface Template {
  readonly description?: string;
  readonly parameters: Readonly<Record<string, Props>>;
  readonly mappings: Props;
  readonly conditions: Props;
  readonly resources: ReadonlyMap<string, ResourceDefinition>;
  readonly outputs: Readonly<Record<string, Props>>;
  readonly metadata: Props;
}

const SHORT_FORMS = [
  'Base64',
  'Cidr',
  'FindInMap',
  'GetAZs',
  'ImportValue',
  'Join',
  'Select',
  'Split',
  'Sub',
  'Transform',
  'And',
  'Equals',
  'If',
  'Not',
  'Or',
  'Length',
  'ToJsonString',
];

const long = (tag: string): string => (tag === 'Ref' || tag === 'Condition' ? tag : `Fn::${tag}`);

/** `!GetAtt a.b` is text, every other short form keeps its value as it is. */
const intrinsicTags: (ScalarTag | CollectionTag)[] = ['Ref', 'Condition', 'GetAtt', ...SHORT_FORMS].flatMap(
  (name) => [
    {
      tag: `!${name}`,
      resolve: (value: string) => ({ [long(name)]: name === 'GetAtt' ? splitAttribute(value) : value }),
    } satisfies ScalarTag,
    { tag: `!${name}`, collection: 'seq', resolve: (node) => wrap(long(name), node) } satisfies CollectionTag,
    { tag: `!${name}`, collection: 'map', resolve: (node) => wrap(long(name), node) } satisfies CollectionTag,
  ],
);

const splitAttribute = (value: string): string[] => {
  const dot = value.indexOf('.');
  return dot < 0 ? [value] : [value.slice(0, dot), value.slice(dot + 1)];
};

/** A collection under a short form becomes `{name: collection}`. */
function wrap(name: string, collection: YAMLMap | YAMLSeq): YAMLMap {
  const map = new YAMLMap();
  map.items.push(new Pair(new Scalar(name), collection));
  return map;
}

/** Reads YAML or JSON. Throws ValidationError with CloudFormation's wording. */
export function parseTemplate(body: string): Template {
  const document = parseDocument(body, { customTags: intrinsicTags, merge: true, logLevel: 'silent' });
  const fault = document.errors[0];
  if (fault)
    throw validationError(`Template format error: YAML not well-formed. (${fault.message.split('\n')[0]})`);
  const root: unknown = document.toJS({ maxAliasCount: 1000 });
  if (!isProps(root)) throw validationError('Template format error: unsupported structure.');
  const resources = props(root['Resources']);
  if (Object.keys(resources).length === 0) {
    throw validationError('Template format error: At least one Resources member must be defined.');
  }
  const template: Template = {
    ...(text(root['Description']) !== undefined && { description: text(root['Description']) as string }),
    parameters: records(root['Parameters']),
    mappings: props(root['Mappings']),
    conditions: props(root['Conditions']),
    resources: new Map(Object.entries(resources).map(([id, value]) => [id, definition(id, props(value))])),
    outputs: records(root['Outputs']),
    metadata: props(root['Metadata']),
  };
  checkReferences(template);
  return template;
}

const records = (value: unknown): Record<string, Props> =>
  Object.fromEntries(Object.entries(props(value)).map(([key, member]) => [key, props(member)]));

function definition(logicalId: string, value: Props): ResourceDefinition {
  const type = text(value['Type']);
  if (!/^[A-Za-z0-9]{1,255}$/.test(logicalId)) {
    throw validationError(`Template format error: Resource name ${logicalId} is non alphanumeric.`);
  }
  if (!type)
    throw validationError(
      `Template format error: [/Resources/${logicalId}] Every Resources object must contain a Type member.`,
    );
  const condition = text(value['Condition']);
  return {
    logicalId,
    type,
    properties: props(value['Properties']),
    ...(condition !== undefined && { condition }),
    dependsOn: list(value['DependsOn']).map(String),
    deletionPolicy: text(value['DeletionPolicy']) ?? 'Delete',
    updateReplacePolicy: text(value['UpdateReplacePolicy']) ?? 'Delete',
  };
}

/** Names that a value refers to with Ref, GetAtt and Sub. */
function referencesOf(value: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) referencesOf(item, found);
  if (!isProps(value)) return found;
  for (const [key, member] of Object.entries(value)) {
    if (key === 'Ref' && typeof member === 'string') found.add(member);
    else if (key === 'Fn::GetAtt')
      found.add(typeof member === 'string' ? (splitAttribute(member)[0] as string) : String(list(member)[0]));
    else if (key === 'Fn::Sub') subReferences(member, found);
    else referencesOf(member, found);
  }
  return found;
}

function subReferences(value: unknown, found: Set<string>): void {
  const [pattern, own] = Array.isArray(value) ? [String(value[0]), props(value[1])] : [String(value), {}];
  for (const [, name] of pattern.matchAll(/\$\{([^!}][^}]*)\}/g)) {
    const first = (name as string).trim().split('.')[0] as string;
    if (!(first in own)) found.add(first);
  }
  referencesOf(own, found);
}

function checkReferences(template: Template): void {
  const known = new Set([...Object.keys(template.parameters), ...template.resources.keys()]);
  const missing = new Set<string>();
  for (const resource of template.resources.values()) {
    const used = [...referencesOf(resource.properties), ...resource.dependsOn];
    for (const name of used) if (!known.has(name) && !name.startsWith('AWS::')) missing.add(name);
  }
  if (missing.size > 0) {
    throw validationError(
      `Template format error: Unresolved resource dependencies [${[...missing].sort().join(', ')}] in the Resources block of the template`,
    );
  }
  dependencyOrder(template);
}

/** Resources that each resource needs first. */
export const dependenciesOf = (template: Template, resource: ResourceDefinition): readonly string[] =>
  [...new Set([...referencesOf(resource.properties), ...resource.dependsOn])].filter((name) =>
    template.resources.has(name),
  );

/** Logical ids, needed ones first. Throws on a cycle. */
export function dependencyOrder(template: Template): readonly string[] {
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (id: string, path: readonly string[]): void => {
    if (state.get(id) === 'done') return;
    if (state.get(id) === 'open') {
      throw validationError(
        `Circular dependency between resources: [${path.slice(path.indexOf(id)).join(', ')}]`,
      );
    }
    state.set(id, 'open');
    const resource = template.resources.get(id) as ResourceDefinition;
    for (const needed of dependenciesOf(template, resource)) visit(needed, [...path, id]);
    state.set(id, 'done');
    order.push(id);
  };
  for (const id of template.resources.keys()) visit(id, []);
  return order;
}
