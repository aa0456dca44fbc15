import type { Instant } from '#kernel';
import type { Cluster, FleetEvent } from '#fleet';
import type { Transaction } from '../database.js';

type Standing = Pick<Cluster, 'id' | 'alias' | 'apiServerUrl'>;

const OTHERS = `
  SELECT id, alias, api_server_url AS "apiServerUrl" FROM clusters
   WHERE id <> $1 AND lifecycle_status <> 'decommissioned' ORDER BY id`;

/**
 * Two records of one API server are two writers in one cluster: each takes the other's objects and nodes for drift. The
 * registry's contract lets them be, and some do so for a while on purpose (a cluster that gets another id): it is told.
 */
export async function sharedServerEvents(
  tx: Transaction,
  cluster: Pick<Cluster, 'id' | 'alias' | 'apiServerUrl' | 'channel'>,
  at: Instant,
): Promise<readonly FleetEvent[]> {
  const wanted = serverOf(cluster.apiServerUrl);
  const others = await tx.rows<Standing>(OTHERS, [cluster.id]);
  const shared = others.filter(({ apiServerUrl }) => serverOf(apiServerUrl) === wanted);
  const [first] = shared;
  if (!first) return [];
  const rest = shared.length > 1 ? ` and ${shared.length - 1} more` : '';
  const names = `cluster ${first.alias} (${first.id})${rest}`;
  return [
    {
      type: 'cluster.server-shared',
      at,
      severity: 'warning',
      subject: `cluster/${cluster.id}`,
      channel: cluster.channel,
      clusterId: cluster.id,
      message: `api_server_url ${cluster.apiServerUrl} of ${cluster.alias} is that of ${names} too: two records of one API server are two writers in one cluster. Give each its own address, or decommission the old record`,
      data: { sharedWith: shared.map(({ id }) => id).slice(0, 20) },
    },
  ];
}

/** What is one address is one text: case of the host, the default port and a slash at the end do not tell servers apart. */
function serverOf(address: string): string {
  if (!URL.canParse(address)) return address;
  const { protocol, hostname, port, pathname } = new URL(address);
  return `${protocol}//${hostname.replace(/\.$/, '')}:${port}${pathname.replace(/\/+$/, '')}`;
}
