/** What a snapshot turned out to hold, read from a member that was restored from it. */
export interface RestoredEtcd {
  /** Decimal. */
  readonly revision: string;
  readonly keys: number;
  /** Over all keys since the compaction: equals the source's at the same revision and compaction (`EtcdPort.hashKv`). */
  readonly hash: number;
  readonly compactRevision: string;
  /** Of the etcd that restored it. */
  readonly version: string;
}

/** Restores etcd snapshots into a scratch member on this machine: loopback only, thrown away afterwards. */
export interface RestoreDrillPort {
  /** Why it cannot be done here (no `etcd` or `etcdctl`/`etcdutl` on the machine); undefined: it can. */
  unavailable(): Promise<string | undefined>;
  /**
   * Writes the snapshot to disk as it comes, restores it, starts a single member from it and asks for revision and keys.
   * Rejects `snapshot-damaged` (terminal) when etcd refuses the file, `drill-failed` (transient) when this machine is in the
   * way (disk full, no memory) or the member does not come up, and with what the stream rejects with. Leaves neither files nor
   * processes; files of a process that was killed go with the next drill.
   */
  restore(snapshot: AsyncIterable<Uint8Array>): Promise<RestoredEtcd>;
}
