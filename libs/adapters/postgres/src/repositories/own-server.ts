import { fail } from '#kernel';
import type { Cluster } from '#fleet';
import type { Transaction } from '../database.js';

type Standing = Pick<Cluster, 'id' | 'alias' | 'apiServerUrl'>;

const OTHERS = `
  SELECT id, alias, api_server_url AS "apiServerUrl" FROM clusters
   WHERE id <> $1 AND lifecycle_status <> 'decommissioned'`;

/**
 * Two records of one API server are two writers in one cluster: each takes the other's objects and nodes for drift. Refuses
 * the second, with the first one's name. Of two at once one waits, to the end of the other's transaction.
 */
export async function requireOwnServer(tx: Transaction, cluster: Omit<Standing, 'alias'>): Promise<void> {
  await tx.rows(`SELECT pg_advisory_xact_lock(hashtext('fairway clusters.api_server_url'))`, []);
  const wanted = serverOf(cluster.apiServerUrl);
  const others = await tx.rows<Standing>(OTHERS, [cluster.id]);
  const owner = others.find(({ apiServerUrl }) => serverOf(apiServerUrl) === wanted);
  if (owner) serverTaken(cluster, owner);
}

/** What is one address is one text: case of the host, the default port and a slash at the end do not tell servers apart. */
function serverOf(address: string): string {
  if (!URL.canParse(address)) return address;
  const { protocol, hostname, port, pathname } = new URL(address);
  return `${protocol}//${hostname.replace(/\.$/, '')}:${port}${pathname.replace(/\/+$/, '')}`;
}

const serverTaken = (cluster: Omit<Standing, 'alias'>, owner: Standing): never =>
  fail({
    class: 'invalid',
    code: 'server-taken',
    message: `api_server_url ${cluster.apiServerUrl} is that of cluster ${owner.alias} (${owner.id}): two records of one API server would be two writers in one cluster`,
    hint: 'Give the address of this cluster’s own API server; of a cluster that goes by another id now, decommission or delete the old record first.',
  });
