export interface PoolEvidence {
  readonly pool: string;
  readonly master: boolean;
  readonly nodes: number;
  /** Most nodes away at once (cordoned, not ready or gone), against the last moment when all were there. */
  readonly maxAway: number;
  readonly cordons: number;
}

export interface BudgetEvidence {
  readonly budget: string;
  readonly workload: string;
  /** Healthy pods that the budget asks for, and the fewest that were seen since it was first met. */
  readonly needed: number;
  readonly fewest: number;
  readonly breaches: number;
}

export interface ClusterEvidence {
  readonly cluster: string;
  readonly pools: readonly PoolEvidence[];
  readonly budgets: readonly BudgetEvidence[];
  /** Workers that were cordoned while a master still had to be replaced or was away. */
  readonly workersBeforeMasters: readonly string[];
  /** Successful DELETE calls on pods that a budget protected, evictions aside. */
  readonly protectedDeletes: readonly string[];
  readonly evictions: number;
}

export interface EvidenceReport {
  readonly clusters: readonly ClusterEvidence[];
  /** Instances whose termination was asked for and granted more than once. */
  readonly terminatedTwice: readonly string[];
  readonly terminations: number;
  /** Nothing above speaks against the roll. */
  readonly clean: boolean;
}

/** The report for people, one finding a line. */
export function evidenceLines(report: EvidenceReport): readonly string[] {
  const lines: string[] = [];
  for (const cluster of report.clusters) {
    lines.push(cluster.cluster);
    for (const pool of cluster.pools) {
      lines.push(
        `  pool ${pool.pool}: ${pool.nodes} nodes, ${pool.cordons} cordoned, at most ${pool.maxAway} away at once`,
      );
    }
    const breached = cluster.budgets.filter((budget) => budget.breaches > 0);
    lines.push(
      `  ${cluster.budgets.length} budgets kept, ${breached.length} breached; ${cluster.evictions} evictions`,
    );
    for (const budget of breached)
      lines.push(
        `  BREACH ${budget.budget} (${budget.workload}): ${budget.fewest} of ${budget.needed} needed`,
      );
    for (const text of cluster.workersBeforeMasters) lines.push(`  ORDER ${text}`);
    if (cluster.workersBeforeMasters.length === 0)
      lines.push('  masters were complete before the first worker was cordoned');
    for (const text of cluster.protectedDeletes) lines.push(`  DELETE ${text}`);
  }
  const twice =
    report.terminatedTwice.length === 0 ? 'none twice' : `TWICE: ${report.terminatedTwice.join(', ')}`;
  lines.push(`${report.terminations} instances terminated on request, ${twice}`);
  return lines;
}
