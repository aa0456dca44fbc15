import { readFileSync } from 'node:fs';
import { afterAll, beforeAll } from 'vitest';
import { KubernetesWire, ObjectStore, ScaledScheduler, SimulatedCluster } from '#simulation';
import { manifestsContract } from './kubernetes-manifests.contract.js';

const ID = 'aws:123456789012:eu-central-1:kube-1';
const scheduler = new ScaledScheduler(20);
const store = new ObjectStore({ scheduler, random: Math.random });
const wire = new KubernetesWire();

beforeAll(async () => {
  await wire.start();
  wire.addCluster(new SimulatedCluster({ id: ID, store }));
});
afterAll(async () => {
  await wire.close();
  scheduler.close();
});

manifestsContract('the simulated API', async () => ({ kubeconfig: wire.kubeconfig(ID) }));

const real = process.env['FAIRWAY_TEST_KUBECONFIG'];
if (real !== undefined && real !== '') {
  manifestsContract('the API of FAIRWAY_TEST_KUBECONFIG', async () => ({
    kubeconfig: readFileSync(real, 'utf8'),
  }));
}
