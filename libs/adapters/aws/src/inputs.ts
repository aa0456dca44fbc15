import {
  DescribeAvailabilityZonesCommand,
  DescribeVpcsCommand,
  paginateDescribeImages,
  paginateDescribeSubnets,
  type Subnet,
  type Vpc,
} from '@aws-sdk/client-ec2';
import { DecryptCommand, DescribeKeyCommand } from '@aws-sdk/client-kms';
import { digestOf, digestOfValue, FailureError } from '#kernel';
import type { LockedInputs } from '#fleet';
import type { InputsRequest, ObservedInputs } from '#ports';
import { awsError, isUnsupported } from './classify.js';
import type { InstanceTypes } from './instance-types.js';
import type { SdkClients } from './sdk-clients.js';
import type { Stacks } from './stacks.js';
import { lockSubnets, zonesOf } from './subnets.js';

const CIPHER_PREFIX = 'aws:kms:';
const MAX_CACHED = 500;
/** As zalando-incubator/kubernetes-on-aws names it. */
const ETCD_KEY_ALIAS = 'alias/etcd-cluster';
/** A stack in one of these states has never had outputs, or loses them. */
const WITHOUT_OUTPUTS = /^(REVIEW_IN_PROGRESS|CREATE_IN_PROGRESS|CREATE_FAILED|ROLLBACK_.*|DELETE_.*)$/;

/** Looks up what a render needs. */
export class Inputs {
  /** Clear text by cipher text, in memory only, so that a pass does not ask KMS again. */
  readonly #clear = new Map<string, string>();
  #etcdKeyArn: string | undefined;
  #etcdKeyKnown = false;

  constructor(
    private readonly sdk: SdkClients,
    private readonly stacks: Stacks,
    private readonly types: InstanceTypes,
  ) {}

  async lookup(request: InputsRequest): Promise<LockedInputs> {
    const vpc = await this.#vpc(request);
    const [subnets, zones, images, instanceTypes, observed, etcdKmsKeyArn] = await Promise.all([
      this.#subnets(vpc),
      this.#zones(),
      this.#images(request.images),
      this.types.describe(request.instanceTypes),
      this.observe(request),
      this.#etcdKey(),
    ]);
    const { decrypted, clusterStackOutputs } = observed;
    const { nodes, loadBalancers } = lockSubnets(subnets);
    const inputs: Omit<LockedInputs, 'digest' | 'decrypted'> = {
      availabilityZones: nodes.length > 0 ? zonesOf(nodes) : zones,
      subnets: byZone(nodes),
      loadBalancerSubnets: byZone(loadBalancers),
      images,
      instanceTypes,
      ...(etcdKmsKeyArn !== undefined && { etcdKmsKeyArn }),
      ...(vpc?.VpcId !== undefined && { vpcId: vpc.VpcId }),
      ...(vpc?.CidrBlock !== undefined && { vpcIpv4Cidr: vpc.CidrBlock }),
      ...(clusterStackOutputs && { clusterStackOutputs }),
    };
    const secrets = Object.fromEntries(
      Object.entries(decrypted).map(([cipher, clear]) => [cipher, digestOf(clear)]),
    );
    return { digest: digestOfValue({ ...inputs, decrypted: secrets }), ...inputs, decrypted };
  }

  async observe(request: Pick<InputsRequest, 'stackName' | 'cipherTexts'>): Promise<ObservedInputs> {
    const [stack, decrypted] = await Promise.all([
      this.stacks.describe(request.stackName),
      this.#decrypted(request.cipherTexts),
    ]);
    const has = stack && !WITHOUT_OUTPUTS.test(stack.status);
    return { decrypted, ...(has && { clusterStackOutputs: stack.outputs }) };
  }

  /** The one asked for; else the one tagged for the cluster; else the account's default. */
  async #vpc(request: InputsRequest): Promise<Vpc | undefined> {
    if (request.vpcId !== undefined) {
      const found = await this.#vpcs('vpc-id', request.vpcId);
      if (found[0]) return found[0];
      throw new FailureError({
        class: 'invalid',
        code: 'vpc-missing',
        message: `the VPC ${request.vpcId} does not exist in ${this.sdk.account}/${this.sdk.region}`,
        place: { field: 'config_items.vpc_id' },
      });
    }
    const tagged = await this.#vpcs('tag-key', `kubernetes.io/cluster/${request.clusterId}`);
    if (tagged.length > 1) {
      throw new FailureError({
        class: 'invalid',
        code: 'vpc-ambiguous',
        message: `several VPCs are tagged for ${request.clusterId}: ${tagged.map((one) => one.VpcId).join(', ')}`,
        hint: 'Set the config item vpc_id.',
      });
    }
    return tagged[0] ?? (await this.#vpcs('is-default', 'true'))[0];
  }

  async #vpcs(name: string, value: string): Promise<readonly Vpc[]> {
    const answer = await this.sdk.ec2.send(
      new DescribeVpcsCommand({ Filters: [{ Name: name, Values: [value] }] }),
    );
    return answer.Vpcs ?? [];
  }

  async #subnets(vpc: Vpc | undefined): Promise<readonly Subnet[]> {
    if (vpc?.VpcId === undefined) return [];
    const subnets: Subnet[] = [];
    const input = { Filters: [{ Name: 'vpc-id', Values: [vpc.VpcId] }] };
    for await (const page of paginateDescribeSubnets({ client: this.sdk.ec2 }, input)) {
      subnets.push(...(page.Subnets ?? []));
    }
    return subnets;
  }

  async #zones(): Promise<readonly string[]> {
    const answer = await this.sdk.ec2.send(
      new DescribeAvailabilityZonesCommand({ Filters: [{ Name: 'state', Values: ['available'] }] }),
    );
    // Local and Wavelength zones are not places for a cluster's nodes by themselves.
    return (answer.AvailabilityZones ?? [])
      .filter((zone) => (zone.ZoneType ?? 'availability-zone') === 'availability-zone')
      .map((zone) => zone.ZoneName ?? '')
      .sort();
  }

  async #images(wanted: InputsRequest['images']): Promise<Readonly<Record<string, string>>> {
    const found = await Promise.all(wanted.map(async (image) => [image, await this.#image(image)] as const));
    return Object.fromEntries(
      found.flatMap(([{ name, owner }, id]) => (id === undefined ? [] : [[`${name}|${owner}`, id]])),
    );
  }

  /** Exactly one available image of that name and owner, else none: the render says so with file and line. */
  async #image(image: { readonly name: string; readonly owner: string }): Promise<string | undefined> {
    const ids: string[] = [];
    const input = {
      Owners: [image.owner],
      // A pinned image must be found for as long as it exists.
      IncludeDeprecated: true,
      Filters: [
        { Name: 'name', Values: [image.name] },
        { Name: 'state', Values: ['available'] },
      ],
    };
    for await (const page of paginateDescribeImages({ client: this.sdk.ec2 }, input)) {
      for (const one of page.Images ?? []) if (one.ImageId !== undefined) ids.push(one.ImageId);
    }
    return ids.length === 1 ? ids[0] : undefined;
  }

  /** Undefined where the account has no such alias, or hides it from us: then only etcd's encrypted files need it. */
  async #etcdKey(): Promise<string | undefined> {
    if (this.#etcdKeyKnown) return this.#etcdKeyArn;
    try {
      const answer = await this.sdk.kms.send(new DescribeKeyCommand({ KeyId: ETCD_KEY_ALIAS }));
      this.#etcdKeyArn = answer.KeyMetadata?.Arn;
    } catch (thrown) {
      const { name } = awsError(thrown);
      const absent = name === 'NotFoundException' || isUnsupported(thrown, this.sdk.stranger);
      if (!absent && !name.startsWith('AccessDenied')) throw thrown;
    }
    this.#etcdKeyKnown = true;
    return this.#etcdKeyArn;
  }

  async #decrypted(cipherTexts: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const pairs = await Promise.all(
      [...new Set(cipherTexts)].map(async (cipher) => [cipher, await this.#decrypt(cipher)] as const),
    );
    return Object.fromEntries(pairs);
  }

  async #decrypt(cipher: string): Promise<string> {
    const known = this.#clear.get(cipher);
    if (known !== undefined) return known;
    const blob = Buffer.from(
      cipher.startsWith(CIPHER_PREFIX) ? cipher.slice(CIPHER_PREFIX.length) : cipher,
      'base64',
    );
    const answer = await this.sdk.kms.send(new DecryptCommand({ CiphertextBlob: blob }));
    const clear = Buffer.from(answer.Plaintext ?? []).toString('utf8');
    if (this.#clear.size >= MAX_CACHED) this.#clear.delete(this.#clear.keys().next().value ?? '');
    this.#clear.set(cipher, clear);
    return clear;
  }
}

/** Zone → its subnets, and `*` → all of them. */
function byZone(subnets: readonly Subnet[]): Readonly<Record<string, string>> {
  if (subnets.length === 0) return {};
  const idsIn = (zone?: string): string =>
    subnets
      .filter((one) => zone === undefined || one.AvailabilityZone === zone)
      .map((one) => one.SubnetId ?? '')
      .join(',');
  return { ...Object.fromEntries(zonesOf(subnets).map((zone) => [zone, idsIn(zone)])), '*': idsIn() };
}
