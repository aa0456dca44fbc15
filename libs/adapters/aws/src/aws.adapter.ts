import { EncryptCommand } from '@aws-sdk/client-kms';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { Clock, Duration } from '#kernel';
import type { LockedInputs, NodeGroupView, StackTemplate } from '#fleet';
import type { AwsPort, InputsRequest, ObservedInputs, StackChange, StackFailure, StackView } from '#ports';
import { GroupWrites } from './group-writes.js';
import { Inputs } from './inputs.js';
import { NodeGroups } from './node-groups.js';
import { Objects } from './objects.js';
import type { SdkClients } from './sdk-clients.js';
import { StackChanges, type StackChangeOptions } from './stack-changes.js';
import { Stacks } from './stacks.js';

type PreparedChange = Exclude<StackChange, { kind: 'none' }>;

/** One account and region of AWS, by SDK. The work is done by one class per service; this is their common face. */
export class AwsAdapter implements AwsPort {
  readonly #stacks: Stacks;
  readonly #changes: StackChanges;
  readonly #groups: NodeGroups;
  readonly #writes: GroupWrites;
  readonly #inputs: Inputs;
  readonly #objects: Objects;

  constructor(
    private readonly sdk: SdkClients,
    options: Omit<StackChangeOptions, 'clock'> & { readonly createMissingBuckets: boolean },
    clock: Clock,
  ) {
    this.#stacks = new Stacks(sdk);
    this.#objects = new Objects(sdk, options.createMissingBuckets);
    this.#changes = new StackChanges(sdk, this.#stacks, this.#objects, { ...options, clock });
    this.#groups = new NodeGroups(sdk, clock);
    this.#writes = new GroupWrites(sdk);
    this.#inputs = new Inputs(sdk, this.#stacks);
  }

  async callerAccount(): Promise<string> {
    return (await this.sdk.sts.send(new GetCallerIdentityCommand({}))).Account ?? '';
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
}
