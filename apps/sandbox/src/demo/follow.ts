import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetClient } from '../fleet-client.js';
import { snapshot, type FleetSnapshot, type FleetView } from './fleet-view.js';

const LOOK_EVERY_MS = 400;

/** Shows the fleet until `reached` says so; gives up, with what it saw last, after the limit. */
export async function follow(
  client: FleetClient,
  view: FleetView,
  what: string,
  limitMs: number,
  reached: (fleet: FleetSnapshot) => boolean,
): Promise<FleetSnapshot> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const fleet = await snapshot(client);
    view.show(fleet);
    if (reached(fleet)) return fleet;
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${limitMs / 1000} s`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** All clusters are at this commit, or at any if it is not given. */
export const allReady =
  (commit?: string) =>
  ({ clusters }: FleetSnapshot): boolean =>
    clusters.length > 0 &&
    clusters.every(
      (row) => row.phase === 'ready' && (commit === undefined || row.current_version === commit),
    );
