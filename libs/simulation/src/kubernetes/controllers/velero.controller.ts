import { hours, minutes, parseDuration, seconds, type Duration } from '#kernel';
import type { KubeObject, ObjectInput, ObjectStore } from '../api/store.js';
import type { Cancel, Scheduler } from '../../time/scheduler.js';

const BACKUPS = 'backups.velero.io';
const LOCATIONS = 'backupstoragelocations.velero.io';
const API = 'velero.io/v1';
const MANAGER = 'velero-server';

/** How the next backups end. `stuck` stays InProgress, `empty` is Completed without items. */
export type VeleroFate = 'Completed' | 'PartiallyFailed' | 'Failed' | 'FailedValidation' | 'stuck' | 'empty';

interface VeleroOptions {
  readonly store: ObjectStore;
  readonly scheduler: Scheduler;
  readonly namespace?: string;
  /** From the object's creation to the end [1 min]. */
  readonly takes?: Duration;
}

/**
 * Velero as its users see it: the CRDs, one storage location, and a server that validates backups, carries them out one
 * phase after another and writes their status. Source: velero.io/docs/main/api-types/backup.
 */
export class Velero {
  fate: VeleroFate = 'Completed';
  private readonly namespace: string;
  private readonly cancels = new Set<Cancel>();
  private readonly unsubscribe: () => void;

  constructor(private readonly options: VeleroOptions) {
    this.namespace = options.namespace ?? 'velero';
    this.install();
    this.unsubscribe = options.store.subscribe(({ type, object }) => {
      if (type === 'ADDED' && object.kind === 'Backup' && object.apiVersion === API)
        this.after(0, () => this.validate(object));
    });
  }

  /** `Unavailable`: the bucket cannot be reached; backups wait. */
  set storage(phase: 'Available' | 'Unavailable') {
    this.status(LOCATIONS, 'default', { phase, lastValidationTime: this.time() });
  }

  close(): void {
    this.unsubscribe();
    for (const cancel of this.cancels) cancel();
  }

  private install(): void {
    const { store } = this.options;
    for (const [plural, kind] of [
      ['backups', 'Backup'],
      ['backupstoragelocations', 'BackupStorageLocation'],
    ] as const)
      store.create('customresourcedefinitions.apiextensions.k8s.io', definition(plural, kind));
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace } };
    if (!store.get('namespaces', undefined, this.namespace)) store.create('namespaces', namespace);
    this.openStorage();
  }

  /** The API server needs a moment until it serves a new kind. */
  private openStorage(): void {
    const served = this.options.store.types().some(({ resource }) => resource === 'backupstoragelocations');
    if (!served) return this.after(seconds(1), () => this.openStorage());
    this.options.store.create(LOCATIONS, {
      apiVersion: API,
      kind: 'BackupStorageLocation',
      metadata: { name: 'default', namespace: this.namespace },
      spec: { provider: 'aws', default: true, objectStorage: { bucket: 'velero' } },
    });
    this.storage = 'Available';
  }

  private validate(backup: KubeObject): void {
    const { name } = backup.metadata;
    const spec = (backup['spec'] ?? {}) as { readonly ttl?: string; readonly storageLocation?: string };
    const ttl = parseDuration(spec.ttl ?? '720h0m0s') ?? hours(720);
    const location = this.options.store.get(LOCATIONS, this.namespace, spec.storageLocation ?? 'default');
    const state = (location?.['status'] as { readonly phase?: string } | undefined)?.phase;
    const expiration = new Date(this.options.scheduler.now() + ttl).toISOString();
    if (!location || this.fate === 'FailedValidation') {
      const validationErrors = [
        `an existing backup storage location was not specified at backup creation time`,
      ];
      return this.status(BACKUPS, name, { phase: 'FailedValidation', validationErrors, expiration });
    }
    // Velero refuses outright what it could not store; newer ones queue it.
    if (state !== 'Available') return this.status(BACKUPS, name, { phase: 'New', expiration });
    const totalItems = this.items();
    const base = { version: 1, formatVersion: '1.1.0', expiration, startTimestamp: this.time() };
    this.status(BACKUPS, name, { ...base, phase: 'InProgress', progress: { totalItems, itemsBackedUp: 0 } });
    if (this.fate === 'stuck') return;
    this.after(this.options.takes ?? minutes(1), () => this.finish(name, base, totalItems));
  }

  private finish(name: string, base: object, totalItems: number): void {
    const { fate } = this;
    const phase = fate === 'empty' ? 'Completed' : fate;
    const itemsBackedUp = fate === 'empty' ? 0 : fate === 'PartiallyFailed' ? totalItems - 1 : totalItems;
    this.status(BACKUPS, name, {
      ...base,
      phase,
      progress: { totalItems: fate === 'empty' ? 0 : totalItems, itemsBackedUp },
      completionTimestamp: this.time(),
      ...(fate === 'PartiallyFailed' && { errors: 1, warnings: 0 }),
      ...(fate === 'Failed' && { failureReason: 'unable to upload the backup' }),
    });
  }

  private items(): number {
    const { store } = this.options;
    return store.types().reduce((sum, { group, resource }) => {
      const name = group === '' ? resource : `${resource}.${group}`;
      return sum + store.list(name).length;
    }, 0);
  }

  private status(resource: string, name: string, status: object): void {
    const change = (draft: Record<string, unknown>): void => void (draft['status'] = status);
    const options = { subresource: 'status', manager: MANAGER } as const;
    this.options.store.modify(resource, this.namespace, name, (draft) => change(draft), options);
  }

  private time(): string {
    return new Date(this.options.scheduler.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  private after(delay: Duration, act: () => void): void {
    const cancel = this.options.scheduler.after(Math.max(delay, seconds(0)), () => {
      this.cancels.delete(cancel);
      act();
    });
    this.cancels.add(cancel);
  }
}

const definition = (plural: string, kind: string): ObjectInput => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.velero.io` },
  spec: {
    group: 'velero.io',
    scope: 'Namespaced',
    names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});
