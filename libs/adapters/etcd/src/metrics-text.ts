import { milliseconds, type Duration } from '#kernel';
import type { EtcdMetrics } from '#ports';

interface Sample {
  readonly name: string;
  readonly le?: string;
  readonly value: number;
}

/** The few samples that Fairway shows, from the text that Prometheus reads. */
export function metricsOf(endpoint: string, text: string): EtcdMetrics {
  const samples = parse(text);
  const one = (name: string): number | undefined => samples.find((sample) => sample.name === name)?.value;
  const leader = one('etcd_server_has_leader');
  const found: Partial<Record<keyof EtcdMetrics, number | undefined>> = {
    leaderChangesSeen: one('etcd_server_leader_changes_seen_total'),
    proposalsPending: one('etcd_server_proposals_pending'),
    quotaBytes: one('etcd_server_quota_backend_bytes'),
    dbSizeBytes: one('etcd_mvcc_db_total_size_in_bytes'),
    dbSizeInUseBytes: one('etcd_mvcc_db_total_size_in_use_in_bytes'),
    keys: one('etcd_debugging_mvcc_keys_total'),
    walFsyncP99: p99(samples, 'etcd_disk_wal_fsync_duration_seconds'),
    backendCommitP99: p99(samples, 'etcd_disk_backend_commit_duration_seconds'),
    peerRttP99: p99(samples, 'etcd_network_peer_round_trip_time_seconds'),
  };
  const known = Object.entries(found).filter(([, value]) => value !== undefined);
  return { endpoint, ...(leader !== undefined && { hasLeader: leader === 1 }), ...Object.fromEntries(known) };
}

function parse(text: string): readonly Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith('etcd_')) continue;
    const match = /^([a-z_0-9]+)(?:\{(.*)\})?\s+(\S+)/.exec(line);
    if (!match) continue;
    const le = /(?:^|,)le="([^"]+)"/.exec(match[2] ?? '')?.[1];
    samples.push({ name: match[1] as string, value: Number(match[3]), ...(le !== undefined && { le }) });
  }
  return samples;
}

/** The upper bound of the bucket in which the 99th percentile lies; all series of one name together. */
function p99(samples: readonly Sample[], name: string): Duration | undefined {
  const buckets = new Map<number, number>();
  for (const sample of samples) {
    if (sample.name !== `${name}_bucket` || sample.le === undefined) continue;
    const bound = sample.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(sample.le);
    buckets.set(bound, (buckets.get(bound) ?? 0) + sample.value);
  }
  const total = buckets.get(Number.POSITIVE_INFINITY) ?? 0;
  if (total === 0) return undefined;
  const bound = [...buckets].sort(([a], [b]) => a - b).find(([, count]) => count >= total * 0.99)?.[0];
  return bound === undefined || !Number.isFinite(bound) ? undefined : milliseconds(Math.round(bound * 1000));
}
