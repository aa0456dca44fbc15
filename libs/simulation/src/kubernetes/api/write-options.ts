import type { Subresource } from './resource-type.js';

export const DEFAULT_MANAGER = 'kube-controller-manager';

export interface WriteOptions {
  /** Field manager; `kube-controller-manager` where none is given. */
  readonly manager?: string;
  readonly subresource?: Subresource;
  readonly dryRun?: boolean;
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
  /** Server-side apply only: take over the fields of other managers. */
  readonly force?: boolean;
  /** Receives the warnings that the wire sends as `Warning` headers. */
  readonly warn?: (text: string) => void;
}

export type Patch =
  | { readonly type: 'json'; readonly body: readonly unknown[] }
  | { readonly type: 'merge' | 'strategic' | 'apply'; readonly body: { readonly [field: string]: unknown } };

export interface RemoveOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly dryRun?: boolean;
}
