import type { PassFrame } from '../pass/run-pass.js';
import type { Rendered } from '../render/render-service.js';

/** Stores what the config items of a new render are and where they come from, for people. */
export async function keepEffectiveConfig(
  frame: PassFrame,
  rendered: Extract<Rendered, { kind: 'valid' }>,
): Promise<void> {
  if (frame.standing.configDigest === rendered.renderDigest) return;
  const { configs, clock } = frame.parts.ports;
  await configs.recordEffectiveConfig(await frame.lease.current(), {
    clusterId: frame.cluster.id,
    digest: rendered.renderDigest,
    commit: rendered.desired.commit,
    items: await rendered.explain(),
    renderedAt: clock.now(),
  });
}
