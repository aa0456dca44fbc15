import { AwsError, validationError } from '../aws-error.js';
import type { RegionalAws } from '../region.js';
import { hasChanges, NO_CHANGES, planChanges, type ChangeSet } from './change-set.js';
import { stackInput, type StackRequest } from './inputs.js';
import { Operations, type OnFailure } from './operations.js';
import { scopeOf, wantedResources } from './scope.js';
import { setStackStatus } from './stack-events.js';
import { checkPolicy } from './stack-policy.js';
import { isBusy, isUpdatable, type Stack } from './stack.js';

export interface CreateStackRequest extends StackRequest {
  readonly onFailure: OnFailure;
  readonly terminationProtection: boolean;
  readonly policy?: string;
}

export interface UpdateStackRequest extends StackRequest {
  readonly disableRollback: boolean;
  readonly policy?: string;
}

export interface ChangeSetRequest extends StackRequest {
  readonly name: string;
  readonly type: 'CREATE' | 'UPDATE';
  readonly onFailure?: OnFailure;
  readonly description?: string;
}

export interface Export {
  readonly name: string;
  readonly value: string;
  readonly stackId: string;
}

/** CloudFormation of one account and region. */
export class CloudFormation {
  private readonly stacks: Stack[] = [];
  private readonly operations: Operations;

  constructor(private readonly aws: RegionalAws) {
    this.operations = new Operations(aws);
  }

  all(): readonly Stack[] {
    return this.stacks;
  }

  exports(): readonly Export[] {
    return this.stacks.flatMap((stack) =>
      stack.outputs.flatMap(({ exportName, value }) =>
        exportName ? [{ name: exportName, value, stackId: stack.id }] : [],
      ),
    );
  }

  /** Deleted stacks are found by their ARN only. */
  get(nameOrId: string): Stack | undefined {
    return this.stacks.find(
      (stack) => stack.id === nameOrId || (stack.name === nameOrId && stack.deletedAt === undefined),
    );
  }

  find(nameOrId: string): Stack {
    const stack = this.get(nameOrId);
    if (!stack) throw validationError(`Stack with id ${nameOrId} does not exist`);
    return stack;
  }

  createStack(request: CreateStackRequest): Stack {
    const known = this.get(request.stackName);
    if (known && seen(known, 'create', request.token)) return known;
    if (known) throw new AwsError('AlreadyExistsException', `Stack [${request.stackName}] already exists`);
    const input = stackInput(this.aws, request, undefined);
    if (request.policy !== undefined) checkPolicy(request.policy);
    const stack = this.newStack(request.stackName);
    wantedResources(input.template, scopeOf(this.aws, stack, input)); // conditions that cannot be evaluated
    this.stacks.push(stack);
    stack.terminationProtection = request.terminationProtection;
    if (request.policy !== undefined) stack.policy = request.policy;
    remember(stack, 'create', request.token);
    this.operations.create(stack, input, request.onFailure);
    return stack;
  }

  updateStack(request: UpdateStackRequest): Stack {
    const stack = this.find(request.stackName);
    if (seen(stack, 'update', request.token)) return stack;
    mustBeUpdatable(stack);
    const input = stackInput(this.aws, request, stack.input);
    if (!hasChanges(this.aws, stack, input, planChanges(this.aws, stack, input))) {
      throw validationError('No updates are to be performed.');
    }
    if (request.policy !== undefined) this.setPolicy(stack.id, request.policy);
    stack.disableRollback = request.disableRollback;
    remember(stack, 'update', request.token);
    this.operations.update(stack, input);
    return stack;
  }

  deleteStack(nameOrId: string, retain: readonly string[] = [], token?: string): void {
    const stack = this.get(nameOrId);
    if (!stack || stack.deletedAt !== undefined || stack.status === 'DELETE_IN_PROGRESS') return;
    if (seen(stack, 'delete', token)) return;
    if (stack.terminationProtection) {
      throw validationError(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`);
    }
    if (isBusy(stack) && stack.status !== 'CREATE_IN_PROGRESS') throw busy(stack);
    const used = this.exports().find(({ stackId, name }) => stackId === stack.id && this.importer(name));
    if (used)
      throw validationError(
        `Export ${used.name} cannot be deleted as it is in use by ${this.importer(used.name)?.name}`,
      );
    remember(stack, 'delete', token);
    this.operations.delete(stack, retain);
  }

  createChangeSet(request: ChangeSetRequest): { readonly changeSet: ChangeSet; readonly stack: Stack } {
    const stack = this.stackForChangeSet(request);
    const known = pendingChangeSet(stack, request.name);
    if (known && request.token !== undefined && known.token === request.token)
      return { changeSet: known, stack };
    if (known)
      throw new AwsError(
        'AlreadyExistsException',
        `ChangeSet ${request.name} cannot be created due to a mismatch with existing attribute ClientToken`,
      );
    const input = stackInput(this.aws, request, stack.input);
    const { account, region, context } = this.aws;
    const changeSet: ChangeSet = {
      id: `arn:aws:cloudformation:${region}:${account}:changeSet/${request.name}/${context.random.uuid()}`,
      name: request.name,
      type: request.type,
      createdAt: context.scheduler.now(),
      ...(request.description !== undefined && { description: request.description }),
      input,
      ...(request.token !== undefined && { token: request.token }),
      onFailure: request.onFailure ?? 'ROLLBACK',
      status: 'CREATE_IN_PROGRESS',
      executionStatus: 'UNAVAILABLE',
      changes: [],
    };
    stack.changeSets.set(changeSet.id, changeSet);
    context.scheduler.after(context.timings.changeSet, () => this.compute(stack, changeSet));
    return { changeSet, stack };
  }

  /** By ARN, or by name within a stack. Executed ones are found by ARN only. */
  findChangeSet(name: string, stackName?: string): { readonly changeSet: ChangeSet; readonly stack: Stack } {
    const stacks = stackName === undefined ? this.stacks : [this.find(stackName)];
    for (const stack of stacks) {
      const byId = stack.changeSets.get(name);
      const byName = stackName === undefined ? undefined : pendingChangeSet(stack, name);
      const changeSet = byId ?? byName;
      if (changeSet) return { changeSet, stack };
    }
    throw new AwsError('ChangeSetNotFound', `ChangeSet [${name}] does not exist`, 404);
  }

  executeChangeSet(name: string, stackName?: string, token?: string): void {
    const { changeSet, stack } = this.findChangeSet(name, stackName);
    if (seen(stack, `execute ${changeSet.id}`, token)) return;
    if (changeSet.executionStatus !== 'AVAILABLE') {
      throw new AwsError(
        'InvalidChangeSetStatus',
        `ChangeSet [${changeSet.id}] cannot be executed in its current status of [${changeSet.status}]`,
      );
    }
    if (changeSet.type === 'UPDATE') mustBeUpdatable(stack);
    remember(stack, `execute ${changeSet.id}`, token);
    changeSet.executionStatus = 'EXECUTE_COMPLETE';
    for (const other of stack.changeSets.values()) {
      if (other !== changeSet) stack.changeSets.delete(other.id);
    }
    if (changeSet.type === 'CREATE') this.operations.create(stack, changeSet.input, changeSet.onFailure);
    else this.operations.update(stack, changeSet.input);
  }

  deleteChangeSet(name: string, stackName?: string): void {
    const { changeSet, stack } = this.findChangeSet(name, stackName);
    stack.changeSets.delete(changeSet.id);
  }

  setTerminationProtection(stackName: string, enabled: boolean): Stack {
    return Object.assign(this.find(stackName), { terminationProtection: enabled });
  }

  setPolicy(stackName: string, policy: string): void {
    checkPolicy(policy);
    this.find(stackName).policy = policy;
  }

  continueUpdateRollback(stackName: string, skip: readonly string[], token?: string): void {
    const stack = this.find(stackName);
    if (seen(stack, 'continue', token)) return;
    if (stack.status !== 'UPDATE_ROLLBACK_FAILED') {
      throw validationError(`Stack:${stack.id} is in ${stack.status} state and can not continue rollback.`);
    }
    remember(stack, 'continue', token);
    this.operations.continueRollback(stack, skip);
  }

  private compute(stack: Stack, changeSet: ChangeSet): void {
    try {
      changeSet.changes = planChanges(this.aws, stack, changeSet.input);
      const changed = hasChanges(this.aws, stack, changeSet.input, changeSet.changes);
      Object.assign(
        changeSet,
        changed
          ? { status: 'CREATE_COMPLETE', executionStatus: 'AVAILABLE' }
          : { status: 'FAILED', statusReason: NO_CHANGES },
      );
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Object.assign(changeSet, { status: 'FAILED', statusReason: error.message });
    }
  }

  private stackForChangeSet(request: ChangeSetRequest): Stack {
    const known = this.get(request.stackName);
    if (request.type === 'UPDATE') {
      const stack = known ?? this.find(request.stackName);
      if (stack.status === 'REVIEW_IN_PROGRESS')
        throw validationError(`Stack:${stack.id} is in REVIEW_IN_PROGRESS state and can not be updated.`);
      mustBeUpdatable(stack);
      return stack;
    }
    if (known && known.status !== 'REVIEW_IN_PROGRESS') {
      throw validationError(
        `Stack [${known.name}] already exists and cannot be created again with the changeSet [${request.name}].`,
      );
    }
    if (known) return known;
    stackInput(this.aws, request, undefined); // a refused request leaves no stack behind
    const stack = this.newStack(request.stackName);
    this.stacks.push(stack);
    setStackStatus(this.aws, stack, 'REVIEW_IN_PROGRESS', 'User Initiated');
    return stack;
  }

  private importer(name: string): Stack | undefined {
    return this.stacks.find((stack) => stack.deletedAt === undefined && stack.imports.has(name));
  }

  private newStack(name: string): Stack {
    if (!/^[A-Za-z][-A-Za-z0-9]{0,127}$/.test(name)) {
      throw validationError(
        `1 validation error detected: Value '${name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
      );
    }
    const { account, region, context } = this.aws;
    const stack: Stack = {
      id: `arn:aws:cloudformation:${region}:${account}:stack/${name}/${context.random.uuid()}`,
      name,
      createdAt: context.scheduler.now(),
      status: 'REVIEW_IN_PROGRESS',
      outputs: [],
      terminationProtection: false,
      disableRollback: false,
      resources: new Map(),
      events: [],
      changeSets: new Map(),
      tokens: new Set(),
      imports: new Set(),
    };
    return stack;
  }
}

const seen = (stack: Stack, verb: string, token: string | undefined): boolean =>
  token !== undefined && stack.tokens.has(`${verb} ${token}`);

function remember(stack: Stack, verb: string, token: string | undefined): void {
  if (token !== undefined) stack.tokens.add(`${verb} ${token}`);
}

const busy = (stack: Stack): AwsError =>
  validationError(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`);

function mustBeUpdatable(stack: Stack): void {
  if (!isUpdatable(stack)) throw busy(stack);
}

/** An execution frees the name: the change set is found by its ARN only from then on. */
const pendingChangeSet = (stack: Stack, name: string): ChangeSet | undefined =>
  [...stack.changeSets.values()].find(
    (set) => set.name === name && set.executionStatus !== 'EXECUTE_COMPLETE',
  );
