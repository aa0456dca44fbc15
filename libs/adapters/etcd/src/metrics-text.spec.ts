import { describe, expect, it } from 'vitest';
import { metricsOf } from './metrics-text.js';

const TEXT = `# HELP etcd_server_has_leader Whether or not a leader exists.
# TYPE etcd_server_has_leader gauge
etcd_server_has_leader 1
etcd_server_leader_changes_seen_total 3
etcd_server_quota_backend_bytes 2.147483648e+09
etcd_mvcc_db_total_size_in_bytes 20480
etcd_debugging_mvcc_keys_total 12
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} 980
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.002"} 989
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.004"} 995
etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 1000
etcd_network_peer_round_trip_time_seconds_bucket{To="a",le="0.1"} 1
etcd_network_peer_round_trip_time_seconds_bucket{To="a",le="+Inf"} 2
process_open_fds 9
`;

describe('metricsOf', () => {
  it('reads what is shown, and bounds the 99th percentile by its bucket', () => {
    expect(metricsOf('http://e', TEXT)).toEqual({
      endpoint: 'http://e',
      hasLeader: true,
      leaderChangesSeen: 3,
      quotaBytes: 2_147_483_648,
      dbSizeBytes: 20_480,
      keys: 12,
      walFsyncP99: 4,
    });
  });

  it('is silent about what is not told', () => {
    expect(metricsOf('http://e', '')).toEqual({ endpoint: 'http://e' });
  });
});
