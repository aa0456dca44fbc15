import { BACKUP_PROVIDERS, type BackupProvider } from '#fleet';
import { days, formatDuration, hours, minutes, parseDuration, type Duration } from '#kernel';

/** Keep the newest backup of every period of this length, for this long. */
export interface RetentionTier {
  readonly every: Duration;
  readonly keep: Duration;
}

/** How one cluster is backed up, from its config items. */
export interface BackupPolicy {
  /** Never empty. Every one of them must have fresh evidence for the gate to open. */
  readonly providers: readonly BackupProvider[];
  /** In the cluster's account; for `etcd` and `resources`. */
  readonly bucket: string;
  /** Between two backups; undefined: only where an update or a person asks. */
  readonly interval?: Duration;
  readonly retention: readonly RetentionTier[];
  /** Age at the first write of an update at most. */
  readonly maxAge: Duration;
  /** How long after its soak a revision may still be rolled back. */
  readonly rollbackWindow: Duration;
  /** Restore a snapshot into a scratch etcd: with every backup (0), every so often, or only where somebody asks. */
  readonly drillEvery?: Duration;
  /** The gate asks for a drill that is not older than this. */
  readonly drillMaxAge?: Duration;
  readonly kmsKey?: string;
  readonly etcd: EtcdItems;
  readonly velero: VeleroPolicy;
  readonly resources: ResourcesPolicy;
}

interface EtcdItems {
  /** URLs; `{ip}`, `{dns}` and `{instance}` stand for each machine of the etcd stack. */
  readonly endpoints: readonly string[];
  readonly serverName?: string;
}

interface VeleroPolicy {
  readonly namespace: string;
  readonly location: string;
  /** Undefined: as long as the soak and the rollback window need, at least 30 days. */
  readonly ttl?: Duration;
  readonly namespaces: readonly string[];
  /** After this long a backup that is still InProgress is stuck. */
  readonly timeLimit: Duration;
}

interface ResourcesPolicy {
  /** `*`, or kinds as `kubectl` writes them: `deployments.apps`, `configmaps`. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** `encrypt` writes the whole export encrypted under `backup_kms_key`. */
  readonly secrets: 'exclude' | 'encrypt';
}

export type PolicyReading =
  | { readonly kind: 'none'; readonly reason: string }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] }
  | { readonly kind: 'policy'; readonly policy: BackupPolicy };

type Items = Readonly<Record<string, string>>;

/**
 * Reads the items `backup_*` and `etcd_*` of a cluster's effective configuration. Without `backup_providers` no backup is
 * configured, which is no fault; everything else that cannot be read is told, all of it at once.
 */
export function readBackupPolicy(items: Items): PolicyReading {
  const problems: string[] = [];
  const providers = providersOf(items, problems);
  if (providers.length === 0 && problems.length === 0)
    return { kind: 'none', reason: 'no backup is configured (config item backup_providers)' };
  const time = (key: string): Duration | undefined => durationOf(items, key, problems);
  const retention = retentionOf(items, problems);
  const policy: BackupPolicy = {
    providers,
    bucket: items['backup_bucket']?.trim() ?? '',
    ...optional(
      'interval',
      items['backup_interval'] === 'off' ? undefined : (time('backup_interval') ?? hours(1)),
    ),
    retention,
    maxAge: time('backup_max_age') ?? minutes(60),
    rollbackWindow: time('backup_rollback_window') ?? days(7),
    ...drillOf(items, problems),
    ...optional('drillMaxAge', time('backup_drill_max_age')),
    ...optional('kmsKey', text(items, 'backup_kms_key')),
    etcd: {
      endpoints: list(items['etcd_endpoints']),
      ...optional('serverName', text(items, 'etcd_server_name')),
    },
    velero: veleroOf(items, time),
    resources: {
      include: list(items['backup_resources_include'] ?? '*'),
      exclude: list(items['backup_resources_exclude'] ?? DEFAULT_EXCLUDED),
      secrets: items['backup_resources_secrets'] === 'encrypt' ? 'encrypt' : 'exclude',
    },
  };
  problems.push(...contradictions(policy, items));
  return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'policy', policy };
}

/** What comes and goes by itself and is worth nothing in a restore. */
const DEFAULT_EXCLUDED =
  'events,events.events.k8s.io,leases.coordination.k8s.io,endpointslices.discovery.k8s.io';
const DEFAULT_RETENTION = '1h=7d,1d=90d';

function contradictions(policy: BackupPolicy, items: Items): readonly string[] {
  const { providers, interval, maxAge } = policy;
  const stored = providers.filter((provider) => provider !== 'velero');
  const secrets = items['backup_resources_secrets'];
  return [
    ...(stored.length > 0 && policy.bucket === ''
      ? [`backup_bucket is missing: ${stored.join(' and ')} backups are stored there`]
      : []),
    ...(providers.includes('etcd') && policy.etcd.endpoints.length === 0
      ? ['etcd_endpoints is missing: where etcd is asked for snapshots, comma-separated']
      : []),
    ...(secrets !== undefined && secrets !== 'encrypt' && secrets !== 'exclude'
      ? [`backup_resources_secrets is "${secrets}"; write exclude or encrypt`]
      : []),
    ...(policy.resources.secrets === 'encrypt' && policy.kmsKey === undefined
      ? ['backup_resources_secrets: encrypt needs backup_kms_key']
      : []),
    ...drillContradictions(policy),
    ...(maxAge <= 0 ? ['backup_max_age must be more than 0'] : []),
    ...(interval !== undefined && interval < minutes(5) ? ['backup_interval must be 5m or more'] : []),
  ];
}

/** A gate that asks for drills which are not made would never open, and ask for one backup after another. */
function drillContradictions({ drillMaxAge, drillEvery }: BackupPolicy): readonly string[] {
  if (drillMaxAge === undefined) return [];
  if (drillEvery === undefined)
    return ['backup_drill_max_age asks for restore drills, and backup_drill is off'];
  return drillEvery > drillMaxAge
    ? [
        `backup_drill (${formatDuration(drillEvery)}) must not be longer than backup_drill_max_age (${formatDuration(drillMaxAge)})`,
      ]
    : [];
}

function providersOf(items: Items, problems: string[]): readonly BackupProvider[] {
  const names = list(items['backup_providers']);
  const known = (name: string): name is BackupProvider =>
    (BACKUP_PROVIDERS as readonly string[]).includes(name);
  for (const name of names) {
    if (!known(name)) problems.push(`backup_providers: "${name}" is none of ${BACKUP_PROVIDERS.join(', ')}`);
  }
  return [...new Set(names.filter(known))];
}

function veleroOf(items: Items, time: (key: string) => Duration | undefined): VeleroPolicy {
  return {
    namespace: text(items, 'backup_velero_namespace') ?? 'velero',
    location: text(items, 'backup_velero_location') ?? 'default',
    ...optional('ttl', time('backup_velero_ttl')),
    namespaces: list(items['backup_velero_namespaces'] ?? '*'),
    timeLimit: time('backup_velero_time_limit') ?? hours(1),
  };
}

/** `always`, `off`, or a duration. */
function drillOf(items: Items, problems: string[]): { readonly drillEvery?: Duration } {
  const word = items['backup_drill'] ?? 'always';
  if (word === 'off') return {};
  if (word === 'always') return { drillEvery: 0 };
  return optional('drillEvery', durationOf(items, 'backup_drill', problems));
}

/** `1h=7d,1d=90d`: the newest of every hour for a week, the newest of every day for 90 days. */
function retentionOf(items: Items, problems: string[]): readonly RetentionTier[] {
  const written = items['backup_retention'] ?? DEFAULT_RETENTION;
  return list(written).flatMap((part) => {
    const [every, keep] = part.split('=').map((side) => parseDuration(side.trim()));
    if (every !== undefined && keep !== undefined && every >= minutes(5) && keep >= every)
      return [{ every, keep }];
    problems.push(`backup_retention: "${part}" is no tier; write for example ${DEFAULT_RETENTION}`);
    return [];
  });
}

function durationOf(items: Items, key: string, problems: string[]): Duration | undefined {
  const written = text(items, key);
  if (written === undefined) return undefined;
  const parsed = parseDuration(written);
  if (parsed === undefined)
    problems.push(`${key}: "${written}" is no duration; write for example 90m, 2h or 7d`);
  return parsed;
}

const text = (items: Items, key: string): string | undefined => {
  const value = items[key]?.trim();
  return value === undefined || value === '' ? undefined : value;
};

const list = (written: string | undefined): readonly string[] =>
  (written ?? '').split(/[\s,]+/).flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));

const optional = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
