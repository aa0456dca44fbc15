import type { Failure, Instant } from '#kernel';
import type { Inspection } from '#fleet';
import type { Lease } from './lease.port.js';

/** Looks at clusters that people ask for, and what came of them. A few of each cluster are kept. */
export interface InspectionStorePort {
  /** Whoever asks while the same is being looked at gets that one. */
  requestInspection(inspection: Inspection): Promise<Inspection>;
  /** Those that nobody has finished, oldest first. */
  openInspections(limit: number): Promise<readonly Inspection[]>;
  getInspection(id: string): Promise<Inspection | undefined>;
  /** The newest that has a report. */
  latestInspection(clusterId: string, kind: Inspection['kind']): Promise<Inspection | undefined>;
  /** Checks the lease's token inside its transaction, as in `UpdateStorePort`. */
  settleInspection(
    lease: Lease,
    id: string,
    result: { readonly report: Inspection['report'] } | { readonly failure: Failure },
    now: Instant,
  ): Promise<void>;
}
