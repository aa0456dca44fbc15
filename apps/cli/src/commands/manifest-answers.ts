import type { FieldChange } from '#fleet';

export interface DriftItem {
  readonly object: string;
  readonly component: string;
  readonly path: string;
  readonly change: FieldChange['change'];
  readonly live?: string;
  readonly git?: string;
  readonly manager?: string;
  readonly managed_since?: string;
  readonly state: string;
  readonly first_seen: string;
}

export interface DiffAnswer {
  readonly cluster: string;
  readonly commit?: string;
  readonly state?: string;
  readonly objects: readonly {
    readonly object: string;
    readonly component: string;
    readonly action: string;
    readonly fields: readonly FieldChange[];
  }[];
  readonly drift: readonly DriftItem[];
}

export interface PruneAnswer {
  readonly digest?: string;
  readonly confirmable: number;
  readonly items: readonly {
    readonly object: string;
    readonly component: string;
    readonly code: string;
    readonly reason: string;
    readonly remedy: string;
  }[];
}
