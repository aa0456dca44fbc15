import type { Instant } from '#kernel';

export interface LogLine {
  readonly at: Instant;
  readonly text: string;
}

/** One container's output. It lives on the node and is gone with the pod. */
export class ContainerLog {
  private readonly kept: LogLine[] = [];
  private readonly listeners = new Set<(line: LogLine | undefined) => void>();
  private ended = false;

  get lines(): readonly LogLine[] {
    return this.kept;
  }

  /** True when nothing more will come. */
  get closed(): boolean {
    return this.ended;
  }

  append(at: Instant, text: string): void {
    const line = { at, text };
    this.kept.push(line);
    for (const listener of this.listeners) listener(line);
  }

  close(): void {
    this.ended = true;
    for (const listener of this.listeners) listener(undefined);
    this.listeners.clear();
  }

  reopen(): void {
    this.ended = false;
  }

  /** Calls back for every further line, and once with undefined at the end. Returns the way out. */
  follow(listener: (line: LogLine | undefined) => void): () => void {
    if (this.ended) {
      listener(undefined);
      return () => undefined;
    }
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}

/** The logs of all containers of a cluster, by pod uid and container name. */
export class LogBook {
  private readonly byPod = new Map<string, Map<string, ContainerLog>>();

  open(podUid: string, container: string): ContainerLog {
    const logs = this.byPod.get(podUid) ?? new Map<string, ContainerLog>();
    this.byPod.set(podUid, logs);
    const known = logs.get(container);
    if (known) return known;
    const log = new ContainerLog();
    logs.set(container, log);
    return log;
  }

  find(podUid: string, container: string): ContainerLog | undefined {
    return this.byPod.get(podUid)?.get(container);
  }

  drop(podUid: string): void {
    for (const log of this.byPod.get(podUid)?.values() ?? []) if (!log.closed) log.close();
    this.byPod.delete(podUid);
  }
}
