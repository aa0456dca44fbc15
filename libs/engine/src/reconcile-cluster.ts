import type { Instant } from '#kernel';
import { toFailure } from '#kernel';
import type { Cluster, Hold, StepKind } from '#fleet';
import { DECOMMISSION_STEP_KINDS, holdsOn, STEP_KINDS, UPDATE_BLOCK_ITEM } from '#fleet';
import type { ClusterRuntime, ConfigStanding } from '#ports';
import type { EnginePorts, EngineSettings } from './engine-ports.js';
import { spreadInterval } from './backoff.js';
import { carryOver } from './pass/carry-over.js';
import { LeaseKeeper } from './pass/lease-keeper.js';
import { endExpired, firstExpiry, soonest } from './pass/override-expiry.js';
import { recordDigest } from './pass/record-digest.js';
import { runPass } from './pass/run-pass.js';
import { SETTLED, settledBasis, type Settled } from './pass/settled.js';
import type { RenderService } from './render/render-service.js';
import type { BasePass } from './pass/pass.js';
import { DECOMMISSION_STEPS, UPDATE_STEPS } from './steps/index.js';
import { createStepRegistry, type StepRunner } from './steps/step-runner.js';

export type ReconcileResult =
  /** Another worker holds the cluster. */
  | { readonly kind: 'busy' }
  /** Nothing is known of it, or nothing is left to do. */
  | { readonly kind: 'idle'; readonly why: string }
  /** At its desired state and verified not long ago: cost a few reads. */
  | { readonly kind: 'settled' }
  | {
      readonly kind: 'passed';
      readonly phase: string;
      readonly nextDueAt: Instant | undefined;
      /** Whether changes inside the cluster should wake the next pass. */
      readonly watch: boolean;
      /** Whether this one found or did something new. */
      readonly moved: boolean;
    };

export interface ClusterReconciler {
  reconcile(clusterId: string): Promise<ReconcileResult>;
}

/** One short pass per call; never sleeps, never throws for what the outside does. */
export function createClusterReconciler(
  ports: EnginePorts,
  settings: EngineSettings,
  rendering: RenderService,
): ClusterReconciler {
  const parts: PassParts = {
    ports,
    settings,
    rendering,
    updateSteps: createStepRegistry(STEP_KINDS, UPDATE_STEPS),
    decommissionSteps: createStepRegistry(DECOMMISSION_STEP_KINDS, DECOMMISSION_STEPS),
  };
  return { reconcile: (clusterId) => reconcile(parts, clusterId) };
}

async function reconcile(parts: PassParts, clusterId: string): Promise<ReconcileResult> {
  const { ports, settings } = parts;
  const lease = await LeaseKeeper.acquire(
    ports.leases,
    ports.clock,
    `cluster/${clusterId}`,
    settings.leaseTtl,
  );
  if (!lease) return { kind: 'busy' };
  try {
    return await reconcileLeased(parts, lease, clusterId);
  } catch (thrown) {
    const failure = toFailure(thrown);
    if (failure.class === 'bug') ports.log.error('pass threw an unclassified error', { clusterId, failure });
    else ports.log.warn('pass ended early', { clusterId, code: failure.code, reason: failure.message });
    return { kind: 'passed', phase: 'waiting', nextDueAt: undefined, watch: false, moved: false };
  } finally {
    await lease.release().catch(() => undefined);
  }
}

async function reconcileLeased(
  parts: PassParts,
  lease: LeaseKeeper,
  clusterId: string,
): Promise<ReconcileResult> {
  const { ports, settings } = parts;
  const [cluster, runtime, holds, stored] = await Promise.all([
    ports.registry.getCluster(clusterId),
    ports.updates.runtime(clusterId),
    ports.channels.holds(),
    ports.configs.standing(clusterId),
  ]);
  if (!cluster || !runtime) return { kind: 'idle', why: 'not registered' };
  if (cluster.lifecycleStatus === 'decommissioned') return { kind: 'idle', why: 'decommissioned' };
  const now = ports.clock.now();
  const standing = await endExpired(ports, lease, cluster, stored);
  // What people ask for about its objects or inputs is looked at now.
  const asked = standing.refreshAsked || (await ports.updates.openManifestRequests(clusterId)).length > 0;
  const settled = asked ? undefined : settledOn(cluster, runtime, standing);
  const expiry = firstExpiry(standing);
  if (settled && settled.revisionId !== runtime.admittedRevisionId) {
    // Whenever it was verified last: a look that is due follows, and the same content goes on soaking.
    if (await carryOver(parts, lease, cluster, runtime, settled, expiry)) return { kind: 'settled' };
  } else if (settled && runtime.status && now < settled.verifiedAt + settings.resyncInterval * 0.85) {
    await ports.updates.commitPass(await lease.current(), {
      status: runtime.status,
      doorbellSeen: runtime.doorbell,
      nextDueAt: soonest(spreadInterval(settled.verifiedAt, settings.resyncInterval, clusterId), expiry),
      memory: runtime.memory,
      events: [],
    });
    return { kind: 'settled' };
  }
  return runPass(parts, lease, cluster, runtime, holdsFor(cluster, holds, now), standing);
}

/** Well, and brought to what this record asks for; its channel may be at another revision by now. */
function settledOn(cluster: Cluster, runtime: ClusterRuntime, standing: ConfigStanding): Settled | undefined {
  if (cluster.lifecycleStatus === 'decommission-requested') return undefined;
  const settled = settledBasis(runtime.memory[SETTLED]);
  if (!settled || runtime.status?.phase !== 'ready') return undefined;
  return settled.recordDigest === recordDigest(cluster, standing) ? settled : undefined;
}

export interface PassParts {
  readonly ports: EnginePorts;
  readonly settings: EngineSettings;
  readonly rendering: RenderService;
  readonly updateSteps: ReadonlyMap<StepKind, StepRunner>;
  readonly decommissionSteps: ReadonlyMap<StepKind, StepRunner<BasePass>>;
}

/** Holds of the database, those of its pools included, and the cluster's own block item. */
function holdsFor(cluster: Cluster, holds: readonly Hold[], now: Instant): readonly Hold[] {
  const target = { channel: cluster.channel, clusterId: cluster.id, withPools: true } as const;
  const active = holdsOn(holds, target, now);
  const reason = cluster.configItems[UPDATE_BLOCK_ITEM];
  if (reason === undefined || reason === '') return active;
  const own: Hold = {
    id: UPDATE_BLOCK_ITEM,
    scope: { kind: 'cluster', clusterId: cluster.id },
    reason,
    owner: `config item ${UPDATE_BLOCK_ITEM}`,
    createdAt: cluster.createdAt,
  };
  return [...active, own];
}
