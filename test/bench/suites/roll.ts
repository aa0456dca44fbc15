import { RoleProcess } from '../lib/role-process.js';
import type { Suite } from '../lib/metric.js';
import { SandboxBed } from '../lib/sandbox-bed.js';

const SPEED = 60;
const NODES = 7;
const CLUSTER = 'aws:111111111111:eu-central-1:kube-1';
const DEFAULTS = 'cluster/config-defaults.yaml';

interface PlanAnswer {
  readonly plan: { readonly estimate?: { readonly totalMs?: number; readonly expectedMs?: number } };
}

/** One cluster's seven nodes replaced over the wire: how long, how many calls, what it costs the worker. */
export const rollSuite: Suite = async ({ say }) => {
  const bed = await SandboxBed.start({ worker: false, speed: SPEED });
  let worker: RoleProcess | undefined;
  try {
    worker = await RoleProcess.start('worker', bed.sandbox.environment);
    await bed.register(1);
    say('one cluster is ready');
    const { estate } = bed.sandbox;
    await bed.clone.edit(DEFAULTS, (text) => text.replace('20251103', '20251117'));
    const before = { aws: estate.aws.calls.length, kubernetes: kubernetesCalls(bed) };
    await worker.reset();
    const started = performance.now();
    const commit = await bed.clone.push('Another node image', 'dev');
    await bed.allReady(commit, 240_000);
    const elapsed = performance.now() - started;
    const usage = await worker.usage();
    const aws = estate.aws.calls.length - before.aws;
    const kubernetes = kubernetesCalls(bed) - before.kubernetes;
    const minutes = (elapsed / 60_000) * SPEED;
    const { plan } = await bed.client.get<PlanAnswer>(`/api/v1/clusters/${encodeURIComponent(CLUSTER)}/plan`);
    say(
      `${NODES} nodes in ${(elapsed / 1_000).toFixed(1)} s (${minutes.toFixed(1)} simulated minutes), ${aws} AWS and ${kubernetes} Kubernetes calls, ` +
        `${usage.cpuMs.toFixed(0)} ms CPU of the worker, estimate ${JSON.stringify(plan.estimate)}`,
    );
    return [
      { name: 'roll.duration', value: elapsed / 1_000, unit: 's', kind: 'clock', noise: 5 },
      { name: 'roll.per-node', value: elapsed / NODES, unit: 'ms', kind: 'clock', noise: 700 },
      { name: 'roll.aws-calls-per-node', value: aws / NODES, unit: 'calls', kind: 'count', noise: 10 },
      {
        name: 'roll.kubernetes-calls-per-node',
        value: kubernetes / NODES,
        unit: 'calls',
        kind: 'count',
        noise: 30,
      },
      {
        name: 'roll.aws-calls-per-second',
        value: aws / (elapsed / 1_000),
        unit: 'calls/s',
        kind: 'clock',
        noise: 3,
      },
      { name: 'roll.cpu-per-node', value: usage.cpuMs / NODES, unit: 'ms', kind: 'cpu' },
      {
        name: 'roll.queries-per-node',
        value: usage.queries / NODES,
        unit: 'queries',
        kind: 'count',
        noise: 30,
      },
    ];
  } finally {
    await worker?.close();
    await bed.close();
  }
};

/** Of Fairway's own user, not of the simulated controllers. */
const kubernetesCalls = (bed: SandboxBed): number =>
  bed.sandbox.estate.cluster(CLUSTER).wire.calls.entries.filter((call) => call.user === 'fairway').length;
