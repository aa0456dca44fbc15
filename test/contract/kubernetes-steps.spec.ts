import { readFileSync } from 'node:fs';
import { afterAll, beforeAll } from 'vitest';
import { createKubernetesAccess } from '#adapters/kubernetes';
import { KubeConfig } from '@kubernetes/client-node';
import { KubernetesWire, ObjectStore, ScaledScheduler, SimulatedCluster } from '#simulation';
import { WebhookServer, type TestWebhook } from '../support/webhook-server.js';
import type { StepsTarget } from './kubernetes-steps.fixture.js';
import { stepsApplyContract } from './kubernetes-steps-apply.contract.js';
import { stepsDriftContract } from './kubernetes-steps-drift.contract.js';
import { stepsOrderContract } from './kubernetes-steps-order.contract.js';
import { stepsPruneContract } from './kubernetes-steps-prune.contract.js';

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

/** The simulator asks functions where a real API server asks over HTTPS. */
async function addFunction(hook: TestWebhook): Promise<() => Promise<void>> {
  const remove = store.admission.add({
    name: hook.name,
    operations: hook.operations,
    resources: [hook.group === '' ? hook.resource : `${hook.resource}.${hook.group}`],
    review: ({ namespace, name, object }) => {
      if (namespace !== hook.namespace) return { allow: true };
      const verdict = hook.review({ name, ...(object && { object: object as never }) });
      return verdict === 'allow' ? { allow: true } : verdict;
    },
  });
  return async () => remove();
}

const simulated = async (): Promise<StepsTarget> => ({
  kubeconfig: wire.kubeconfig(ID),
  addWebhook: addFunction,
});

async function addWebhook(kubeconfig: string, hook: TestWebhook): Promise<() => Promise<void>> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const access = createKubernetesAccess({
    credentialsFor: async () => ({ kind: 'kubeconfig', text: kubeconfig }),
  });
  const apiServerUrl = config.getCurrentCluster()?.server ?? '';
  const port = await access.connect({ id: ID, apiServerUrl, configItems: {} });
  const server = await WebhookServer.start(hook);
  const { apiVersion, kind, metadata } = await port.create(server.configuration());
  let removed = false;
  return async () => {
    if (removed) return;
    removed = true;
    await port.delete({ apiVersion, kind, name: metadata.name }, {});
    access.close();
    await server.close();
  };
}

// The simulator is tried with 250 objects, and with a death after every call, in test/integration/manifests-*.spec.ts.
stepsApplyContract('the simulated API', simulated, 8);
stepsOrderContract('the simulated API', simulated);
stepsDriftContract('the simulated API', simulated);
stepsPruneContract('the simulated API', simulated, 7);

const real = process.env['FAIRWAY_TEST_KUBECONFIG'];
if (real !== undefined && real !== '') {
  const kubeconfig = readFileSync(real, 'utf8');
  const target = { kubeconfig, addWebhook: (hook: TestWebhook) => addWebhook(kubeconfig, hook) };
  stepsApplyContract('the API of FAIRWAY_TEST_KUBECONFIG', async () => target);
  stepsOrderContract('the API of FAIRWAY_TEST_KUBECONFIG', async () => target);
  stepsDriftContract('the API of FAIRWAY_TEST_KUBECONFIG', async () => target);
  stepsPruneContract('the API of FAIRWAY_TEST_KUBECONFIG', async () => target);
}
