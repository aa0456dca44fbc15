import type { Metric, Suite } from '../lib/metric.js';
import { SandboxBed } from '../lib/sandbox-bed.js';
import { percentile } from '../lib/stats.js';

const PUSHES = 20;
const SPEED = 60;
const CLUSTER = 'aws:111111111111:eu-central-1:kube-1';
const DEFAULTS = 'cluster/config-defaults.yaml';
const LIMIT = 30_000;

/** From a push (the host's ring) and from a signed webhook to the first write or dry run outside, everything in one process. */
export const latencySuite: Suite = async ({ say }) => {
  const bed = await SandboxBed.start({ worker: true, speed: SPEED });
  try {
    await bed.register(1);
    say('one cluster is ready');
    const pushes: number[] = [];
    const hooks: number[] = [];
    for (let index = 0; index < PUSHES; index += 1) {
      pushes.push(await measure(bed, index * 2, 'push'));
      hooks.push(await measure(bed, index * 2 + 1, 'webhook'));
    }
    return [...figures('latency.push', pushes, say), ...figures('latency.webhook', hooks, say)];
  } finally {
    await bed.close();
  }
};

async function measure(bed: SandboxBed, index: number, by: 'push' | 'webhook'): Promise<number> {
  await bed.clone.edit(DEFAULTS, (text) =>
    text.replace(/^ingress_log_level: .*$/m, `ingress_log_level: "level-${index}"`),
  );
  const action = bed.firstAction(CLUSTER);
  try {
    let commit: string;
    let started: number;
    if (by === 'push') {
      commit = await bed.clone.push(`Level ${index}`, 'dev');
      started = performance.now();
    } else {
      commit = await bed.pushSilently(`Level ${index}`);
      started = performance.now();
      await bed.webhook();
    }
    const acted = await withLimit(action.at);
    await bed.allReady(commit);
    // The ring is on its way before `git push` has ended; an action before the end counts as none.
    return Math.max(0, acted - started);
  } finally {
    action.cancel();
  }
}

async function withLimit(action: Promise<number>): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing was done outside within ${LIMIT} ms`)), LIMIT);
  });
  try {
    return await Promise.race([action, late]);
  } finally {
    clearTimeout(timer);
  }
}

function figures(name: string, samples: readonly number[], say: (text: string) => void): readonly Metric[] {
  const [p50, p95] = [percentile(samples, 50), percentile(samples, 95)];
  say(
    `${name}: p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms, worst ${Math.max(...samples).toFixed(0)} ms of ${samples.length}`,
  );
  return [
    { name: `${name}.p50`, value: p50, unit: 'ms', kind: 'cpu', noise: 40 },
    { name: `${name}.p95`, value: p95, unit: 'ms', kind: 'cpu', noise: 120, target: 1_000 },
  ];
}
