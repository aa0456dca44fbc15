import { ApiError } from '../api-error.js';
import { removeObject } from '../deletion.js';
import {
  arrayAt,
  clone,
  isJsonObject,
  objectAt,
  stringAt,
  type JsonObject,
  type KubeObject,
} from '../object.js';
import { resourceName, type ResourceType, type Subresource } from '../resource-type.js';
import type { StoreEvent } from '../storage.js';
import { isTerminating, timestamp, type StoreContext } from '../store-context.js';
import type { CustomResource, PrinterColumn } from '../type-catalog.js';
import { isReleased } from '../update.js';

const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';
const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';
/** A real server needs a moment until the new paths answer; clients must wait for `Established`. */
const ESTABLISH_DELAY = 150;

/** Serves what CustomResourceDefinitions define, and takes the objects down with a deleted definition. */
export class CustomResources {
  constructor(private readonly context: StoreContext) {
    context.storage.subscribe((event) => this.observe(event));
  }

  private observe(event: StoreEvent): void {
    const { object } = event;
    if (resourceName(event.resource) !== CRDS) {
      if (event.type === 'DELETED' && event.resource.custom) this.afterInstance(event.resource);
      return;
    }
    const { name } = object.metadata;
    if (event.type === 'DELETED') {
      this.context.catalog.withdraw(name);
      this.context.storage.drop(name);
    } else if (isTerminating(object)) {
      this.context.scheduler.after(ESTABLISH_DELAY, () => this.cleanUp(name));
    } else if (isEstablished(object)) this.context.catalog.serve(customResourceOf(object));
    else if (event.type === 'ADDED')
      this.context.scheduler.after(ESTABLISH_DELAY, () => this.establish(name));
  }

  private establish(name: string): void {
    const live = this.context.storage.get(CRDS, undefined, name);
    if (!live || isTerminating(live) || isEstablished(live)) return;
    const at = timestamp(this.context);
    const condition = (type: string, reason: string, message: string): JsonObject => ({
      type,
      status: 'True',
      lastTransitionTime: at,
      reason,
      message,
    });
    const draft = clone(live);
    draft.metadata.finalizers = [...(draft.metadata.finalizers ?? []), CLEANUP];
    draft['status'] = {
      conditions: [
        condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
        condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
      ],
      acceptedNames: clone(objectAt(live, 'spec', 'names')),
      storedVersions: arrayAt(live, 'spec', 'versions').flatMap((one) =>
        isJsonObject(one) && one['storage'] === true ? [one['name']] : [],
      ),
    };
    this.context.storage.put(this.context.catalog.require(CRDS), draft);
  }

  private cleanUp(name: string): void {
    const live = this.context.storage.get(CRDS, undefined, name);
    if (!live || !isTerminating(live)) return;
    const type = this.context.catalog.byName(name);
    for (const object of type ? this.context.storage.list(name) : []) {
      if (!type || isTerminating(object)) continue;
      try {
        removeObject(this.context, type, object.metadata.namespace, object.metadata.name, {});
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.context.scheduler.after(1000, () => this.cleanUp(name));
      }
    }
    if (this.context.storage.list(name).length > 0) return;
    const current = this.context.storage.get(CRDS, undefined, name);
    if (!current) return;
    const draft = clone(current);
    draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((one) => one !== CLEANUP);
    const crds = this.context.catalog.require(CRDS);
    if (isReleased(draft)) this.context.storage.delete(crds, current, draft);
    else this.context.storage.put(crds, draft);
  }

  private afterInstance(type: ResourceType): void {
    const name = resourceName(type);
    const crd = this.context.storage.get(CRDS, undefined, name);
    if (!crd || !isTerminating(crd)) return;
    this.context.scheduler.after(0, () => this.cleanUp(name));
  }
}

const isEstablished = (crd: KubeObject): boolean =>
  arrayAt(crd, 'status', 'conditions').some(
    (one) => isJsonObject(one) && one['type'] === 'Established' && one['status'] === 'True',
  );

function customResourceOf(crd: KubeObject): CustomResource {
  const served = arrayAt(crd, 'spec', 'versions')
    .filter(isJsonObject)
    .filter((one) => one['served'] === true || one['storage'] === true);
  const types = served.map((version) => ({ version, type: typeOf(crd, version) }));
  const stored = types.find(({ version }) => version['storage'] === true) ?? types[0];
  if (!stored) throw new Error(`${crd.metadata.name} has no stored version`);
  const scale = types.flatMap(({ version, type }) => {
    const paths = version['subresources'] && objectAt(version, 'subresources', 'scale');
    const spec = stringAt(paths, 'specReplicasPath');
    const status = stringAt(paths, 'statusReplicasPath');
    const selector = stringAt(paths, 'labelSelectorPath');
    return spec && status ? [[type.version, { spec, status, ...(selector && { selector }) }] as const] : [];
  });
  return {
    versions: types.filter(({ version }) => version['served'] === true).map(({ type }) => type),
    stored: stored.type,
    openApi: new Map(
      types.map(({ version, type }) => [type.version, objectAt(version, 'schema')['openAPIV3Schema']]),
    ),
    columns: new Map(types.map(({ version, type }) => [type.version, columnsOf(version)])),
    scale: new Map(scale),
  };
}

function typeOf(crd: KubeObject, version: JsonObject): ResourceType {
  const spec = objectAt(crd, 'spec');
  const names = objectAt(spec, 'names');
  const strings = (name: string) => arrayAt(names, name).map(String);
  const subresources = (['status', 'scale'] as const).filter(
    (name: Subresource) => objectAt(version, 'subresources')[name] !== undefined,
  );
  return {
    group: String(spec['group']),
    version: String(version['name']),
    resource: String(names['plural']),
    singular: String(names['singular']),
    kind: String(names['kind']),
    namespaced: spec['scope'] === 'Namespaced',
    ...(strings('shortNames').length > 0 && { shortNames: strings('shortNames') }),
    ...(strings('categories').length > 0 && { categories: strings('categories') }),
    subresources,
    custom: true,
  };
}

const columnsOf = (version: JsonObject): readonly PrinterColumn[] =>
  arrayAt(version, 'additionalPrinterColumns')
    .filter(isJsonObject)
    .map((column) => ({
      name: String(column['name']),
      type: String(column['type']),
      jsonPath: String(column['jsonPath']),
      priority: Number(column['priority'] ?? 0),
    }));
