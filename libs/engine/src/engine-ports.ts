import type { Clock, Duration, Ids } from '#kernel';
import { minutes, seconds } from '#kernel';
import type {
  AwsAccess,
  BackupStorePort,
  ChannelStorePort,
  ConfigStorePort,
  DoorbellPort,
  EtcdAccess,
  GitPort,
  HealthProbePort,
  KubernetesAccess,
  LeasePort,
  LogPort,
  PromotionStorePort,
  RegistryPort,
  RestoreDrillPort,
  UpdateStorePort,
} from '#ports';
import type { Renderer } from './render/renderer.js';

/** Everything outside that the engine uses. */
export interface EnginePorts {
  readonly registry: RegistryPort;
  readonly updates: UpdateStorePort;
  readonly channels: ChannelStorePort;
  readonly decisions: PromotionStorePort;
  readonly configs: ConfigStorePort;
  readonly backups: BackupStorePort;
  readonly leases: LeasePort;
  readonly doorbell: DoorbellPort;
  readonly git: GitPort;
  readonly aws: AwsAccess;
  readonly kubernetes: KubernetesAccess;
  /** Without it the members of etcd are not looked after, and no snapshot is taken. */
  readonly etcd?: EtcdAccess;
  /** Restores snapshots for proof; without it backups are verified by their digests only. */
  readonly drill?: RestoreDrillPort;
  /** Checks of health gates; without it they have no answer, and the gates stay shut. */
  readonly probes?: HealthProbePort;
  /** Renders candidates for preflight gates; without it they stay shut. */
  readonly renderer?: Renderer;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: LogPort;
}

/** Rhythm of the engine. All defaults suit production; the sandbox shortens them. */
export interface EngineSettings {
  /** How long a worker that died keeps others from its cluster. */
  readonly leaseTtl: Duration;
  /** How soon to look again at something that moves by itself (stacks, boots, drains) without an event. */
  readonly pollInterval: Duration;
  /** How often a settled cluster is verified against the outside. */
  readonly resyncInterval: Duration;
  /** Between two fetches of a repository that nobody announced. */
  readonly gitPollInterval: Duration;
  /** Between a request to decommission and its first write. */
  readonly decommissionGrace: Duration;
  /** Overrides of roll timings, e.g. how long a new node must be ready. Production uses the policy's defaults. */
  readonly roll: {
    readonly minReady?: Duration;
    readonly drainedQuiet?: Duration;
    readonly maxDeregistrationDelay?: Duration;
    /** How soon to look again after something was written. */
    readonly lookAfterAction?: Duration;
  };
}

export const DEFAULT_ENGINE_SETTINGS: EngineSettings = {
  leaseTtl: seconds(60),
  pollInterval: seconds(5),
  resyncInterval: minutes(30),
  gitPollInterval: seconds(30),
  decommissionGrace: minutes(60),
  roll: {},
};
