import { expired } from './api-error.js';
import { deepFreeze, type KubeObject } from './object.js';
import { resourceName, type ResourceType } from './resource-type.js';

/** One committed change. `object` is the state after it (for DELETED the last state), `old` the state before. */
export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: ResourceType;
  readonly object: KubeObject;
  readonly old?: KubeObject;
}

export interface StoredEvent extends StoreEvent {
  readonly revision: number;
}

type Listener = (event: StoreEvent) => void;

const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;

/**
 * The objects of one cluster with one revision counter for all, indexes by uid and owner, and a window of past changes.
 * A commit is atomic; listeners hear of it afterwards, each event fully delivered before the next one.
 */
export class Storage {
  readonly #tables = new Map<string, Map<string, KubeObject>>();
  readonly #byUid = new Map<string, { resource: ResourceType; object: KubeObject }>();
  readonly #dependents = new Map<string, Set<string>>();
  readonly #listeners = new Set<Listener>();
  readonly #queue: StoredEvent[] = [];
  #history: StoredEvent[] = [];
  #oldestRevision = 0;
  #revision = 0;
  #delivering = false;

  /** `window`: how many past changes watches can resume from. */
  constructor(private readonly window: number) {}

  get revision(): number {
    return this.#revision;
  }

  get(resource: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#tables.get(resource)?.get(keyOf(namespace, name));
  }

  /** In the order of etcd's keys: namespace, then name. */
  list(resource: string, namespace?: string): readonly KubeObject[] {
    const table = this.#tables.get(resource);
    if (!table) return [];
    const prefix = namespace === undefined ? '' : `${namespace}/`;
    return [...table.entries()]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object);
  }

  byUid(uid: string): { readonly resource: ResourceType; readonly object: KubeObject } | undefined {
    return this.#byUid.get(uid);
  }

  /** Uids of live objects that name this one as an owner. */
  dependentsOf(uid: string): readonly string[] {
    return [...(this.#dependents.get(uid) ?? [])];
  }

  /** Writes an object under the next revision and returns it as stored (frozen). */
  put(resource: ResourceType, draft: KubeObject): KubeObject {
    const { namespace, name } = draft.metadata;
    const table = this.table(resource);
    const old = table.get(keyOf(namespace, name));
    const revision = (this.#revision += 1);
    const metadata = { ...draft.metadata, resourceVersion: String(revision) };
    const object = deepFreeze({ ...draft, metadata });
    table.set(keyOf(namespace, name), object);
    this.index(resource, object, old);
    this.publish({ type: old ? 'MODIFIED' : 'ADDED', resource, object, ...(old && { old }), revision });
    return object;
  }

  /** Takes the object out. The event carries its last state under a new revision. */
  delete(resource: ResourceType, old: KubeObject, last: KubeObject = old): KubeObject {
    const { namespace, name, uid } = old.metadata;
    this.table(resource).delete(keyOf(namespace, name));
    this.#byUid.delete(uid);
    this.unlinkOwners(old);
    const revision = (this.#revision += 1);
    const object = deepFreeze({ ...last, metadata: { ...last.metadata, resourceVersion: String(revision) } });
    this.publish({ type: 'DELETED', resource, object, old, revision });
    return object;
  }

  /** Forgets the table of a type that is served no more. Its objects must be gone. */
  drop(resource: string): void {
    this.#tables.delete(resource);
  }

  /** Changes of a type after a revision. Throws 410 when the window does not reach back that far. */
  since(resource: string, revision: number): readonly StoredEvent[] {
    if (revision < this.#oldestRevision) {
      throw expired(`too old resource version: ${revision} (${this.#oldestRevision})`);
    }
    return this.#history.filter(
      (event) => event.revision > revision && resourceName(event.resource) === resource,
    );
  }

  /** Forgets the past, as a compaction of etcd does: resumes from an older revision are refused. */
  compact(): void {
    this.#history = [];
    this.#oldestRevision = this.#revision;
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  private table(resource: ResourceType): Map<string, KubeObject> {
    const name = resourceName(resource);
    let table = this.#tables.get(name);
    if (!table) this.#tables.set(name, (table = new Map()));
    return table;
  }

  private index(resource: ResourceType, object: KubeObject, old: KubeObject | undefined): void {
    this.#byUid.set(object.metadata.uid, { resource, object });
    if (old) this.unlinkOwners(old);
    for (const owner of object.metadata.ownerReferences ?? []) {
      let dependents = this.#dependents.get(owner.uid);
      if (!dependents) this.#dependents.set(owner.uid, (dependents = new Set()));
      dependents.add(object.metadata.uid);
    }
  }

  private unlinkOwners(object: KubeObject): void {
    for (const owner of object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(object.metadata.uid);
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
  }

  private publish(event: StoredEvent): void {
    this.#history.push(event);
    if (this.#history.length > this.window * 2) {
      const dropped = this.#history.splice(0, this.#history.length - this.window);
      this.#oldestRevision = dropped.at(-1)?.revision ?? this.#oldestRevision;
    }
    this.#queue.push(event);
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        const listeners = [...this.#listeners];
        for (const listener of listeners) listener(next);
      }
    } finally {
      this.#delivering = false;
    }
  }
}
