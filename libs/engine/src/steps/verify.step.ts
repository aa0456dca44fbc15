import { done, hours, type Outcome, waiting } from '#kernel';
import { healthOf } from '#manifests';
import { apiReady } from '../pass/api-ready.js';
import type { Pass } from '../pass/pass.js';
import type { StepRunner } from './step-runner.js';

/** The last look: every node Ready, the API ready. What it finds wrong is waited for, with its name. */
export const verifyStep: StepRunner = {
  kind: 'verify',
  title: 'Verify the cluster',
  timeLimit: hours(2),
  errorThreshold: 3,
  irreversible: false,
  run: async (pass): Promise<Outcome> => {
    if (!(await apiReady(pass))) return waiting('the API server to be ready', pass.settings.pollInterval);
    const nodes = await pass.kubernetes.listNodes();
    const unready = nodes.filter((node) => !node.ready).map((node) => node.name);
    if (unready.length > 0) {
      return waiting(`nodes to be Ready: ${unready.slice(0, 5).join(', ')}`, pass.settings.pollInterval);
    }
    const unhealthy = await unhealthyWorkloads(pass);
    if (unhealthy.length > 0)
      return waiting(`workloads: ${unhealthy.slice(0, 3).join('; ')}`, pass.settings.pollInterval);
    pass.report.serverVersion = await pass.kubernetes.serverVersion();
    return done(`${nodes.length} nodes are Ready, all components are healthy`);
  },
};

const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet'];

/** After the rolls every workload of the desired state must have settled on the new nodes. */
async function unhealthyWorkloads(pass: Pass): Promise<readonly string[]> {
  const wanted = pass.desired.components
    .filter((component) => component.settings.health === 'wait')
    .flatMap((component) => component.objects)
    .map(({ object }) => object)
    .filter((object) => WORKLOADS.includes(object.kind));
  const found = await Promise.all(
    wanted.map(async (object) => {
      const namespace = object.metadata.namespace;
      const live = await pass.kubernetes.get({
        apiVersion: object.apiVersion,
        kind: object.kind,
        name: object.metadata.name,
        ...(namespace !== undefined && { namespace }),
      });
      const health = healthOf(live);
      return health.status === 'Current' ? [] : [`${object.kind} ${object.metadata.name}: ${health.message}`];
    }),
  );
  return found.flat();
}
