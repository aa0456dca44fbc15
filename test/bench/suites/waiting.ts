import { setTimeout as pause } from 'node:timers/promises';
import { seconds } from '#kernel';
import { eventually } from '../../support/eventually.js';
import type { Suite } from '../lib/metric.js';
import { RoleProcess } from '../lib/role-process.js';
import { SandboxBed } from '../lib/sandbox-bed.js';

const NODES = 60;
const CLUSTER = 'aws:111111111111:eu-central-1:kube-1';
const DEFAULTS = 'cluster/config-defaults.yaml';
const SHOP = 'cluster/manifests/shop/statefulset.yaml';
const USER_DATA = 'cluster/node-pools/worker-default/userdata.yaml';
/** Long enough for what is asked once a minute to be asked. */
const MEASURED = seconds(150);
/** The sandbox hurries; what a waiting roll costs is asked of a worker with the settings of production. */
const HURRY = /^FAIRWAY_(ROLL_|POLL_INTERVAL|LEASE_TTL)/;

/** A roll of 60 nodes that a PodDisruptionBudget blocks: what it asks of AWS and of the cluster meanwhile. */
export const waitingSuite: Suite = async ({ say }) => {
  const bed = await SandboxBed.start({ worker: false, speed: 60 });
  let worker: RoleProcess | undefined;
  try {
    const calm = Object.entries(bed.sandbox.environment).filter(([name]) => !HURRY.test(name));
    worker = await RoleProcess.start('worker', Object.fromEntries(calm));
    await bed.register(1, { 'worker-default': { min_size: NODES, max_size: NODES + 6 } });
    await bed.clone.edit(DEFAULTS, (text) =>
      text.replace(/^shop_replicas: .*$/m, `shop_replicas: "${4 * NODES}"`),
    );
    await bed.clone.edit(SHOP, (text) => text.replace('maxUnavailable: 1', 'maxUnavailable: 0'));
    await bed.allReady(await bed.clone.push('Pods everywhere that may not move', 'dev'), 300_000);
    say(`one cluster with ${NODES} workers is ready`);
    await bed.clone.edit(USER_DATA, (text) => `${text}\n# Another machine\n`);
    await bed.clone.push('Other user data', 'dev');
    await blocked(bed);
    const before = callsOf(bed);
    await pause(MEASURED);
    const after = callsOf(bed);
    const minutes = MEASURED / 60_000;
    const perMinute = (key: keyof Calls): number => (after[key] - before[key]) / minutes;
    const perNode = (perMinute('aws') + perMinute('kubernetes')) / NODES;
    say(
      `${NODES} nodes, blocked: ${perMinute('aws').toFixed(1)} AWS and ${perMinute('kubernetes').toFixed(1)} Kubernetes calls a minute, ` +
        `${perMinute('evictions').toFixed(1)} of them evictions`,
    );
    return [
      { name: 'waiting.calls', value: perNode, unit: 'calls/node/min', kind: 'count', noise: 0.5, target: 5 },
      {
        name: 'waiting.evictions',
        value: perMinute('evictions'),
        unit: 'calls/min',
        kind: 'count',
        noise: 1,
      },
    ];
  } finally {
    await worker?.close();
    await bed.close();
  }
};

/** The first node is cordoned, and none of its pods may leave. */
async function blocked(bed: SandboxBed): Promise<void> {
  const asked = async (): Promise<boolean> => {
    if (callsOf(bed).evictions > 0) return true;
    await pause(500);
    return false;
  };
  await eventually(asked, 'an eviction that is asked for', 300_000);
  await pause(seconds(30));
}

interface Calls {
  readonly aws: number;
  readonly kubernetes: number;
  readonly evictions: number;
}

/** Of Fairway's own user, not of the simulated controllers. */
function callsOf(bed: SandboxBed): Calls {
  const { estate } = bed.sandbox;
  const own = estate.cluster(CLUSTER).wire.calls.entries.filter(({ user }) => user === 'fairway');
  const evictions = own.filter(({ subresource }) => subresource === 'eviction').length;
  return { aws: estate.aws.calls.length, kubernetes: own.length, evictions };
}
