import {
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  type Change,
  type DescribeChangeSetOutput,
} from '@aws-sdk/client-cloudformation';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOfValue, FailureError, type Clock, type Duration } from '#kernel';
import type { StackTemplate } from '#fleet';
import { answered, failureCode } from './classify.js';
import type { SdkClients } from './sdk-clients.js';

export interface ChangeSetOptions {
  /** How long to wait for a change set to be computed. */
  readonly changeSetTimeout: Duration;
  readonly firstPoll: Duration;
  readonly clock: Clock;
}

const GONE: readonly string[] = ['change-set-missing', 'stack-missing', 'aws-missing'];

/** Finding, awaiting, reading and removing change sets. */
export class ChangeSets {
  constructor(
    private readonly sdk: SdkClients,
    private readonly options: ChangeSetOptions,
  ) {}

  async find(nameOrId: string, stackName: string): Promise<DescribeChangeSetOutput | undefined> {
    try {
      const found = await this.sdk.cloudFormation.send(
        new DescribeChangeSetCommand({
          ChangeSetName: nameOrId,
          // By id the change set names its stack itself; a name needs the stack's.
          ...(!nameOrId.startsWith('arn:') && { StackName: stackName }),
        }),
      );
      answered(found.Status, `cloudformation DescribeChangeSet of ${stackName}`);
      return found;
    } catch (thrown) {
      if (GONE.includes(failureCode(thrown))) return undefined;
      throw thrown;
    }
  }

  /** A change set of the same content, where there is one that can still be used. */
  async reusable(stackName: string, name: string): Promise<string | undefined> {
    const found = await this.find(name, stackName);
    if (found?.ChangeSetId === undefined) return undefined;
    const pending = found.Status === 'CREATE_PENDING' || found.Status === 'CREATE_IN_PROGRESS';
    if (pending || (found.Status === 'CREATE_COMPLETE' && found.ExecutionStatus === 'AVAILABLE')) {
      return found.ChangeSetId;
    }
    await this.remove(found.ChangeSetId);
    return undefined;
  }

  /** Polls until the change set is computed, within the time limit. */
  async ready(stack: StackTemplate, id: string): Promise<DescribeChangeSetOutput> {
    const { clock, changeSetTimeout, firstPoll } = this.options;
    const deadline = clock.now() + changeSetTimeout;
    for (let pause = firstPoll; ; pause = Math.min(pause * 1.5, 2000)) {
      const found = await this.find(id, stack.name);
      if (found && found.Status !== 'CREATE_PENDING' && found.Status !== 'CREATE_IN_PROGRESS') return found;
      if (clock.now() + pause > deadline) {
        throw new FailureError({
          class: 'transient',
          code: 'change-set-pending',
          message: `the change set of stack ${stack.name} is not computed yet`,
          place: { file: stack.file },
        });
      }
      await sleep(pause);
    }
  }

  /** What it would do, in words. */
  async changes(first: DescribeChangeSetOutput, id: string): Promise<readonly string[]> {
    const changes = (first.Changes ?? []).map(describeChange);
    let token = first.NextToken;
    while (token !== undefined) {
      const page = await this.sdk.cloudFormation.send(
        new DescribeChangeSetCommand({ ChangeSetName: id, NextToken: token }),
      );
      changes.push(...(page.Changes ?? []).map(describeChange));
      token = page.NextToken;
    }
    return changes;
  }

  /** Already gone is success. */
  async remove(id: string): Promise<void> {
    try {
      await this.sdk.cloudFormation.send(new DeleteChangeSetCommand({ ChangeSetName: id }));
    } catch (thrown) {
      if (!GONE.includes(failureCode(thrown))) throw thrown;
    }
  }
}

/** Equal content, equal name: a second process, or we after a crash, find the change set again. */
export function changeSetName(stack: StackTemplate): string {
  const digest = digestOfValue({ body: stack.body, parameters: stack.parameters, tags: stack.tags });
  return `fairway-${digest.slice('sha256:'.length, 'sha256:'.length + 40)}`;
}

/** `Modify AWS::AutoScaling::AutoScalingGroup Group (no replacement)` */
export function describeChange(change: Change): string {
  const resource = change.ResourceChange;
  if (!resource) return change.Type ?? 'unknown change';
  const what = `${resource.Action ?? 'Change'} ${resource.ResourceType ?? '?'} ${resource.LogicalResourceId ?? '?'}`;
  if (resource.Action !== 'Modify') return what;
  const replacement = { True: 'replacement', Conditional: 'maybe replacement', False: 'no replacement' };
  return `${what} (${replacement[resource.Replacement ?? 'False']})`;
}
