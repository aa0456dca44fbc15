import { notFound } from './api-error.js';
import { BUILT_IN_TYPES } from './builtin-types.js';
import { resourceName, type ResourceType } from './resource-type.js';
import { builtInSchema, customSchema, type StructSchema } from './schema/schema.js';

interface CustomVersion {
  readonly type: ResourceType;
  readonly schema: StructSchema;
}

export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
  readonly priority: number;
}

/** All that a CustomResourceDefinition serves. The first version is the stored one. */
export interface CustomResource {
  readonly versions: readonly ResourceType[];
  readonly stored: ResourceType;
  readonly openApi: ReadonlyMap<string, unknown>;
  readonly columns: ReadonlyMap<string, readonly PrinterColumn[]>;
  /** JSON paths of the scale subresource by version, where there is one. */
  readonly scale: ReadonlyMap<
    string,
    { readonly spec: string; readonly status: string; readonly selector?: string }
  >;
}

/** Which resources a cluster serves, and their schemas. */
export class TypeCatalog {
  readonly #builtIn = new Map(BUILT_IN_TYPES.map((type) => [resourceName(type), type]));
  readonly #custom = new Map<
    string,
    CustomResource & { readonly byVersion: ReadonlyMap<string, CustomVersion> }
  >();

  /** Every served version of every resource. */
  all(): readonly ResourceType[] {
    return [...this.#builtIn.values(), ...[...this.#custom.values()].flatMap((custom) => custom.versions)];
  }

  /** The version in which objects are stored. */
  byName(resource: string): ResourceType | undefined {
    return this.#builtIn.get(resource) ?? this.#custom.get(resource)?.stored;
  }

  require(resource: string): ResourceType {
    const type = this.byName(resource);
    if (!type) throw notFound({ resource: resource.split('.')[0] as string, group: '' }, '');
    return type;
  }

  find(group: string, version: string, resource: string): ResourceType | undefined {
    const name = resourceName({ group, resource });
    const builtIn = this.#builtIn.get(name);
    if (builtIn) return builtIn.version === version ? builtIn : undefined;
    return this.#custom.get(name)?.byVersion.get(version)?.type;
  }

  byKind(group: string, kind: string): ResourceType | undefined {
    return this.all().find((type) => type.group === group && type.kind === kind);
  }

  schemaOf(type: ResourceType): StructSchema {
    if (!type.custom) return builtInSchema(type.kind) ?? customSchema(type.kind, undefined);
    const found = this.#custom.get(resourceName(type))?.byVersion.get(type.version);
    return found?.schema ?? customSchema(type.kind, undefined);
  }

  custom(resource: string): CustomResource | undefined {
    return this.#custom.get(resource);
  }

  serve(custom: CustomResource): void {
    const byVersion = new Map(
      custom.versions.map((type): [string, CustomVersion] => [
        type.version,
        { type, schema: customSchema(type.kind, custom.openApi.get(type.version)) },
      ]),
    );
    this.#custom.set(resourceName(custom.stored), { ...custom, byVersion });
  }

  withdraw(resource: string): void {
    this.#custom.delete(resource);
  }
}
