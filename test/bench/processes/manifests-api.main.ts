import { KubernetesWire, ObjectStore, ScaledScheduler, SimulatedCluster } from '#simulation';

/** An API server without controllers in a process of its own: one line with its kubeconfig, then it serves until stopped. */
const id = 'aws:123456789012:eu-central-1:bench';
const wire = new KubernetesWire();
await wire.start();
const store = new ObjectStore({ scheduler: new ScaledScheduler(1), random: Math.random });
wire.addCluster(new SimulatedCluster({ id, store }));
process.stdout.write(`${JSON.stringify({ kubeconfig: wire.kubeconfig(id), server: wire.serverOf(id) })}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
