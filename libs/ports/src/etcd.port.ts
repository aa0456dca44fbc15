import type { Duration } from '#kernel';

/** Ids and revisions are 64 bits wide: decimal text as etcd's JSON gateway writes them, never a JavaScript number. */
export type EtcdId = string;

export interface EtcdMember {
  readonly id: EtcdId;
  /** Empty until the member has started for the first time. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** Empty until the member has started for the first time. */
  readonly clientUrls: readonly string[];
  /** A learner receives the log and does not vote. */
  readonly learner: boolean;
}

export interface EtcdMembership {
  readonly clusterId: EtcdId;
  readonly members: readonly EtcdMember[];
}

/** What one endpoint says of itself (maintenance/status). */
export interface EtcdStatus {
  readonly endpoint: string;
  readonly clusterId: EtcdId;
  readonly memberId: EtcdId;
  /** The server's version, e.g. `3.4.23`. */
  readonly version: string;
  readonly dbSizeBytes: number;
  readonly dbSizeInUseBytes: number;
  /** Absent while the member knows no leader. */
  readonly leaderId?: EtcdId;
  readonly learner: boolean;
  /** The key-value store's revision. */
  readonly revision: EtcdId;
  readonly raftIndex: EtcdId;
  /** How far the member has applied the log. */
  readonly raftAppliedIndex: EtcdId;
  readonly raftTerm: EtcdId;
  /** Sentences of the server, e.g. `etcdserver: no leader`. Empty when it is well. */
  readonly errors: readonly string[];
}

export interface EtcdAlarm {
  readonly memberId: EtcdId;
  /** `NOSPACE`, `CORRUPT`; other words of a newer etcd as they come. */
  readonly kind: string;
}

export interface EtcdHashKv {
  readonly endpoint: string;
  readonly memberId: EtcdId;
  /** Over all keys up to `revision`, since `compactRevision`: members that agree on both must agree on the hash. */
  readonly hash: number;
  readonly compactRevision: EtcdId;
  readonly revision: EtcdId;
}

/** `GET /health` of one endpoint. */
export interface EtcdHealth {
  readonly endpoint: string;
  readonly healthy: boolean;
  /** The server's reason where it gives one (3.5: `RAFT NO LEADER`), or why it could not be asked. */
  readonly reason?: string;
}

/** From `GET /metrics` of one endpoint; absent where the server does not tell. */
export interface EtcdMetrics {
  readonly endpoint: string;
  readonly hasLeader?: boolean;
  readonly leaderChangesSeen?: number;
  readonly proposalsPending?: number;
  readonly quotaBytes?: number;
  readonly dbSizeBytes?: number;
  readonly dbSizeInUseBytes?: number;
  /** 99th percentile over the process' life, an upper bound by bucket. */
  readonly walFsyncP99?: Duration;
  readonly backendCommitP99?: Duration;
  readonly peerRttP99?: Duration;
  /** Keys alive, from `etcd_debugging_mvcc_keys_total`: an estimate of the server. */
  readonly keys?: number;
}

export interface EtcdSnapshot {
  /** The endpoint that streams. */
  readonly endpoint: string;
  /**
   * The file as `etcdctl snapshot save` would write it: the database followed by its 32 byte SHA-256. Pull-based: a slow
   * reader holds the server back, so memory stays within a few chunks. Rejects with a classified `FailureError` where
   * the stream breaks or ends early (fewer bytes than the server announced); what was read until then is worthless.
   * Ending the iteration early closes the connection.
   */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * One etcd cluster by its gRPC-gateway JSON (etcd 3.4 and newer): https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/.
 * Every call without an endpoint asks the endpoints one after another until one answers; a write goes on to the next one
 * only where the first surely did not take it (no connection, no leader). Writes are not idempotent by themselves:
 * callers observe by the member list. Rejects with `FailureError`s, among them
 * - `etcd-unreachable` (transient): no endpoint answered; `etcd-no-leader` (transient): no quorum; `etcd-timeout` (transient)
 * - `etcd-unhealthy-cluster` (blocked): etcd itself refuses a change of members that would endanger the quorum
 * - `etcd-learner-not-ready` (transient): promoted too early; `etcd-too-many-learners` (blocked)
 * - `etcd-member-exists`, `etcd-peer-url-exists`, `etcd-member-not-found`, `etcd-not-learner` (conflict): observe again
 * - `etcd-not-leader` (conflict): leadership may be moved by the leader only
 * - `etcd-no-space` (blocked), `etcd-corrupt` (terminal): alarms
 * - `etcd-denied` (denied): certificates, roles; `etcd-unsupported` (invalid): the server does not know the call
 */
export interface EtcdPort {
  /** Base URLs, e.g. `https://10.0.1.5:2379`, in the configured order. */
  readonly endpoints: readonly string[];

  /** `linearizable` asks through the leader (3.5; 3.4 answers from the member itself): fails without quorum. */
  members(options?: { readonly linearizable?: boolean }): Promise<EtcdMembership>;
  addMember(member: { readonly peerUrls: readonly string[]; readonly learner: boolean }): Promise<EtcdMember>;
  /** Makes a learner that has caught up a voter. */
  promoteMember(id: EtcdId): Promise<EtcdMembership>;
  removeMember(id: EtcdId): Promise<EtcdMembership>;
  updateMember(id: EtcdId, peerUrls: readonly string[]): Promise<EtcdMembership>;

  /** The endpoint's own word; rejects where it does not answer. */
  status(endpoint: string): Promise<EtcdStatus>;
  /** Healthy false instead of a rejection where the endpoint does not answer. */
  health(endpoint: string): Promise<EtcdHealth>;
  metrics(endpoint: string): Promise<EtcdMetrics>;
  /** Through the leader where one is known; it is the only member that may be asked. */
  moveLeader(from: { readonly endpoint: string }, to: EtcdId): Promise<void>;

  alarms(): Promise<readonly EtcdAlarm[]>;
  /** Without an argument all alarms are disarmed. */
  disarm(alarm?: EtcdAlarm): Promise<readonly EtcdAlarm[]>;
  hashKv(endpoint: string, revision?: EtcdId): Promise<EtcdHashKv>;
  /** Blocks the member while it runs: one member at a time, the leader last. */
  defragment(endpoint: string): Promise<void>;

  /** Asks for a snapshot of one endpoint (the first that answers where none is named). */
  snapshot(options?: { readonly endpoint?: string }): Promise<EtcdSnapshot>;
  /**
   * Number of live keys, and the revision that the server has. With `revision`: of the keys that lived then; rejects where
   * that has been compacted. A named endpoint says what it has itself; `linearizable`: after it has all that was committed
   * when it was asked, and so rejects where it cannot reach the leader.
   */
  countKeys(options?: {
    readonly endpoint?: string;
    readonly revision?: EtcdId;
    readonly linearizable?: boolean;
  }): Promise<EtcdKeyCount>;

  /** The same credentials towards other endpoints, e.g. those of members that joined. */
  withEndpoints(endpoints: readonly string[]): EtcdPort;
  /** Lets connections go. */
  close(): void;
}

export interface EtcdKeyCount {
  readonly keys: number;
  readonly revision: EtcdId;
}

/** How a cluster's etcd is reached. The client certificate is found by the cluster's id, where the adapter looks for it. */
export interface EtcdAddress {
  readonly clusterId: string;
  /** Client URLs, at least one. `https` needs a mounted CA and client certificate. */
  readonly endpoints: readonly string[];
  /** The name that the servers' certificates carry, where it is not the endpoint's host. */
  readonly serverName?: string;
}

export interface EtcdAccess {
  /** Rejects `etcd-credentials-missing` (denied) where an `https` endpoint has no credentials. Sends nothing. */
  connect(address: EtcdAddress): Promise<EtcdPort>;
}
