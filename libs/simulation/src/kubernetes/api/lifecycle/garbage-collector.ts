import { ApiError } from '../api-error.js';
import { FOREGROUND, ORPHAN, removeObject } from '../deletion.js';
import { clone, type KubeObject, type OwnerReference } from '../object.js';
import type { StoreEvent } from '../storage.js';
import { isTerminating, type StoreContext } from '../store-context.js';
import { isReleased } from '../update.js';

/** The collector works off events, not inside the request; a pass takes it about this long. */
const PASS_DELAY = 20;
const RETRY_DELAY = 1000;

/**
 * Deletes objects whose owners are all gone, waits with owners under foreground deletion, and sets dependents free under
 * orphan deletion. Source: pkg/controller/garbagecollector.
 */
export class GarbageCollector {
  readonly #due = new Set<string>();
  #planned = false;

  constructor(private readonly context: StoreContext) {
    context.storage.subscribe((event) => this.observe(event));
  }

  private observe(event: StoreEvent): void {
    const { object } = event;
    const { uid } = object.metadata;
    if (event.type === 'DELETED') {
      for (const dependent of this.context.storage.dependentsOf(uid)) this.plan(dependent);
      for (const owner of object.metadata.ownerReferences ?? [])
        if (this.waitsForDependents(owner.uid)) this.plan(owner.uid);
      return;
    }
    const finalizers = object.metadata.finalizers ?? [];
    if (isTerminating(object) && (finalizers.includes(FOREGROUND) || finalizers.includes(ORPHAN)))
      this.plan(uid);
    const owners = object.metadata.ownerReferences ?? [];
    if (owners.some((owner) => !this.isSolid(owner))) this.plan(uid);
  }

  private plan(uid: string, delay = PASS_DELAY): void {
    this.#due.add(uid);
    if (this.#planned) return;
    this.#planned = true;
    this.context.scheduler.after(delay, () => this.pass());
  }

  private pass(): void {
    this.#planned = false;
    const due = [...this.#due];
    this.#due.clear();
    for (const uid of due) {
      try {
        this.process(uid);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status !== 404) this.plan(uid, RETRY_DELAY);
      }
    }
  }

  private waitsForDependents(uid: string): boolean {
    const owner = this.context.storage.byUid(uid)?.object;
    return (
      owner !== undefined && isTerminating(owner) && (owner.metadata.finalizers ?? []).includes(FOREGROUND)
    );
  }

  private isSolid(owner: OwnerReference): boolean {
    return this.context.storage.byUid(owner.uid) !== undefined && !this.waitsForDependents(owner.uid);
  }

  private process(uid: string): void {
    const found = this.context.storage.byUid(uid);
    if (!found) return;
    const { object } = found;
    const finalizers = object.metadata.finalizers ?? [];
    if (isTerminating(object) && finalizers.includes(ORPHAN)) return this.orphanDependents(object);
    if (isTerminating(object) && finalizers.includes(FOREGROUND)) return this.deleteDependents(object);
    this.collect(object);
  }

  /** Deletes an object without living owners; drops references to dead ones when others live. */
  private collect(object: KubeObject): void {
    const owners = object.metadata.ownerReferences ?? [];
    if (owners.length === 0 || isTerminating(object)) return;
    const solid = owners.filter((owner) => this.isSolid(owner));
    if (solid.length === owners.length) return;
    if (solid.length > 0) {
      this.write(object, (draft) => void (draft.metadata.ownerReferences = solid));
      return;
    }
    const waiting = owners.some((owner) => this.waitsForDependents(owner.uid));
    const hasDependents = this.context.storage.dependentsOf(object.metadata.uid).length > 0;
    this.remove(object, waiting && hasDependents ? 'Foreground' : 'Background');
  }

  private deleteDependents(owner: KubeObject): void {
    const dependents = this.context.storage.dependentsOf(owner.metadata.uid);
    let blocked = false;
    for (const uid of dependents) {
      const dependent = this.context.storage.byUid(uid)?.object;
      if (!dependent) continue;
      if (!isTerminating(dependent)) this.collect(dependent);
      const still = this.context.storage.byUid(uid)?.object;
      const reference = still?.metadata.ownerReferences?.find((one) => one.uid === owner.metadata.uid);
      if (reference?.blockOwnerDeletion) blocked = true;
    }
    if (!blocked) this.dropFinalizer(owner, FOREGROUND);
  }

  private orphanDependents(owner: KubeObject): void {
    for (const uid of this.context.storage.dependentsOf(owner.metadata.uid)) {
      const dependent = this.context.storage.byUid(uid)?.object;
      if (!dependent) continue;
      this.write(dependent, (draft) => {
        const rest = (draft.metadata.ownerReferences ?? []).filter((one) => one.uid !== owner.metadata.uid);
        if (rest.length > 0) draft.metadata.ownerReferences = rest;
        else delete draft.metadata.ownerReferences;
      });
    }
    this.dropFinalizer(owner, ORPHAN);
  }

  private dropFinalizer(owner: KubeObject, finalizer: string): void {
    this.write(owner, (draft) => {
      const rest = (draft.metadata.finalizers ?? []).filter((one) => one !== finalizer);
      if (rest.length > 0) draft.metadata.finalizers = rest;
      else delete draft.metadata.finalizers;
    });
  }

  private write(object: KubeObject, change: (draft: KubeObject) => void): void {
    const found = this.context.storage.byUid(object.metadata.uid);
    if (!found) return;
    const draft = clone(found.object);
    change(draft);
    if (isReleased(draft)) this.context.storage.delete(found.resource, found.object, draft);
    else this.context.storage.put(found.resource, draft);
  }

  private remove(object: KubeObject, propagationPolicy: 'Background' | 'Foreground'): void {
    const found = this.context.storage.byUid(object.metadata.uid);
    if (!found) return;
    const { namespace, name, uid } = object.metadata;
    removeObject(this.context, found.resource, namespace, name, { uid, propagationPolicy });
  }
}
