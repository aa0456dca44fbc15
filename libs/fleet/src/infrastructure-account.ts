export type AccountLifecycle = 'requested' | 'creating' | 'ready' | 'decommissioned';

/** An AWS account that holds clusters. `id` is `aws:123456789012`, `externalId` the twelve digits. */
export interface InfrastructureAccount {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly owner: string;
  readonly costCenter: string;
  readonly environment: string;
  /** 1 is non critical, 2 standard production, 3 PCI. */
  readonly criticalityLevel: number;
  readonly externalId: string;
  readonly lifecycleStatus: AccountLifecycle;
}
