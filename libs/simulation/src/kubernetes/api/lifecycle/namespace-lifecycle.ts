import { ApiError } from '../api-error.js';
import { createObject } from '../create.js';
import { removeObject } from '../deletion.js';
import { clone, isJsonObject, type JsonObject, type KubeObject } from '../object.js';
import { resourceName } from '../resource-type.js';
import type { StoreEvent } from '../storage.js';
import { isTerminating, timestamp, type StoreContext } from '../store-context.js';
import { isReleased } from '../update.js';

const FILL_DELAY = 10;
const PURGE_DELAY = 50;
const CLUSTER_CA = 'kube-root-ca.crt';

/** Gives new namespaces their service account and CA, empties terminating ones, and lets them go when they are empty. */
export class NamespaceLifecycle {
  readonly #planned = new Set<string>();

  constructor(private readonly context: StoreContext) {
    context.storage.subscribe((event) => this.observe(event));
  }

  private observe(event: StoreEvent): void {
    const { object } = event;
    if (object.kind === 'Namespace' && object.apiVersion === 'v1') {
      const name = object.metadata.name;
      if (event.type === 'ADDED') this.context.scheduler.after(FILL_DELAY, () => this.fill(name));
      if (event.type === 'MODIFIED' && isTerminating(object)) this.planPurge(name);
      return;
    }
    const { namespace } = object.metadata;
    if (event.type !== 'DELETED' || namespace === undefined) return;
    const home = this.context.storage.get('namespaces', undefined, namespace);
    if (home && isTerminating(home)) this.planPurge(namespace);
  }

  private fill(namespace: string): void {
    const home = this.context.storage.get('namespaces', undefined, namespace);
    if (!home || isTerminating(home)) return;
    const create = (resource: string, object: JsonObject) => {
      if (this.context.storage.get(resource, namespace, (object['metadata'] as { name: string }).name))
        return;
      createObject(this.context, this.context.catalog.require(resource), object, {
        manager: 'kube-controller-manager',
      });
    };
    create('serviceaccounts', { metadata: { name: 'default', namespace } });
    create('configmaps', { metadata: { name: CLUSTER_CA, namespace }, data: { 'ca.crt': '' } });
  }

  private planPurge(name: string): void {
    if (this.#planned.has(name)) return;
    this.#planned.add(name);
    this.context.scheduler.after(PURGE_DELAY, () => {
      this.#planned.delete(name);
      this.purge(name);
    });
  }

  private purge(name: string): void {
    const home = this.context.storage.get('namespaces', undefined, name);
    if (!home || !isTerminating(home)) return;
    for (const object of this.contentOf(name)) {
      if (isTerminating(object)) continue;
      const found = this.context.storage.byUid(object.metadata.uid);
      if (found) this.removeQuietly(found.object);
    }
    const remaining = this.contentOf(name);
    if (remaining.length === 0) this.release(name);
    else this.report(name, remaining);
  }

  private contentOf(namespace: string): readonly KubeObject[] {
    const { catalog, storage } = this.context;
    const names = new Set(
      catalog
        .all()
        .filter((type) => type.namespaced)
        .map(resourceName),
    );
    return [...names].flatMap((resource) => storage.list(resource, namespace));
  }

  private removeQuietly(object: KubeObject): void {
    const found = this.context.storage.byUid(object.metadata.uid);
    if (!found) return;
    try {
      const { namespace, name, uid } = object.metadata;
      removeObject(this.context, found.resource, namespace, name, { uid, propagationPolicy: 'Background' });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.context.scheduler.after(1000, () => this.purge(object.metadata.namespace as string));
    }
  }

  private release(name: string): void {
    const live = this.context.storage.get('namespaces', undefined, name);
    if (!live) return;
    const draft = clone(live);
    const spec = isJsonObject(draft['spec']) ? draft['spec'] : {};
    draft['spec'] = { ...spec, finalizers: [] };
    const type = this.context.catalog.require('namespaces');
    if (isReleased(draft)) this.context.storage.delete(type, live, draft);
    else this.context.storage.put(type, draft);
  }

  /** Says what is left, as `kubectl get namespace -o yaml` shows it for a namespace that hangs. */
  private report(name: string, remaining: readonly KubeObject[]): void {
    const live = this.context.storage.get('namespaces', undefined, name);
    if (!live) return;
    const kinds = countBy(remaining.map((object) => this.nameOf(object)));
    const finalizers = countBy(remaining.flatMap((object) => object.metadata.finalizers ?? []));
    const content = `Some resources are remaining: ${kinds.map(([kind, n]) => `${kind} has ${n} resource instances`).join(', ')}`;
    const held = `Some content in the namespace has finalizers remaining: ${finalizers.map(([one, n]) => `${one} in ${n} resource instances`).join(', ')}`;
    const conditions = [
      condition('NamespaceContentRemaining', true, 'SomeResourcesRemain', content),
      condition('NamespaceFinalizersRemaining', finalizers.length > 0, 'SomeFinalizersRemain', held),
    ].filter((one) => one['status'] === 'True');
    const status = isJsonObject(live['status']) ? live['status'] : {};
    const known = Array.isArray(status['conditions']) ? status['conditions'] : [];
    const texts = (list: readonly unknown[]) =>
      list.map((one) => (isJsonObject(one) ? one['message'] : '')).join('|');
    if (texts(known) === texts(conditions)) return;
    const at = timestamp(this.context);
    const stamped = conditions.map((one) => ({ ...one, lastTransitionTime: at }));
    this.context.storage.put(this.context.catalog.require('namespaces'), {
      ...clone(live),
      status: { ...status, conditions: stamped },
    });
  }

  private nameOf(object: KubeObject): string {
    const found = this.context.storage.byUid(object.metadata.uid);
    return found ? `${found.resource.resource}.${found.resource.group}`.replace(/\.$/, '.') : object.kind;
  }
}

const condition = (type: string, holds: boolean, reason: string, message: string): JsonObject => ({
  type,
  status: holds ? 'True' : 'False',
  reason,
  message,
});

function countBy(names: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}
