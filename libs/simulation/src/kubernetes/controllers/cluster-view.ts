import type { Duration } from '#kernel';
import type { ObjectStore, StoreEvent } from '../api/store.js';
import { resourceName } from '../api/resource-type.js';
import { conditionOf } from './conditions.js';
import type { KubeNode, OwnerReference, Pod, Thing } from './objects.js';
import type { ProcessClock } from './process-clock.js';

/** A change of one object, typed by the caller who knows the resource. */
export interface Change<T> {
  readonly type: StoreEvent['type'];
  readonly object: T;
  readonly old?: T;
}

type Listener = (change: Change<Thing>) => void;

const keyOf = (namespace: string | undefined, name: string): string =>
  namespace ? `${namespace}/${name}` : name;

export const keyOfObject = (object: {
  readonly metadata: { readonly namespace?: string; readonly name: string };
}): string => keyOf(object.metadata.namespace, object.metadata.name);

export const splitKey = (key: string): { readonly namespace: string; readonly name: string } => {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
};

export const controllerOf = (object: Thing): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((owner) => owner.controller === true);

/**
 * An always current, indexed copy of what the store holds (objects are shared, not copied), so that controllers look things up
 * without scanning. One subscription serves all inhabitants of a cluster; listeners are called after the index is up to date.
 */
export class ClusterView {
  private readonly byResource = new Map<string, Map<string, Thing>>();
  private readonly byNamespace = new Map<string, Map<string, Thing>>();
  private readonly podsByNode = new Map<string, Map<string, Pod>>();
  private readonly podsByOwner = new Map<string, Map<string, Pod>>();
  private readonly ownedByUid = new Map<string, Map<string, Thing>>();
  /** Since when pods are ready, by uid. */
  private readonly readyAt = new Map<string, number>();
  private readonly listeners = new Map<string, Listener[]>();
  private readonly unsubscribe: () => void;

  constructor(
    readonly store: ObjectStore,
    readonly clock: ProcessClock,
  ) {
    for (const type of store.types()) {
      const resource = resourceName(type);
      for (const object of store.list(resource)) this.put(resource, object as unknown as Thing);
    }
    this.unsubscribe = store.subscribe((event) => this.take(event));
  }

  close(): void {
    this.unsubscribe();
    this.listeners.clear();
  }

  /** Calls back after every change of the resource (`pods`, `deployments.apps`), or of any with `*`. */
  on<T extends Thing>(resource: string, listener: (change: Change<T>) => void): void {
    const list = this.listeners.get(resource) ?? [];
    list.push(listener as Listener);
    this.listeners.set(resource, list);
  }

  get<T extends Thing>(resource: string, namespace: string | undefined, name: string): T | undefined {
    return this.byResource.get(resource)?.get(keyOf(namespace, name)) as T | undefined;
  }

  byKey<T extends Thing>(resource: string, key: string): T | undefined {
    return this.byResource.get(resource)?.get(key) as T | undefined;
  }

  all<T extends Thing>(resource: string): T[] {
    return [...(this.byResource.get(resource)?.values() ?? [])] as T[];
  }

  inNamespace<T extends Thing>(resource: string, namespace: string): T[] {
    return [...(this.byNamespace.get(`${resource}:${namespace}`)?.values() ?? [])] as T[];
  }

  nodes(): KubeNode[] {
    return this.all<KubeNode>('nodes');
  }

  node(name: string): KubeNode | undefined {
    return this.get<KubeNode>('nodes', undefined, name);
  }

  podsOn(node: string): Pod[] {
    return [...(this.podsByNode.get(node)?.values() ?? [])];
  }

  /** Pods whose controller has this uid. */
  podsOf(ownerUid: string | undefined): Pod[] {
    return ownerUid ? [...(this.podsByOwner.get(ownerUid)?.values() ?? [])] : [];
  }

  /** How long the pod has been ready without a break, in simulated time; 0 where it is not. */
  readyFor(pod: Pod): Duration {
    const since = this.readyAt.get(pod.metadata.uid as string);
    return since === undefined ? 0 : this.clock.now() - since;
  }

  /** Objects of any kind that name this uid among their owners. */
  dependentsOf(ownerUid: string): Thing[] {
    return [...(this.ownedByUid.get(ownerUid)?.values() ?? [])];
  }

  private take(event: StoreEvent): void {
    const resource = resourceName(event.resource);
    const object = event.object as unknown as Thing;
    const old = event.old as unknown as Thing | undefined;
    if (old) this.drop(resource, old);
    if (event.type === 'DELETED') this.forget(resource, object);
    else this.put(resource, object);
    const change: Change<Thing> = { type: event.type, object, ...(old && { old }) };
    for (const listener of this.listeners.get(resource) ?? []) listener(change);
    for (const listener of this.listeners.get('*') ?? []) listener(change);
  }

  private put(resource: string, object: Thing): void {
    const key = keyOfObject(object);
    setIn(this.byResource, resource, key, object);
    if (object.metadata.namespace)
      setIn(this.byNamespace, `${resource}:${object.metadata.namespace}`, key, object);
    for (const owner of object.metadata.ownerReferences ?? []) {
      setIn(this.ownedByUid, owner.uid, `${resource}:${key}`, object);
    }
    if (resource !== 'pods') return;
    const pod = object as Pod;
    this.noteReadiness(pod);
    if (pod.spec?.nodeName) setIn(this.podsByNode, pod.spec.nodeName, key, pod);
    const owner = controllerOf(pod);
    if (owner) setIn(this.podsByOwner, owner.uid, key, pod);
  }

  private noteReadiness(pod: Pod): void {
    const uid = pod.metadata.uid as string;
    if (conditionOf(pod, 'Ready')?.status !== 'True') this.readyAt.delete(uid);
    else if (!this.readyAt.has(uid)) this.readyAt.set(uid, this.clock.now());
  }

  private forget(resource: string, object: Thing): void {
    this.drop(resource, object);
    if (resource === 'pods') this.readyAt.delete(object.metadata.uid as string);
  }

  private drop(resource: string, object: Thing): void {
    const key = keyOfObject(object);
    this.byResource.get(resource)?.delete(key);
    if (object.metadata.namespace)
      deleteIn(this.byNamespace, `${resource}:${object.metadata.namespace}`, key);
    for (const owner of object.metadata.ownerReferences ?? []) {
      deleteIn(this.ownedByUid, owner.uid, `${resource}:${key}`);
    }
    if (resource !== 'pods') return;
    const pod = object as Pod;
    if (pod.spec?.nodeName) deleteIn(this.podsByNode, pod.spec.nodeName, key);
    const owner = controllerOf(pod);
    if (owner) deleteIn(this.podsByOwner, owner.uid, key);
  }
}

function setIn<T>(index: Map<string, Map<string, T>>, bucket: string, key: string, value: T): void {
  const entries = index.get(bucket);
  if (entries) entries.set(key, value);
  else index.set(bucket, new Map([[key, value]]));
}

function deleteIn<T>(index: Map<string, Map<string, T>>, bucket: string, key: string): void {
  const entries = index.get(bucket);
  entries?.delete(key);
  if (entries?.size === 0) index.delete(bucket);
}
