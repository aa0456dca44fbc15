import { KubernetesWire } from '../wire-kubernetes/kubernetes-wire.js';
import type { AccessKey } from '../aws/identity.js';
import { EtcdGateway } from '../etcd/etcd-gateway.js';
import { AwsServer } from '../wire-aws/aws-server.js';
import type { Estate } from './estate.js';
import type { LivingCluster } from './living-cluster.js';

export interface EstateEndpoints {
  /** For `AWS_ENDPOINT_URL`. */
  readonly awsUrl: string;
  /** `https://127.0.0.1:PORT`; a cluster's API is at `serverOf(id)`. */
  readonly kubernetesUrl: string;
  readonly caPem: string;
  /** For the config item `etcd_endpoints`: the pattern of every etcd machine's gateway. */
  readonly etcdUrl: string;
  /** The API server URL of a cluster, also of one that has no machine yet. */
  serverOf(clusterId: string): string;
  /** YAML with a token inside: a secret. */
  kubeconfig(clusterId: string, user?: string): string;
  tokenFor(clusterId: string, user?: string): string;
  /** The static key of an account's own user. */
  credentials(accountId: string): AccessKey;
}

interface Wires {
  readonly kubernetes: KubernetesWire;
  readonly aws: AwsServer;
  readonly etcd: EtcdGateway;
  readonly endpoints: Promise<EstateEndpoints>;
}

/** The two servers in front of the estate. Clusters that come into being later are served too. */
export class EstateWires {
  private running: Wires | undefined;

  constructor(private readonly estate: Estate) {}

  serve(cluster: LivingCluster): void {
    this.running?.kubernetes.addCluster(cluster.wire);
  }

  /** Starts them once; a second call answers with the same addresses. */
  start(): Promise<EstateEndpoints> {
    if (this.running) return this.running.endpoints;
    const kubernetes = new KubernetesWire();
    const aws = new AwsServer(this.estate.aws);
    const etcd = new EtcdGateway(this.estate.etcd);
    for (const cluster of this.estate.clusters()) kubernetes.addCluster(cluster.wire);
    this.running = { kubernetes, aws, etcd, endpoints: this.listen(kubernetes, aws, etcd) };
    return this.running.endpoints;
  }

  async close(): Promise<void> {
    const { running } = this;
    this.running = undefined;
    if (!running) return;
    await running.endpoints.catch(() => undefined);
    await Promise.all([running.aws.close(), running.kubernetes.close(), running.etcd.close()]);
  }

  private async listen(
    kubernetes: KubernetesWire,
    aws: AwsServer,
    etcd: EtcdGateway,
  ): Promise<EstateEndpoints> {
    const [awsUrl, { url: kubernetesUrl, caPem }, etcdUrl] = await Promise.all([
      aws.listen(),
      kubernetes.start(),
      etcd.listen(),
    ]);
    const known = (id: string): string => this.estate.cluster(id).id;
    return {
      awsUrl,
      kubernetesUrl,
      caPem,
      etcdUrl: `${etcdUrl}/{instance}`,
      serverOf: (id) => kubernetes.serverOf(known(id)),
      kubeconfig: (id, user) => kubernetes.kubeconfig(known(id), user),
      tokenFor: (id, user) => kubernetes.tokenFor(known(id), user),
      credentials: (accountId) => this.estate.aws.accessKey(accountId),
    };
  }
}
