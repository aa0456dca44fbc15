import type { StepKind } from '#fleet';
import { BootThrottle, type BootReport, type RollScope } from '#rolling';
import type { EnginePorts } from '../engine-ports.js';
import type { Pass } from '../pass/pass.js';

/** Config item: host of the image registry that the nodes of the cluster pull from. */
const REGISTRY_ITEM = 'image_registry';

/** One throttle per engine: the clusters of one worker process share it. It is a brake, not a lock, and starts anew with it. */
const throttles = new WeakMap<EnginePorts, BootThrottle>();

function throttleOf(pass: Pass): BootThrottle {
  const known = throttles.get(pass.ports);
  if (known) return known;
  const fresh = new BootThrottle();
  throttles.set(pass.ports, fresh);
  return fresh;
}

const bucketsOf = ({ cluster, account }: Pass): readonly string[] => [
  `registry/${cluster.configItems[REGISTRY_ITEM] ?? 'default'}`,
  `account/${account.externalId}`,
  `region/${cluster.region}`,
];

/** Boots that this cluster may begin now. */
export const bootThrottle = (pass: Pass): NonNullable<RollScope['bootThrottle']> =>
  throttleOf(pass).free(bucketsOf(pass), pass.ports.clock.now());

export function reportBoots(pass: Pass, step: StepKind, boots: BootReport): void {
  const now = pass.ports.clock.now();
  throttleOf(pass).report(`${pass.cluster.id}/${step}`, bucketsOf(pass), boots, now);
}
