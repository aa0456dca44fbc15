import { err, minutes, ok, parseDuration, seconds, type Failure, type Result } from '#kernel';
import type { EtcdPolicy } from '#upgrade';

/** How a cluster's etcd is reached and kept, from its config items. */
export interface EtcdSettings {
  /** URLs; `{ip}`, `{dns}` and `{instance}` stand for each machine of the etcd stack. */
  readonly endpoints: readonly string[];
  /** Pattern of the peer URL of a new member. */
  readonly peerUrl: string;
  readonly serverName?: string;
  /** Absent: members are looked at and never replaced. */
  readonly policy?: EtcdPolicy;
  /** Machines that somebody wants replaced although they are current. */
  readonly replace: readonly string[];
}

const MAX_LAG = 1_000;
const WAYS = ['member', 'static', 'off'];

type Items = Readonly<Record<string, string>>;

/** Undefined where the items name no endpoint: then nobody knows how to ask this etcd. */
export function etcdSettings(items: Items = {}): Result<EtcdSettings | undefined, Failure> {
  const endpoints = listOf(items['etcd_endpoints']);
  if (endpoints.length === 0) return ok(undefined);
  const way = items['etcd_replacement'] ?? 'static';
  if (!WAYS.includes(way)) return invalid('etcd_replacement', way, `one of ${WAYS.join(', ')}`);
  const maxLag = Number(items['etcd_max_lag'] ?? MAX_LAG);
  if (!Number.isInteger(maxLag) || maxLag < 0)
    return invalid('etcd_max_lag', items['etcd_max_lag'], 'a count of log entries');
  const times = durations(items);
  if (!times.ok) return times;
  const scheme = endpoints[0]?.startsWith('https:') ? 'https' : 'http';
  const serverName = items['etcd_server_name'];
  return ok({
    endpoints,
    peerUrl: items['etcd_peer_url'] ?? `${scheme}://{ip}:2380`,
    ...(serverName !== undefined && { serverName }),
    ...(way !== 'off' && { policy: { way: way as EtcdPolicy['way'], maxLag, ...times.value } }),
    replace: listOf(items['etcd_replace']),
  });
}

type Times = Pick<EtcdPolicy, 'unhealthyAfter' | 'patience' | 'settle'>;

function durations(items: Items): Result<Times, Failure> {
  const read = { unhealthyAfter: 'etcd_unhealthy_after', patience: 'etcd_patience', settle: 'etcd_settle' };
  const times = { unhealthyAfter: minutes(5), patience: minutes(15), settle: seconds(10) };
  for (const [time, item] of Object.entries(read)) {
    const text = items[item];
    if (text === undefined) continue;
    const parsed = parseDuration(text);
    if (parsed === undefined) return invalid(item, text, 'a duration such as 90s or 5m');
    times[time as keyof Times] = parsed;
  }
  return ok(times);
}

const listOf = (text = ''): readonly string[] =>
  text
    .split(/[\s,]+/)
    .map((one) => one.trim())
    .filter((one) => one !== '');

const invalid = (field: string, value: string | undefined, wanted: string): Result<never, Failure> =>
  err({
    class: 'invalid',
    code: 'etcd-config',
    message: `config item ${field} is ${JSON.stringify(value ?? '')}`,
    hint: `It must be ${wanted}.`,
    place: { field },
  });
