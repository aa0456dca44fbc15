import { decide, newRollMemory, policyFor, type RollMemory } from '#rolling';
import { bigCluster } from '../lib/big-cluster.js';
import type { Metric, Suite } from '../lib/metric.js';
import { median } from '../lib/stats.js';

const NODES = 200;
const PODS = 6_000;
const LOOKS = 15;
const NOW = Date.parse('2026-01-02T00:00:00Z');

/**
 * What one look at the roll of a big pool costs the worker's event loop: a node is drained at a time while homes are
 * looked for on the others, and the same where no node's pods have a home.
 */
export const decideSuite: Suite = async ({ say }) => {
  const policy = policyFor({ max_surge: '3', parallel_drains: '2' }, 'production');
  if (!policy.ok) throw new Error(policy.error.message);
  const metrics: Metric[] = [];
  for (const homeless of [false, true]) {
    const scope = bigCluster({ nodes: NODES, pods: PODS, homeless });
    let memory: RollMemory = newRollMemory('u1');
    const times: number[] = [];
    for (let look = 0; look < LOOKS; look += 1) {
      // Each look is another reading, as the engine's is.
      const seen = { ...scope, pods: [...scope.pods], pdbs: [...scope.pdbs], memory };
      // Of the processor, not of the clock: others use the machine as well.
      const before = process.cpuUsage();
      ({ memory } = decide(seen, policy.value, NOW));
      times.push(process.cpuUsage(before).user / 1_000);
    }
    const name = `decide.${homeless ? 'homeless' : 'moving'}`;
    say(`${name}: ${median(times).toFixed(1)} ms of ${NODES} nodes and ${PODS} pods`);
    metrics.push({ name, value: median(times), unit: 'ms', kind: 'cpu', noise: 20, target: 100 });
  }
  return metrics;
};
