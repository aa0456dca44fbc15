import { ApiError } from '../kubernetes/api/api-error.js';
import type { ResourceType } from '../kubernetes/api/resource-type.js';
import {
  allStructs,
  type FieldSchema,
  type Schema,
  type StructSchema,
} from '../kubernetes/api/schema/schema.js';
import { sendJson, type Exchange } from './exchange.js';

type Json = Record<string, unknown>;

const SCALARS: Readonly<Record<string, Json>> = {
  string: { type: 'string' },
  int: { type: 'integer', format: 'int64' },
  num: { type: 'number', format: 'double' },
  bool: { type: 'boolean' },
  quantity: { type: 'string' },
  time: { type: 'string', format: 'date-time' },
};

/** Where the named types live: `#/components/schemas/` in v3, `#/definitions/` in v2. */
class SchemaWriter {
  constructor(private readonly base: string) {}

  write(schema: Schema): Json {
    switch (schema.kind) {
      case 'any':
        return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
      case 'scalar':
        if (schema.type === 'intOrString') return { 'x-kubernetes-int-or-string': true };
        return SCALARS[schema.type] ?? {};
      case 'map':
        return { type: 'object', additionalProperties: this.write(schema.value) };
      case 'list':
        return { type: 'array', items: this.write(schema.item), ...listHints(schema) };
      case 'struct':
        return allStructs().has(schema.name) && schema.name !== ''
          ? this.reference(schema.name)
          : this.body(schema);
    }
  }

  reference(name: string): Json {
    return { $ref: `${this.base}${nameOf(name)}` };
  }

  body(schema: StructSchema): Json {
    const fields: readonly (readonly [string, FieldSchema])[] = [...schema.fields];
    const required = fields.filter(([, field]) => field.required).map(([name]) => name);
    return {
      type: 'object',
      properties: Object.fromEntries(fields.map(([name, field]) => [name, this.write(field.schema)])),
      ...(required.length > 0 && { required }),
      ...(schema.atomic && { 'x-kubernetes-map-type': 'atomic' }),
      ...(schema.open && { 'x-kubernetes-preserve-unknown-fields': true }),
    };
  }
}

const nameOf = (struct: string): string => `io.k8s.api.${struct}`;

function listHints(schema: Extract<Schema, { kind: 'list' }>): Json {
  if (schema.listType === 'map') {
    return {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': schema.keys.map(({ name }) => name),
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': schema.keys[0]?.name,
    };
  }
  if (schema.listType === 'set')
    return { 'x-kubernetes-list-type': 'set', 'x-kubernetes-patch-strategy': 'merge' };
  return { 'x-kubernetes-list-type': 'atomic' };
}

const kindOf = (type: ResourceType): Json => ({ group: type.group, version: type.version, kind: type.kind });

const parameter = (name: string): Json => ({
  name,
  in: 'query',
  schema: { type: 'string', uniqueItems: true },
});
const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation'].map(parameter);
const PATCH_MEDIA = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
];
const STRATEGIC = 'application/strategic-merge-patch+json';

function pathsOf(type: ResourceType): readonly (readonly [string, Json])[] {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const base = type.namespaced
    ? `${root}/namespaces/{namespace}/${type.resource}`
    : `${root}/${type.resource}`;
  const schema = { $ref: `#/components/schemas/${rootName(type)}` };
  const responses = { '200': { description: 'OK', content: { 'application/json': { schema } } } };
  const operation = (action: string, more: Json = {}): Json => ({
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kindOf(type),
    responses,
    ...more,
  });
  const body = (media: readonly string[]) => ({
    requestBody: { content: Object.fromEntries(media.map((one) => [one, { schema }])) },
  });
  const write = { parameters: WRITE_PARAMETERS };
  const patch = {
    parameters: [...WRITE_PARAMETERS, parameter('force')],
    ...body(type.custom ? PATCH_MEDIA : [...PATCH_MEDIA, STRATEGIC]),
  };
  const collection = {
    get: operation('list'),
    post: operation('post', { ...write, ...body(['*/*']) }),
    delete: operation('deletecollection', write),
  };
  const item = {
    get: operation('get'),
    put: operation('put', { ...write, ...body(['*/*']) }),
    patch: operation('patch', patch),
    delete: operation('delete', write),
  };
  return [
    [base, collection],
    [`${base}/{name}`, item],
  ];
}

const rootName = (type: ResourceType): string =>
  type.custom
    ? `${type.group.split('.').reverse().join('.')}.${type.version}.${type.kind}`
    : nameOf(type.kind);

/** Named types that a schema leads to, itself aside. */
function collect(schema: Schema, into: Map<string, StructSchema>): void {
  if (schema.kind === 'list') collect(schema.item, into);
  if (schema.kind === 'map') collect(schema.value, into);
  if (schema.kind !== 'struct' || into.has(schema.name)) return;
  if (allStructs().has(schema.name)) into.set(schema.name, schema);
  for (const field of schema.fields.values()) collect(field.schema, into);
}

function components(exchange: Exchange, types: readonly ResourceType[], base: string): Json {
  const writer = new SchemaWriter(base);
  const named = new Map<string, StructSchema>();
  const roots: Json = {};
  for (const type of types) {
    const schema = exchange.cluster.store.catalog.schemaOf(type);
    for (const field of schema.fields.values()) collect(field.schema, named);
    roots[rootName(type)] = { ...writer.body(schema), 'x-kubernetes-group-version-kind': [kindOf(type)] };
  }
  const others = [...named].map(([name, schema]) => [nameOf(name), writer.body(schema)] as const);
  return { ...Object.fromEntries(others), ...roots };
}

const gvPath = (type: ResourceType): string =>
  type.group === '' ? `api/${type.version}` : `apis/${type.group}/${type.version}`;

/** `/openapi/v3` (index and one document per group-version) and `/openapi/v2` as JSON. */
export function serveOpenApi(exchange: Exchange, path: readonly string[]): void {
  const types = exchange.cluster.store.types();
  const info = { title: 'Kubernetes', version: exchange.cluster.gitVersion };
  const [version, ...rest] = path;
  if (version === 'v3' && rest.length === 0) {
    const documents = [...new Set(types.map(gvPath))];
    const paths = documents.map((one) => [one, { serverRelativeURL: `/openapi/v3/${one}` }] as const);
    sendJson(exchange, 200, { paths: Object.fromEntries(paths) });
    return;
  }
  if (version === 'v3') {
    const wanted = types.filter((type) => gvPath(type) === rest.join('/'));
    if (wanted.length === 0)
      throw new ApiError(404, 'NotFound', 'the server could not find the requested resource');
    sendJson(exchange, 200, {
      openapi: '3.0.0',
      info,
      paths: Object.fromEntries(wanted.flatMap(pathsOf)),
      components: { schemas: components(exchange, wanted, '#/components/schemas/') },
    });
    return;
  }
  if (version !== 'v2')
    throw new ApiError(404, 'NotFound', 'the server could not find the requested resource');
  serveV2(exchange, types, info);
}

function serveV2(exchange: Exchange, types: readonly ResourceType[], info: Json): void {
  const accept = String(exchange.request.headers.accept ?? '*/*');
  if (!/json|\*\/\*/.test(accept)) {
    throw new ApiError(406, 'NotAcceptable', 'only the following media types are accepted: application/json');
  }
  const definitions = components(exchange, types, '#/definitions/');
  sendJson(exchange, 200, { swagger: '2.0', info, paths: {}, definitions });
}
