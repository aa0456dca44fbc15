import { setTimeout as sleep } from 'node:timers/promises';
import { RoleProcess } from '../lib/role-process.js';
import type { Suite } from '../lib/metric.js';
import { SandboxBed } from '../lib/sandbox-bed.js';

const SPEED = 60;
const CLUSTERS = 5;
const LOOK = 20_000;
const SETTLE = 15_000;

/** The demo's five clusters, ready, with nothing to do: what a worker of its own uses of one core. */
export const idleSuite: Suite = async ({ say }) => {
  const bed = await SandboxBed.start({ worker: false, speed: SPEED });
  let worker: RoleProcess | undefined;
  try {
    worker = await RoleProcess.start('worker', bed.sandbox.environment);
    await bed.register(CLUSTERS);
    // Conformance runs and soaks of the first revision end.
    await sleep(SETTLE);
    await worker.reset();
    const aws = bed.sandbox.estate.aws.calls.length;
    const started = performance.now();
    await sleep(LOOK);
    const usage = await worker.usage();
    const elapsed = performance.now() - started;
    const calls = bed.sandbox.estate.aws.calls.length - aws;
    const percent = (usage.cpuMs / elapsed) * 100;
    const perSecond = usage.queries / (elapsed / 1_000);
    say(
      `idle with ${CLUSTERS} ready clusters: ${percent.toFixed(2)} % CPU, ${perSecond.toFixed(1)} queries/s, ${calls} AWS calls, ` +
        `${usage.gitProcesses} Git processes in ${(elapsed / 1_000).toFixed(0)} s, RSS ${usage.rssMb.toFixed(0)} MB`,
    );
    if (process.env['BENCH_VERBOSE'] !== undefined) console.log(usage.passes, usage.statements);
    return [
      { name: 'idle.cpu', value: percent, unit: '% of a core', kind: 'cpu', target: 2, noise: 0.7 },
      { name: 'idle.queries', value: perSecond, unit: 'queries/s', kind: 'count', noise: 2 },
      { name: 'idle.aws-calls', value: calls, unit: 'calls', kind: 'count', noise: 2 },
      { name: 'idle.rss', value: usage.rssMb, unit: 'MB', kind: 'memory', target: 300 },
    ];
  } finally {
    await worker?.close();
    await bed.close();
  }
};
