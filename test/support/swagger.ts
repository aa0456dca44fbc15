import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import formatsModule from 'ajv-formats';
import { parse } from 'yaml';
import type { Answer } from './api.js';

const FILE = new URL('../../apps/api/contract/cluster-registry.yaml', import.meta.url);

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'body';
  readonly required?: boolean;
  readonly $ref?: string;
  readonly pattern?: string;
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  /** `/kubernetes-clusters/{cluster_id}` */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Status → schema, undefined where the contract declares no body. */
  readonly responses: ReadonlyMap<number, object | undefined>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly definitions: Readonly<Record<string, object>>;
}

interface RawOperation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, { readonly schema?: object }>>;
}

/** The registry's contract as its file says it: operations by id, and a check of answers against it. */
export class Swagger {
  readonly text = readFileSync(FILE, 'utf8');
  private readonly document = parse(this.text) as Document;
  readonly operations: ReadonlyMap<string, Operation>;
  private readonly ajv = new Ajv({ strict: false, allErrors: true });
  private readonly compiled = new Map<object, ValidateFunction>();

  constructor() {
    const addFormats = formatsModule as unknown as (ajv: Ajv) => void;
    addFormats(this.ajv);
    this.ajv.addFormat('int32', {
      type: 'number',
      validate: (n: number) => Number.isInteger(n) && Math.abs(n) < 2 ** 31,
    });
    this.ajv.addSchema({ $id: 'swagger', definitions: this.closed(this.document.definitions) });
    const list = Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, raw]) => this.operation(path, method, raw)),
    );
    this.operations = new Map(list.map((operation) => [operation.id, operation]));
  }

  definition(name: string): ValidateFunction {
    return this.validator({ $ref: `#/definitions/${name}` });
  }

  /**
   * What is wrong with an answer. A status that the contract does not declare for the operation must at least carry an
   * `Error`, and only for reasons that HTTP itself has.
   */
  faults(operation: Operation, answer: Answer): readonly string[] {
    const where = `${operation.id} ${answer.status}`;
    if (answer.status === 204) {
      return answer.text === '' ? [] : [`${where}: a body where there must be none`];
    }
    if (!operation.responses.has(answer.status) && answer.status < 400) return [`${where}: not declared`];
    const declared = operation.responses.get(answer.status);
    const schema = answer.status >= 400 ? { $ref: '#/definitions/Error' } : declared;
    const type = answer.headers.get('content-type') ?? '';
    if (!type.startsWith('application/json')) return [`${where}: content type ${type}`];
    if (schema === undefined) return [];
    const validate = this.validator(schema);
    if (validate(answer.body)) return [];
    return (validate.errors ?? []).map(
      (error) => `${where}: ${error.instancePath} ${error.message ?? ''} ${JSON.stringify(error.params)}`,
    );
  }

  private operation(path: string, method: string, raw: RawOperation): Operation {
    const parameters = (raw.parameters ?? []).map((parameter) =>
      parameter.$ref === undefined
        ? parameter
        : (this.document.parameters[parameter.$ref.replace('#/parameters/', '')] as Parameter),
    );
    const responses = Object.entries(raw.responses).map(
      ([status, { schema }]) => [Number(status), schema] as const,
    );
    return {
      id: raw.operationId,
      method: method.toUpperCase(),
      path,
      parameters,
      responses: new Map(responses),
    };
  }

  private validator(schema: object): ValidateFunction {
    const known = this.compiled.get(schema);
    if (known) return known;
    const made = this.ajv.compile(this.closed(schema) as object);
    this.compiled.set(schema, made);
    return made;
  }

  /**
   * Swagger 2.0 to JSON Schema: references go to the one document, and an object without `additionalProperties` is
   * closed, so that a member the contract does not know is found.
   */
  private closed(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one) => this.closed(one));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value)
      .filter(([key]) => key !== 'example')
      .map(([key, member]) => [
        key,
        key === '$ref' ? String(member).replace('#/', 'swagger#/') : this.closed(member),
      ]);
    const made = Object.fromEntries(entries) as Record<string, unknown>;
    const isObject = made['type'] === 'object' && 'properties' in made;
    if (isObject && !('additionalProperties' in made)) made['additionalProperties'] = false;
    return made;
  }
}

/** Fills a path template; values are sent as they are, or percent-encoded in full. */
export function fillPath(
  operation: Operation,
  values: Readonly<Record<string, string>>,
  encode: (value: string) => string = encodeURIComponent,
): string {
  return operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${operation.id} needs ${name}`);
    return encode(value);
  });
}

/**
 * A client made from the operations of the file and nothing else, as a generator makes one: strict about what comes
 * back. Status codes that the operation does not declare, and bodies that do not fit, are errors.
 */
export function generatedClient(swagger: Swagger, baseUrl: string, token: string) {
  return async (id: string, values: Readonly<Record<string, unknown>> = {}): Promise<unknown> => {
    const operation = swagger.operations.get(id);
    if (!operation) throw new Error(`no operation ${id}`);
    const url = new URL(baseUrl + fillPath(operation, values as Record<string, string>));
    let body: string | undefined;
    for (const parameter of operation.parameters) {
      const value = values[parameter.name];
      if (value === undefined) {
        if (parameter.required) throw new Error(`${id} needs ${parameter.name}`);
      } else if (parameter.in === 'query') url.searchParams.set(parameter.name, String(value));
      else if (parameter.in === 'body') body = JSON.stringify(value);
    }
    // A go-openapi client sends the content type with every request, bodies or not.
    const headers = {
      Accept: 'application/json',
      'Content-Type': 'application/json',
      Authorization: `Bearer ${token}`,
    };
    const response = await fetch(url, {
      method: operation.method,
      headers,
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    if (!operation.responses.has(response.status))
      throw new Error(`${id}: unknown response ${response.status}: ${text}`);
    const answer: Answer = {
      status: response.status,
      headers: response.headers,
      text,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
    const faults = swagger.faults(operation, answer);
    if (faults.length > 0) throw new Error(faults.join('\n'));
    if (response.status >= 400) throw new ClientError(response.status, answer.body as { message?: string });
    return answer.body;
  };
}

export class ClientError extends Error {
  constructor(
    readonly status: number,
    readonly body: { readonly message?: string; readonly fields?: string },
  ) {
    super(`${status} ${body?.message ?? ''}`);
  }
}
