import { EncryptCommand } from '@aws-sdk/client-kms';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { Clock, Duration } from '#kernel';
import type { LockedInputs, NodeGroupView, StackTemplate, VcpuSupply } from '#fleet';
import type {
  AwsPort,
  InputsRequest,
  ObjectStorePort,
  ObjectUpload,
  ObjectView,
  ObservedInputs,
  StackChange,
  StackFailure,
  StackView,
  StoredUpload,
} from '#ports';
import { answered } from './classify.js';
import { GroupWrites } from './group-writes.js';
import { Inputs } from './inputs.js';
import { InstanceTypes } from './instance-types.js';
import { NodeGroups } from './node-groups.js';
import { ObjectStreams } from './object-streams.js';
import { Objects } from './objects.js';
import type { SdkClients } from './sdk-clients.js';
import { StackChanges, type StackChangeOptions } from './stack-changes.js';
import { Stacks } from './stacks.js';
import { TemplateSources, type TemplateSourceOptions } from './template-source.js';
import { VcpuSupplies } from './vcpu-supply.js';
import { ZoneLaunch } from './zone-launch.js';

type PreparedChange = Exclude<StackChange, { kind: 'none' }>;

export type AwsAdapterOptions = Omit<StackChangeOptions, 'clock'> &
  Omit<TemplateSourceOptions, 'region'> & { readonly createMissingBuckets: boolean };

/** One account and region of AWS, by SDK. The work is done by one class per service; this is their common face. */
export class AwsAdapter implements AwsPort {
  readonly #stacks: Stacks;
  readonly #changes: StackChanges;
  readonly #groups: NodeGroups;
  readonly #writes: GroupWrites;
  readonly #zones: ZoneLaunch;
  readonly #inputs: Inputs;
  readonly #supplies: VcpuSupplies;
  readonly #objects: Objects;
  readonly #streams: ObjectStreams;

  constructor(
    private readonly sdk: SdkClients,
    options: AwsAdapterOptions,
    clock: Clock,
  ) {
    this.#stacks = new Stacks(sdk);
    this.#objects = new Objects(sdk, options.createMissingBuckets);
    this.#streams = new ObjectStreams(sdk, this.#objects);
    const sources = new TemplateSources(this.#objects, { ...options, region: sdk.region });
    this.#changes = new StackChanges(sdk, this.#stacks, sources, { ...options, clock });
    this.#groups = new NodeGroups(sdk, clock);
    this.#writes = new GroupWrites(sdk);
    this.#zones = new ZoneLaunch(sdk);
    const types = new InstanceTypes(sdk);
    this.#inputs = new Inputs(sdk, this.#stacks, types);
    this.#supplies = new VcpuSupplies(sdk, types, clock);
  }

  async callerAccount(): Promise<string> {
    const { Account } = await this.sdk.sts.send(new GetCallerIdentityCommand({}));
    return answered(Account, 'sts GetCallerIdentity');
  }

  describeStack(name: string): Promise<StackView | undefined> {
    return this.#stacks.describe(name);
  }

  prepareStackChange(stack: StackTemplate): Promise<StackChange> {
    return this.#changes.prepare(stack);
  }

  executeStackChange(stack: StackTemplate, change: PreparedChange): Promise<void> {
    return this.#changes.execute(stack, change);
  }

  discardStackChange(stackName: string, change: PreparedChange): Promise<void> {
    return this.#changes.discard(stackName, change);
  }

  stackFailures(name: string): Promise<readonly StackFailure[]> {
    return this.#stacks.failures(name);
  }

  continueRollback(name: string): Promise<void> {
    return this.#stacks.continueRollback(name);
  }

  setTerminationProtection(name: string, enabled: boolean): Promise<void> {
    return this.#stacks.setTerminationProtection(name, enabled);
  }

  deleteStack(name: string): Promise<void> {
    return this.#stacks.delete(name);
  }

  listClusterStacks(clusterId: string): Promise<readonly string[]> {
    return this.#stacks.listOwned(clusterId);
  }

  describeNodeGroups(clusterId: string): Promise<readonly NodeGroupView[]> {
    return this.#groups.describe(clusterId);
  }

  newestTemplateVersion(name: string): Promise<string | undefined> {
    return this.#groups.newestTemplateVersion(name);
  }

  describeStackGroups(stackName: string): Promise<readonly NodeGroupView[]> {
    return this.#groups.describeStack(stackName);
  }

  setDesiredCapacity(group: string, desired: number, expected: number): Promise<void> {
    return this.#writes.setDesiredCapacity(group, desired, expected);
  }

  setGroupBounds(
    group: string,
    bounds: { readonly minSize?: number; readonly maxSize?: number },
  ): Promise<void> {
    return this.#writes.setBounds(group, bounds);
  }

  suspendProcesses(group: string, processes: readonly string[]): Promise<void> {
    return this.#writes.suspend(group, processes);
  }

  resumeProcesses(group: string, processes: readonly string[]): Promise<void> {
    return this.#writes.resume(group, processes);
  }

  tagGroup(group: string, tags: Readonly<Record<string, string>>): Promise<void> {
    return this.#writes.tag(group, tags);
  }

  untagGroup(group: string, keys: readonly string[]): Promise<void> {
    return this.#writes.untag(group, keys);
  }

  protectFromScaleIn(group: string, instanceIds: readonly string[], protect: boolean): Promise<void> {
    return this.#writes.protect(group, instanceIds, protect);
  }

  launchInZone(group: string, zone: string, token: string, instanceType?: string): Promise<string> {
    return this.#zones.launch(group, zone, token, instanceType);
  }

  attachInstance(group: string, instanceId: string): Promise<void> {
    return this.#zones.attach(group, instanceId);
  }

  terminateInstance(instanceId: string, options: { readonly decrementDesired: boolean }): Promise<void> {
    return this.#writes.terminate(instanceId, options.decrementDesired);
  }

  deregisterTargets(targetGroupArn: string, instanceIds: readonly string[]): Promise<void> {
    return this.#writes.deregister(targetGroupArn, instanceIds);
  }

  registerTargets(targetGroupArn: string, instanceIds: readonly string[]): Promise<void> {
    return this.#writes.register(targetGroupArn, instanceIds);
  }

  deregistrationDelay(targetGroupArn: string): Promise<Duration> {
    return this.#writes.deregistrationDelay(targetGroupArn);
  }

  vcpuSupply(instanceTypes: readonly string[], maxAge: Duration): Promise<VcpuSupply> {
    return this.#supplies.supply(instanceTypes, maxAge);
  }

  freeAddresses(subnetIds: readonly string[]): Promise<Readonly<Record<string, number>>> {
    return this.#supplies.freeAddresses(subnetIds);
  }

  observeInputs(request: Parameters<AwsPort['observeInputs']>[0]): Promise<ObservedInputs> {
    return this.#inputs.observe(request);
  }

  lookupInputs(request: InputsRequest): Promise<LockedInputs> {
    return this.#inputs.lookup(request);
  }

  objectExists(bucket: string, key: string): Promise<boolean> {
    return this.#objects.exists(bucket, key);
  }

  async encrypt(keyArn: string, clearText: Uint8Array): Promise<Uint8Array> {
    const answer = await this.sdk.kms.send(new EncryptCommand({ KeyId: keyArn, Plaintext: clearText }));
    return answer.CiphertextBlob ?? new Uint8Array();
  }

  putObject(bucket: string, key: string, body: Uint8Array): Promise<string> {
    return this.#objects.put(bucket, key, body);
  }

  upload(upload: ObjectUpload): Promise<StoredUpload> {
    return this.#streams.upload(upload);
  }

  headObject(bucket: string, key: string): Promise<ObjectView | undefined> {
    return this.#streams.headObject(bucket, key);
  }

  readObject(bucket: string, key: string): ReturnType<ObjectStorePort['readObject']> {
    return this.#streams.readObject(bucket, key);
  }

  deleteObject(bucket: string, key: string): Promise<void> {
    return this.#streams.deleteObject(bucket, key);
  }

  abortUploads(bucket: string, key: string): Promise<number> {
    return this.#streams.abortUploads(bucket, key);
  }
}
