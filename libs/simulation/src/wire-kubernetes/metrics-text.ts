import type { SimulatedCluster } from './simulated-cluster.js';

/** The metrics of the API server that clients of ours read. */
export function metricsText({ deprecatedCalls, version }: SimulatedCluster): string {
  const gauges = deprecatedCalls.map(
    ({ group, version: of, resource, removedRelease }) =>
      `apiserver_requested_deprecated_apis{group="${group}",removed_release="${removedRelease}",resource="${resource}",subresource="",version="${of}"} 1`,
  );
  return [
    '# HELP apiserver_requested_deprecated_apis [STABLE] Gauge of deprecated APIs that have been requested',
    '# TYPE apiserver_requested_deprecated_apis gauge',
    ...gauges,
    '# TYPE kubernetes_build_info gauge',
    `kubernetes_build_info{git_version="${version.gitVersion}",major="${version.major}",minor="${version.minor}"} 1`,
    '',
  ].join('\n');
}
