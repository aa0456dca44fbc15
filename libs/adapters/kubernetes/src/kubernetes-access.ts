import { systemClock, type Clock } from '#kernel';
import type { KubernetesAccess, KubernetesPort } from '#ports';
import { ApiTransport, DEFAULT_LIMITS, type TransportLimits } from './api-transport.js';
import {
  CredentialReader,
  directoryCredentials,
  type ClusterCredential,
  type ConnectCluster,
  type EksTokenSource,
} from './credentials.js';
import { Discovery } from './discovery.js';
import { KubernetesAdapter } from './kubernetes.adapter.js';
import { WatchHub, type WatchTrouble } from './watch-hub.js';

export interface KubernetesAccessOptions {
  /** Chooses how to prove ourselves to a cluster; asked again before every request, so it must be cheap. */
  readonly credentialsFor?: (cluster: ConnectCluster) => Promise<ClusterCredential>;
  /** Used where `credentialsFor` is absent; see {@link directoryCredentials}. */
  readonly credentialsDirectory?: string;
  /** For clusters whose directory names an EKS cluster. */
  readonly eksTokens?: EksTokenSource;
  readonly limits?: Partial<TransportLimits>;
  /** Field manager of creates and node patches. */
  readonly fieldManager?: string;
  /** A watch broke and will be tried again; for logs. */
  readonly onWatchTrouble?: (clusterId: string, trouble: WatchTrouble) => void;
  readonly clock?: Clock;
  /** For jitter, 0 to 1. */
  readonly random?: () => number;
}

export const DEFAULT_CREDENTIALS_DIRECTORY = '/etc/fairway/clusters';

/** Connections to clusters, one per cluster and API server URL, shared by everybody until `close()`. */
export function createKubernetesAccess(
  options: KubernetesAccessOptions = {},
): KubernetesAccess & { close(): void } {
  const clock = options.clock ?? systemClock;
  const credentialsFor =
    options.credentialsFor ??
    directoryCredentials(options.credentialsDirectory ?? DEFAULT_CREDENTIALS_DIRECTORY, options.eksTokens);
  const connections = new Map<string, Connection>();

  const open = (cluster: ConnectCluster): Connection => {
    const reader = new CredentialReader(cluster, credentialsFor, clock);
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const transport = new ApiTransport(cluster.apiServerUrl, reader, limits, clock);
    const trouble = (one: WatchTrouble): void => options.onWatchTrouble?.(cluster.id, one);
    const watches = new WatchHub(transport, trouble, options.random ?? Math.random);
    const discovery = new Discovery(transport, clock);
    const port = new KubernetesAdapter(transport, discovery, watches, options.fieldManager ?? 'fairway');
    const close = (): void => {
      watches.close();
      transport.close();
    };
    return { url: cluster.apiServerUrl, port, close };
  };

  return {
    async connect(cluster) {
      const known = connections.get(cluster.id);
      if (known?.url === cluster.apiServerUrl) return known.port;
      const connection = open(cluster);
      // The record got another URL: passes that still hold the former port fail as transient.
      known?.close();
      connections.set(cluster.id, connection);
      return connection.port;
    },
    close() {
      for (const connection of connections.values()) connection.close();
      connections.clear();
    },
  };
}

interface Connection {
  readonly url: string;
  readonly port: KubernetesPort;
  close(): void;
}
