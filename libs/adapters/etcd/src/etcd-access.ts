import { fail, systemClock, type Clock } from '#kernel';
import type { EtcdAccess, EtcdAddress, EtcdPort } from '#ports';
import { MountedCredentials } from './credentials.js';
import { EtcdAdapter } from './etcd.adapter.js';
import { DEFAULT_LIMITS, Transport, type TransportLimits } from './transport.js';

export interface EtcdAccessOptions {
  /** One folder per cluster id (`:` as `_`) with `etcd-ca.crt`, `etcd-tls.crt` and `etcd-tls.key`. */
  readonly credentialsDirectory: string;
  readonly limits?: Partial<TransportLimits>;
  readonly clock?: Clock;
}

/** Connections to the etcd clusters, one pool per cluster, shared by everybody until `close()`. */
export function createEtcdAccess(options: EtcdAccessOptions): EtcdAccess & { close(): void } {
  const pools = new Map<string, Pool>();
  const poolFor = ({ clusterId, serverName }: EtcdAddress): Pool => {
    const known = pools.get(clusterId);
    if (known && known.serverName === serverName) return known;
    known?.transport.close();
    const { credentialsDirectory, clock } = options;
    const credentials = new MountedCredentials(
      credentialsDirectory,
      clusterId,
      serverName,
      clock ?? systemClock,
    );
    const transport = new Transport(credentials.current, { ...DEFAULT_LIMITS, ...options.limits });
    const pool = { serverName, credentials, transport };
    pools.set(clusterId, pool);
    return pool;
  };
  return {
    async connect(address): Promise<EtcdPort> {
      const secure = checkedEndpoints(address).some((endpoint) => endpoint.startsWith('https:'));
      const { credentials, transport } = poolFor(address);
      if (secure) await credentials.current();
      return new EtcdAdapter(address.endpoints, transport);
    },
    close() {
      for (const { transport } of pools.values()) transport.close();
      pools.clear();
    },
  };
}

interface Pool {
  readonly serverName: string | undefined;
  readonly credentials: MountedCredentials;
  readonly transport: Transport;
}

function checkedEndpoints({ clusterId, endpoints }: EtcdAddress): readonly string[] {
  const bad = endpoints.find(
    (endpoint) => !URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol),
  );
  if (endpoints.length > 0 && bad === undefined) return endpoints;
  return fail({
    class: 'invalid',
    code: 'etcd-bad-endpoint',
    message:
      bad === undefined
        ? `no etcd endpoint is known for ${clusterId}`
        : `${bad} is no URL of an etcd endpoint`,
    hint: 'Write etcd_endpoints as URLs, separated by commas: https://10.0.1.5:2379.',
    place: { field: 'etcd_endpoints' },
  });
}
