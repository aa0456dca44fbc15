import type { Metric, Suite } from '../lib/metric.js';
import { RoleProcess } from '../lib/role-process.js';
import { RollWitness, type Transition } from '../lib/roll-witness.js';
import { SandboxBed } from '../lib/sandbox-bed.js';
import { percentile } from '../lib/stats.js';

const CLUSTER = 'aws:111111111111:eu-central-1:kube-1';
const DEFAULTS = 'cluster/config-defaults.yaml';
const SPEED = 20;
/** Polls and leases as in production; of the roll's settings only the minimum waits that the policy asks for are short. */
const HURRY = /^FAIRWAY_(ROLL_LOOK_AFTER_ACTION|POLL_INTERVAL|LEASE_TTL)/;

/** From the moment the world allows the next step of a roll until Fairway takes it, over the wire, with production polls. */
export const transitionsSuite: Suite = async ({ say }) => {
  const bed = await SandboxBed.start({ worker: false, speed: SPEED });
  let worker: RoleProcess | undefined;
  try {
    const calm = Object.entries(bed.sandbox.environment).filter(([name]) => !HURRY.test(name));
    worker = await RoleProcess.start('worker', Object.fromEntries(calm));
    await bed.register(1, { 'worker-default': { min_size: 8, max_size: 12 } });
    say('one cluster is ready');
    const { estate } = bed.sandbox;
    const witness = new RollWitness(estate, estate.cluster(CLUSTER));
    await bed.clone.edit(DEFAULTS, (text) => text.replace('20251103', '20251117'));
    await bed.allReady(await bed.clone.push('Another node image', 'dev'), 600_000);
    witness.close();
    for (const what of ['cordon', 'evict', 'terminate'] as const) say(words(what, witness.transitions));
    return figures(witness.transitions);
  } finally {
    await worker?.close();
    await bed.close();
  }
};

const millis = (transitions: readonly Transition[], what?: Transition['what']): readonly number[] =>
  transitions.filter((one) => what === undefined || one.what === what).map(({ ms }) => ms);

function words(what: Transition['what'], transitions: readonly Transition[]): string {
  const all = transitions.filter((one) => one.what === what).sort((a, b) => a.ms - b.ms);
  return `${what}: ${all.map(({ ms, after }) => `${ms.toFixed(0)} ms${after ? ` (${after})` : ''}`).join(', ')}`;
}

function figures(transitions: readonly Transition[]): readonly Metric[] {
  const all = millis(transitions);
  const metric = { unit: 'ms', kind: 'clock' } as const;
  return [
    { name: 'transitions.p50', value: percentile(all, 50), noise: 300, ...metric },
    { name: 'transitions.p95', value: percentile(all, 95), noise: 700, target: 2_000, ...metric },
  ];
}
