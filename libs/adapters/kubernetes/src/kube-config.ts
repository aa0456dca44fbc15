import { dirname, isAbsolute } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { FailureError } from '#kernel';

/** The current context (or `context`) of a kubeconfig, with the record's URL. Refuses what would not verify the server. */
export function loadKubeConfig(
  text: string,
  where: string,
  context: string | undefined,
  server: string,
): KubeConfig {
  const refuse = (why: string, hint?: string): never => {
    throw new FailureError({
      class: 'denied',
      code: 'cluster-credentials-invalid',
      message: `${where}: ${why}`,
      ...(hint !== undefined && { hint }),
    });
  };
  const loaded = new KubeConfig();
  try {
    loaded.loadFromString(text);
    if (context !== undefined) loaded.setCurrentContext(context);
    // Relative paths in a file count from where the file is.
    if (isAbsolute(where)) loaded.makePathsAbsolute(dirname(where));
  } catch {
    // The parser quotes the lines around a fault, and those hold keys and tokens.
    refuse('is not a kubeconfig');
  }
  const cluster = loaded.getCurrentCluster();
  const user = loaded.getCurrentUser();
  if (!cluster || !user) return refuse('has no current context with a cluster and a user');
  if (cluster.skipTLSVerify && server.startsWith('https:')) {
    refuse(
      'asks not to verify the API server',
      'Remove insecure-skip-tls-verify and give certificate-authority-data.',
    );
  }
  if (cluster.proxyUrl !== undefined) refuse('names a proxy-url, which is not supported');
  const config = new KubeConfig();
  // The record's URL rules. Plain HTTP is let through to loopback addresses only; the transport checks that.
  config.loadFromClusterAndUser({ ...cluster, server, skipTLSVerify: server.startsWith('http:') }, user);
  return config;
}

/** Everything is in the text itself: neither files nor plugins that could say something else the next time. */
export function isFixed(config: KubeConfig): boolean {
  const user = config.getCurrentUser();
  const cluster = config.getCurrentCluster();
  const elsewhere = [user?.exec, user?.authProvider, user?.certFile, user?.keyFile, cluster?.caFile];
  return elsewhere.every((source) => source === undefined || source === null);
}
