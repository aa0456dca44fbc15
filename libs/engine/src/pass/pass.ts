import type {
  Cluster,
  DesiredState,
  FleetEvent,
  Hold,
  InfrastructureAccount,
  LockedInputs,
  NodeProgress,
  Problem,
  RollProgress,
  Update,
} from '#fleet';
import type { Instant } from '#kernel';
import type { AwsPort, KubernetesPort } from '#ports';
import type { EnginePorts, EngineSettings } from '../engine-ports.js';
import type { IntentLog } from './intent-log.js';
import type { LeaseKeeper } from './lease-keeper.js';
import type { PassMemory } from './pass-memory.js';

/** What a step of a decommission may use: nothing rendered, because Git may be gone by then. */
export interface BasePass {
  readonly ports: EnginePorts;
  readonly settings: EngineSettings;
  readonly cluster: Cluster;
  readonly account: InfrastructureAccount;
  readonly lease: LeaseKeeper;
  readonly update: Update;
  readonly memory: PassMemory;
  readonly intents: IntentLog;
  readonly aws: AwsPort;
  readonly kubernetes: KubernetesPort;
  /** Holds on the cluster or its channel: no new disturbance begins. */
  readonly holds: readonly Hold[];
  /** Filled by the roll steps, for the live grid. */
  readonly nodes: NodeProgress[];
  readonly rolls: RollProgress[];
  readonly report: PassReport;
}

/** All that a step of an update may use in one pass of one cluster. */
export interface Pass extends BasePass {
  readonly desired: DesiredState;
  readonly inputs: LockedInputs;
}

/** What a pass tells beside its outcomes. */
export interface PassReport {
  readonly events: FleetEvent[];
  /** Trouble that does not stop the update, for the cluster's list of problems. */
  readonly problems: Problem[];
  etaMs?: number;
  /** What that estimate counts on. */
  etaIf?: string;
  /** The pass wants to be repeated at this time at the latest. */
  lookAgainAt?: Instant;
  serverVersion?: string;
  plan?: Update['plan'];
}

/** Adds an event about the pass's cluster. */
export function tell(
  pass: Pick<BasePass, 'ports' | 'cluster' | 'report' | 'update'>,
  event: Pick<FleetEvent, 'type' | 'message'> & Partial<Pick<FleetEvent, 'severity' | 'data' | 'dedupeKey'>>,
): void {
  pass.report.events.push({
    at: pass.ports.clock.now(),
    severity: 'info',
    subject: `cluster/${pass.cluster.id}`,
    channel: pass.cluster.channel,
    clusterId: pass.cluster.id,
    ...event,
    data: { updateId: pass.update.id, ...event.data },
  });
}
