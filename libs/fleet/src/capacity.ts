/** Something that was looked at, or why nobody knows it. Not known is neither enough nor too little. */
export type Sighting<T> =
  { readonly known: true; readonly value: T } | { readonly known: false; readonly why: string };

/** A quota of the region in vCPUs, and what runs (or starts) under it now in the whole account. */
export interface VcpuQuota {
  /** As Service Quotas names it, e.g. `L-1216C47A`. */
  readonly code: string;
  /** `Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances` */
  readonly name: string;
  readonly limit: number;
  readonly used: number;
}

/** What one machine of a type counts, and against which quota; a quota is absent where the type has none that is known. */
export interface VcpuPrice {
  readonly vcpus: number;
  readonly onDemand?: string;
  readonly spot?: string;
}

export interface VcpuSupply {
  readonly quotas: readonly VcpuQuota[];
  /** By instance type; types that the region does not know are absent. */
  readonly types: Readonly<Record<string, VcpuPrice>>;
}

/** What an account has in a region for machines that do not run yet. Read by the engine, judged by the rolling brain. */
export interface CapacityView {
  /** Twelve digits. */
  readonly account: string;
  readonly region: string;
  /** Who answers for the account. */
  readonly owner?: string;
  readonly vcpus: Sighting<VcpuSupply>;
  /** Free addresses by subnet. */
  readonly addresses: Sighting<Readonly<Record<string, number>>>;
}
