import { KubernetesWire, ObjectStore, ScaledScheduler, SimulatedCluster } from '#simulation';
import { bedStores, CLUSTER_ID, StepsBed } from './steps-bed.js';

export { component, configMap, Killed, type ComponentInput } from './steps-bed.js';

/** The steps on a simulated API server without controllers. */
export class ManifestsBed extends StepsBed {
  private constructor(
    readonly wire: KubernetesWire,
    readonly store: ObjectStore,
    readonly cluster: SimulatedCluster,
    stores: Awaited<ReturnType<typeof bedStores>>,
  ) {
    super({ kubeconfig: () => wire.kubeconfig(CLUSTER_ID), server: wire.serverOf(CLUSTER_ID) }, stores);
  }

  static async open(): Promise<ManifestsBed> {
    const wire = new KubernetesWire();
    await wire.start();
    const store = new ObjectStore({ scheduler: new ScaledScheduler(20), random: Math.random });
    const cluster = new SimulatedCluster({ id: CLUSTER_ID, store });
    wire.addCluster(cluster);
    return new ManifestsBed(wire, store, cluster, await bedStores());
  }

  override async close(): Promise<void> {
    await super.close();
    await this.wire.close();
  }

  requests(since = 0) {
    return this.cluster.calls.entries.slice(since);
  }

  get requestCount(): number {
    return this.cluster.calls.entries.length;
  }
}
