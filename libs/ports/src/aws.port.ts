import type { Duration } from '#kernel';
import type { LockedInputs, NodeGroupView, StackTemplate, VcpuSupply } from '#fleet';
import type { ObjectStorePort } from './backup-objects.port.js';

export interface StackView {
  readonly name: string;
  readonly id: string;
  /** As CloudFormation says it, e.g. `UPDATE_ROLLBACK_COMPLETE`. */
  readonly status: string;
  readonly statusReason?: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
  readonly terminationProtection: boolean;
}

/** A change set that is ready to be executed, or the finding that nothing would change. */
export type StackChange =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'create' | 'update';
      readonly changeSetId: string;
      /** For people: `Modify AWS::AutoScaling::AutoScalingGroup AutoScalingGroup (no replacement)`. */
      readonly changes: readonly string[];
    };

export interface StackFailure {
  readonly resource: string;
  readonly status: string;
  readonly reason: string;
}

/**
 * One account and region. Names and semantics are those of the AWS APIs; nothing here waits for an operation to end:
 * callers observe again. Rejects with classified `FailureError`s.
 */
export interface AwsPort extends ObjectStorePort {
  /** Twelve digits, from sts:GetCallerIdentity. */
  callerAccount(): Promise<string>;

  describeStack(name: string): Promise<StackView | undefined>;
  /**
   * Makes a change set named after the content (template, parameters, tags) and waits until it is ready to execute.
   * Idempotent: the same content finds the same change set. A stack left in ROLLBACK_COMPLETE or REVIEW_IN_PROGRESS
   * is handled (deleted first, or reused).
   */
  prepareStackChange(stack: StackTemplate): Promise<StackChange>;
  /** Executing a change set that is already executed is success. */
  executeStackChange(stack: StackTemplate, change: Exclude<StackChange, { kind: 'none' }>): Promise<void>;
  /** Drops a change set that was made for a plan only. */
  discardStackChange(stackName: string, change: Exclude<StackChange, { kind: 'none' }>): Promise<void>;
  /** The last operation's failed resources, first cause first. */
  stackFailures(name: string): Promise<readonly StackFailure[]>;
  continueRollback(name: string): Promise<void>;
  setTerminationProtection(name: string, enabled: boolean): Promise<void>;
  /** Already gone is success. */
  deleteStack(name: string): Promise<void>;
  /** Names of stacks that carry the tag `kubernetes.io/cluster/<clusterId>=owned`. */
  listClusterStacks(clusterId: string): Promise<readonly string[]>;

  /** ASGs of the cluster by tag, with instances, target health and launch template versions resolved. */
  describeNodeGroups(clusterId: string): Promise<readonly NodeGroupView[]>;
  /** Number of the newest version of a launch template, whatever groups launch; undefined if AWS names none. */
  newestTemplateVersion(name: string): Promise<string | undefined>;
  /** The ASGs that a stack made, in the same words; `pool` is empty where they are no node pool (etcd's). */
  describeStackGroups(stackName: string): Promise<readonly NodeGroupView[]>;
  /** Refuses with `capacity-moved` (conflict) unless the desired capacity is `expected`. */
  setDesiredCapacity(group: string, desired: number, expected: number): Promise<void>;
  setGroupBounds(
    group: string,
    bounds: { readonly minSize?: number; readonly maxSize?: number },
  ): Promise<void>;
  suspendProcesses(group: string, processes: readonly string[]): Promise<void>;
  resumeProcesses(group: string, processes: readonly string[]): Promise<void>;
  tagGroup(group: string, tags: Readonly<Record<string, string>>): Promise<void>;
  untagGroup(group: string, keys: readonly string[]): Promise<void>;
  protectFromScaleIn(group: string, instanceIds: readonly string[], protect: boolean): Promise<void>;
  /**
   * One instance of the group's launch template in one of its zones, not in the group yet; the same token finds the same
   * instance, as long as it is asked for with the same type. Returns its id. `instanceType`: one of the group's; without it
   * the first. Rejects with `aws-capacity` (blocked) where the zone has none.
   */
  launchInZone(group: string, zone: string, token: string, instanceType?: string): Promise<string>;
  /** Raises the desired capacity by one. `instance-not-running` (conflict) before it runs; a member already is success. */
  attachInstance(group: string, instanceId: string): Promise<void>;
  /** TerminateInstanceInAutoScalingGroup; an instance that is terminating or gone already is success. */
  terminateInstance(instanceId: string, options: { readonly decrementDesired: boolean }): Promise<void>;
  deregisterTargets(targetGroupArn: string, instanceIds: readonly string[]): Promise<void>;
  registerTargets(targetGroupArn: string, instanceIds: readonly string[]): Promise<void>;
  deregistrationDelay(targetGroupArn: string): Promise<Duration>;

  /**
   * The vCPU quotas of the account and region with what runs under each, at most `maxAge` old, and what machines of these
   * types count. Rejects where they cannot be read (`aws-denied`, `aws-action-unsupported`, throttled): nothing is known then.
   */
  vcpuSupply(instanceTypes: readonly string[], maxAge: Duration): Promise<VcpuSupply>;
  /** Free addresses by subnet; subnets that do not exist are absent. */
  freeAddresses(subnetIds: readonly string[]): Promise<Readonly<Record<string, number>>>;

  /** Looks up what a render asks for. Cluster stack outputs come from `stackName`. */
  lookupInputs(request: InputsRequest): Promise<LockedInputs>;
  /** The part of the inputs that is never locked: outputs of the stack (none while it has none), and secrets in clear. */
  observeInputs(request: Pick<InputsRequest, 'stackName' | 'cipherTexts'>): Promise<ObservedInputs>;

  objectExists(bucket: string, key: string): Promise<boolean>;
  /** Cipher text under a KMS key, by ARN. At most 4,096 bytes, as KMS takes. */
  encrypt(keyArn: string, clearText: Uint8Array): Promise<Uint8Array>;
  /** Stores generated files under a content-addressed key; returns the URL. */
  putObject(bucket: string, key: string, body: Uint8Array): Promise<string>;
}

export interface InputsRequest {
  readonly clusterId: string;
  readonly stackName: string;
  readonly vpcId?: string;
  readonly images: readonly { readonly name: string; readonly owner: string }[];
  readonly instanceTypes: readonly string[];
  readonly cipherTexts: readonly string[];
}

export type ObservedInputs = Pick<LockedInputs, 'clusterStackOutputs' | 'decrypted'>;

export interface AwsAccess {
  /** By the default credential chain plus AssumeRole into the account where a role is configured. Cached. */
  connect(account: string, region: string): Promise<AwsPort>;
}
