import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '#fleet';
import type { RunningApi } from '#apps/api';
import type { EstateEndpoints } from '#simulation';

/** Mounts credentials for every registered cluster, as the secret store of an installation does. */
export class CredentialWriter {
  private readonly written = new Set<string>();
  private readonly stopListening: () => void;

  constructor(
    private readonly api: RunningApi['runtime'],
    private readonly endpoints: EstateEndpoints,
    private readonly directory: string,
  ) {
    this.stopListening = api.outbox.onCommitted(() => void this.writeMissing());
  }

  async close(): Promise<void> {
    this.stopListening();
  }

  /** Idempotent; also called by those who cannot wait for the event. */
  async writeMissing(): Promise<void> {
    const clusters = await this.api.registry.listClusters({}).catch(() => []);
    for (const cluster of clusters) {
      if (this.written.has(cluster.id)) continue;
      this.written.add(cluster.id);
      this.write(cluster);
      await this.api.updates.markDue([cluster.id], this.api.clock.now()).catch(() => undefined);
    }
  }

  private write(cluster: Cluster): void {
    const directory = join(this.directory, cluster.id.replaceAll(':', '_'));
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const secret = { mode: 0o600 };
    writeFileSync(join(directory, 'ca.crt'), this.endpoints.caPem);
    writeFileSync(join(directory, 'token'), this.endpoints.tokenFor(cluster.id, 'fairway'), secret);
    // For people with kubectl: another user, so that the call log tells them apart. Beside, not in, the worker's directory.
    writeFileSync(
      join(this.directory, `${cluster.alias}.kubeconfig`),
      this.endpoints.kubeconfig(cluster.id, 'operator'),
      secret,
    );
  }
}
