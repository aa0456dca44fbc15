import { milliseconds, seconds, type Clock, type Duration, type Instant } from '#kernel';
import type { KubernetesObject } from '#fleet';
import type { KubernetesPort } from '#ports';
import type { LeaseView } from '#upgrade';
import { fields, text } from './fields.js';

const LEADERS = ['kube-controller-manager', 'kube-scheduler'];
const LEASE_SECONDS = 15;
const LOOK_AGAIN = milliseconds(500);
/** The API server's clock and ours may differ by this without anybody noticing. */
const CLOCKS_APART = seconds(2);

export type Pause = (duration: Duration) => Promise<void>;

export interface LeaderLeases {
  readonly leases: readonly LeaseView[];
  /** By the newest renewal, where it lies in our future. */
  readonly clusterNow?: Instant;
}

/**
 * Leases of the leaders. One that looks old by our clock is watched for its own duration: clocks differ, and leader election
 * too judges by whether a lease is renewed before one's eyes. Absent leases are left out. Times are by our clock, to be held
 * against the beginning of the look: watching one lease must not make the other look old.
 */
export async function readLeaderLeases(
  kubernetes: KubernetesPort,
  clock: Clock,
  pause: Pause,
): Promise<LeaderLeases> {
  const started = clock.now();
  let newest = started + CLOCKS_APART;
  const look = async (name: string): Promise<LeaseView | undefined> => {
    const lease = leaseOf(name, await readLease(kubernetes, name));
    newest = Math.max(newest, lease?.renewedAt ?? 0);
    return lease;
  };
  const views = await Promise.all(LEADERS.map((name) => watched(() => look(name), started, clock, pause)));
  const leases = views.flatMap((view) => view ?? []);
  return newest > clock.now() + CLOCKS_APART ? { leases, clusterNow: newest } : { leases };
}

async function watched(
  look: () => Promise<LeaseView | undefined>,
  started: Instant,
  clock: Clock,
  pause: Pause,
): Promise<LeaseView | undefined> {
  const first = await look();
  if (first?.holder === undefined || first.renewedAt === undefined) return first;
  const duration = seconds(first.durationSeconds ?? LEASE_SECONDS);
  const age = clock.now() - first.renewedAt;
  if (age <= duration && age >= -CLOCKS_APART) return first;
  while (clock.now() < started + duration) {
    await pause(LOOK_AGAIN);
    const again = await look();
    if (again?.renewedAt !== first.renewedAt) return again && { ...again, renewedAt: started };
  }
  // Nobody renewed it for as long as it lasts: it is stale whatever our clock says.
  return { ...first, renewedAt: Math.min(first.renewedAt, started - duration - 1) };
}

const readLease = (kubernetes: KubernetesPort, name: string): Promise<KubernetesObject | undefined> =>
  kubernetes.get({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-system', name });

function leaseOf(name: string, object: KubernetesObject | undefined): LeaseView | undefined {
  if (!object) return undefined;
  const spec = fields(object['spec']);
  const [holder, renewed] = [text(spec['holderIdentity']), Date.parse(text(spec['renewTime']))];
  const { leaseDurationSeconds } = spec;
  return {
    name,
    ...(holder !== '' && { holder }),
    ...(!Number.isNaN(renewed) && { renewedAt: renewed }),
    ...(typeof leaseDurationSeconds === 'number' && { durationSeconds: leaseDurationSeconds }),
  };
}
