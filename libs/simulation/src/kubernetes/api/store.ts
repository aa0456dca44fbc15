import { AdmissionHooks } from './admission.js';
import { notFound } from './api-error.js';
import { createObject } from './create.js';
import { finalizeRemoval, removeObject, type Removal } from './deletion.js';
import { CustomResources } from './lifecycle/custom-resources.js';
import { GarbageCollector } from './lifecycle/garbage-collector.js';
import { NamespaceLifecycle } from './lifecycle/namespace-lifecycle.js';
import { clone, type JsonObject, type KubeObject, type ObjectInput } from './object.js';
import { resourceName, type ResourceType } from './resource-type.js';
import { predicateOf } from './selectors.js';
import { Storage, type StoredEvent, type StoreEvent } from './storage.js';
import type { StoreContext, StoreScheduler } from './store-context.js';
import { bindPod, scaleOf, updateScale, type SubresourceHandlers } from './subresources.js';
import { TypeCatalog } from './type-catalog.js';
import { patchObject, updateObject } from './update.js';
import type { Patch, RemoveOptions, WriteOptions } from './write-options.js';

export type { KubeObject, ObjectInput } from './object.js';
export type { ResourceType } from './resource-type.js';
export type { Patch, RemoveOptions, WriteOptions } from './write-options.js';
export type { StoreEvent } from './storage.js';
export type { EvictionRequest, LogRequest, SubresourceHandlers } from './subresources.js';
export { ApiError } from './api-error.js';

export interface StoreOptions {
  readonly scheduler: StoreScheduler;
  /** Seeded randomness, 0 ≤ x < 1. */
  readonly random: () => number;
  /** How many past changes watches can resume from. */
  readonly watchWindow?: number;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

const WATCH_WINDOW = 5000;
const FIRST_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/**
 * The storage and the request rules of one cluster's API server, without HTTP. Every call is synchronous and either
 * commits wholly or throws an ApiError. `resource` is `pods` or `deployments.apps`. `namespace` is undefined for
 * cluster-scoped objects. Objects handed out are frozen and shared: use `modify`, or clone.
 */
export class ObjectStore {
  readonly admission = new AdmissionHooks();
  /** Plugged in by the estate: eviction rules, container logs. */
  readonly handlers: SubresourceHandlers = {};
  readonly catalog = new TypeCatalog();
  readonly #storage: Storage;
  readonly #context: StoreContext;

  constructor(options: StoreOptions) {
    this.#storage = new Storage(options.watchWindow ?? WATCH_WINDOW);
    this.#context = {
      storage: this.#storage,
      catalog: this.catalog,
      admission: this.admission,
      scheduler: options.scheduler,
      random: options.random,
    };
    new CustomResources(this.#context);
    new NamespaceLifecycle(this.#context);
    new GarbageCollector(this.#context);
    for (const name of FIRST_NAMESPACES)
      this.create('namespaces', { metadata: { name } }, { manager: 'kube-apiserver' });
    this.create(
      'services',
      {
        metadata: {
          name: 'kubernetes',
          namespace: 'default',
          labels: { component: 'apiserver', provider: 'kubernetes' },
        },
        spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, targetPort: 6443 }] },
      },
      { manager: 'kube-apiserver' },
    );
  }

  /** Every served version of every resource. */
  types(): readonly ResourceType[] {
    return this.catalog.all();
  }

  /** The stored version of a resource. Throws 404 when nobody serves it. */
  type(resource: string): ResourceType {
    return this.catalog.require(resource);
  }

  /** The latest revision of the cluster: what a list carries as its resourceVersion. */
  get revision(): number {
    return this.#storage.revision;
  }

  now(): number {
    return this.#context.scheduler.now();
  }

  get(resource: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#storage.get(resource, namespace, name);
  }

  /** Sorted by namespace and name. Throws 400 for a malformed selector. */
  list(resource: string, options: ListOptions = {}): readonly KubeObject[] {
    const type = this.catalog.require(resource);
    const all = this.#storage.list(resource, options.namespace);
    if (!options.labelSelector && !options.fieldSelector) return all;
    return all.filter(predicateOf(type.resource, options));
  }

  create(resource: string, object: ObjectInput, options: WriteOptions = {}): KubeObject {
    return createObject(this.#context, this.catalog.require(resource), object, options);
  }

  /** Checks `metadata.resourceVersion` when it is given. */
  update(resource: string, object: ObjectInput, options: WriteOptions = {}): KubeObject {
    return updateObject(this.#context, this.catalog.require(resource), object, options);
  }

  patch(
    resource: string,
    namespace: string | undefined,
    name: string,
    patch: Patch,
    options: WriteOptions = {},
  ): KubeObject {
    return patchObject(this.#context, this.catalog.require(resource), { namespace, name }, patch, options);
  }

  /** Read, change a copy, write. Undefined when the object is not there. An unchanged draft writes nothing. */
  modify(
    resource: string,
    namespace: string | undefined,
    name: string,
    change: (draft: KubeObject) => void,
    options: WriteOptions = {},
  ): KubeObject | undefined {
    const live = this.get(resource, namespace, name);
    if (!live) return undefined;
    const draft = clone(live);
    change(draft);
    return this.update(resource, draft, options);
  }

  /** Pods that run on a node get a deletionTimestamp and stay until `finalizeDelete`. Returns the last state. */
  remove(
    resource: string,
    namespace: string | undefined,
    name: string,
    options: RemoveOptions = {},
  ): KubeObject {
    return this.removal(resource, namespace, name, options).object;
  }

  /** As `remove`, and says whether the object is gone or waits for grace or finalizers. */
  removal(
    resource: string,
    namespace: string | undefined,
    name: string,
    options: RemoveOptions = {},
  ): Removal {
    return removeObject(this.#context, this.catalog.require(resource), namespace, name, options);
  }

  /** The kubelet confirms that a terminating pod is gone; finalizers still hold it. No-op when it is not there. */
  finalizeDelete(
    resource: string,
    namespace: string | undefined,
    name: string,
    options: { readonly uid?: string } = {},
  ): void {
    finalizeRemoval(this.#context, this.catalog.require(resource), namespace, name, options.uid);
  }

  /** Puts a pod on a node, as the scheduler does. Throws 404, and 409 when it is bound or terminating. */
  bind(namespace: string, name: string, node: string, options: WriteOptions = {}): void {
    bindPod(this.#context, namespace, name, node, options);
  }

  scale(resource: string, namespace: string | undefined, name: string): JsonObject {
    return scaleOf(this.#context, this.catalog.require(resource), namespace, name);
  }

  updateScale(
    resource: string,
    target: { readonly namespace: string | undefined; readonly name: string },
    scale: JsonObject,
    options: WriteOptions = {},
  ): JsonObject {
    return updateScale(this.#context, this.catalog.require(resource), target, scale, options);
  }

  /** Accepts or refuses an eviction by the plugged-in rules, or by PDB status alone where none are plugged in. */
  evict(
    request: { readonly namespace: string; readonly name: string } & Parameters<
      NonNullable<SubresourceHandlers['evict']>
    >[0],
  ): void {
    if (!this.get('pods', request.namespace, request.name)) throw notFound(this.type('pods'), request.name);
    this.handlers.evict?.(request);
  }

  /** Called synchronously after the commit, in commit order; writes made by listeners are delivered after it. */
  subscribe(listener: (event: StoreEvent) => void): () => void {
    return this.#storage.subscribe(listener);
  }

  /** Changes of a resource after a revision. Throws 410 when the window does not reach back that far. */
  changesSince(resource: string, revision: number): readonly StoredEvent[] {
    return this.#storage.since(resourceName(this.catalog.require(resource)), revision);
  }

  /** Forgets past changes, as a compaction of etcd does: watches from an older revision get 410 Gone. */
  compact(): void {
    this.#storage.compact();
  }
}
