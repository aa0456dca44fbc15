import type { Digest } from '#kernel';

/**
 * What a render needs from AWS, looked up once and stored, so that rendering is pure and repeatable and a changed AMI
 * is a visible change of inputs.
 */
export interface LockedInputs {
  /** Digest over everything below, decrypted values by their digest. */
  readonly digest: Digest;
  readonly vpcId?: string;
  readonly vpcIpv4Cidr?: string;
  readonly availabilityZones: readonly string[];
  /** Zone → subnet id(s, comma-joined), and `*` → all of them, for nodes. */
  readonly subnets: Readonly<Record<string, string>>;
  /** The same for load balancers. */
  readonly loadBalancerSubnets: Readonly<Record<string, string>>;
  /** The same for internal nodes and for pods, where the account has subnets of their own. */
  readonly internalNodeSubnets?: Readonly<Record<string, string>>;
  readonly podSubnets?: Readonly<Record<string, string>>;
  readonly vpcIpv6Cidrs?: readonly string[];
  readonly subnetIpv6Cidrs?: readonly string[];
  /** Key behind `alias/etcd-cluster`, where the account has one. */
  readonly etcdKmsKeyArn?: string;
  readonly hostedZone?: string;
  readonly loadBalancerCertificate?: string;
  /** `<name>|<owner>` → image id. A name with no or several matches is absent: the render reports it. */
  readonly images: Readonly<Record<string, string>>;
  readonly instanceTypes: Readonly<Record<string, InstanceTypeFacts>>;
  /**
   * Outputs of the cluster stack. Undefined while the stack does not exist: the desired state is then `provisional`
   * (outputs declared in `cluster.yaml` are filled with placeholders), complete enough to validate everything and to
   * create the stack, but not to create node pools.
   */
  readonly clusterStackOutputs?: Readonly<Record<string, string>>;
  /** Cipher text (`aws:kms:…`) → clear text. In memory only; masked everywhere, never stored. */
  readonly decrypted: Readonly<Record<string, string>>;
}

export interface InstanceTypeFacts {
  readonly vcpus: number;
  readonly memoryBytes: number;
  readonly architecture: string;
  /** Instance store in bytes, 0 if none. */
  readonly storageBytes: number;
}
