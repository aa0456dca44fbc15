import {
  ContinueUpdateRollbackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  paginateDescribeStacks,
  UpdateTerminationProtectionCommand,
  type Stack,
  type StackEvent,
} from '@aws-sdk/client-cloudformation';
import type { StackFailure, StackView } from '#ports';
import { answered, failureCode, isUnsupported } from './classify.js';
import type { SdkClients } from './sdk-clients.js';

const MAX_EVENT_PAGES = 10;
const PROTECTION = 'cloudformation UpdateTerminationProtection';

/** CloudFormation stacks: reading, deleting, protecting. Changes are in {@link StackChanges}. */
export class Stacks {
  constructor(private readonly sdk: SdkClients) {}

  async describe(name: string): Promise<StackView | undefined> {
    const stack = await this.find(name);
    return stack && viewOf(stack);
  }

  /** Deleted stacks are not found by name. */
  async find(name: string): Promise<Stack | undefined> {
    try {
      const answer = await this.sdk.cloudFormation.send(new DescribeStacksCommand({ StackName: name }));
      const [stack] = answered(answer.Stacks, `cloudformation DescribeStacks ${name}`);
      return stack?.StackStatus === 'DELETE_COMPLETE' ? undefined : stack;
    } catch (thrown) {
      if (failureCode(thrown) === 'stack-missing') return undefined;
      throw thrown;
    }
  }

  async listOwned(clusterId: string): Promise<readonly string[]> {
    const tag = `kubernetes.io/cluster/${clusterId}`;
    const names: string[] = [];
    for await (const page of paginateDescribeStacks({ client: this.sdk.cloudFormation }, {})) {
      for (const stack of answered(page.Stacks, 'cloudformation DescribeStacks')) {
        const owned = stack.Tags?.some(({ Key, Value }) => Key === tag && Value === 'owned') ?? false;
        if (owned && stack.StackStatus !== 'DELETE_COMPLETE') names.push(stack.StackName ?? '');
      }
    }
    return names.sort();
  }

  async delete(name: string): Promise<void> {
    const stack = await this.find(name);
    if (!stack || stack.StackStatus === 'DELETE_IN_PROGRESS') return;
    await this.sdk.cloudFormation.send(new DeleteStackCommand({ StackName: name }));
  }

  /** An endpoint that knows no protection protects nothing: told once, and everything goes on without. */
  async setTerminationProtection(name: string, enabled: boolean): Promise<void> {
    if (this.sdk.isLacking(PROTECTION)) return;
    try {
      await this.sdk.cloudFormation.send(
        new UpdateTerminationProtectionCommand({ StackName: name, EnableTerminationProtection: enabled }),
      );
    } catch (thrown) {
      if (!isUnsupported(thrown, this.sdk.stranger)) throw thrown;
      this.sdk.lacks(PROTECTION, thrown);
    }
  }

  /** A rollback that goes on already, or is over, is success. */
  async continueRollback(name: string): Promise<void> {
    try {
      await this.sdk.cloudFormation.send(new ContinueUpdateRollbackCommand({ StackName: name }));
    } catch (thrown) {
      const status = (await this.find(name))?.StackStatus ?? '';
      if (status.startsWith('UPDATE_ROLLBACK_') && status !== 'UPDATE_ROLLBACK_FAILED') return;
      throw thrown;
    }
  }

  async failures(name: string): Promise<readonly StackFailure[]> {
    const events = await this.#lastOperation(name);
    const failed = events.filter((event) => event.ResourceStatus?.endsWith('_FAILED'));
    // Cancelled resources are consequences; they are only shown where nothing else is known.
    const causes = failed.filter((event) => !/cancelled/i.test(event.ResourceStatusReason ?? ''));
    return (causes.length > 0 ? causes : failed).map((event) => ({
      resource: `${event.LogicalResourceId ?? '?'} (${event.ResourceType ?? '?'})`,
      status: event.ResourceStatus ?? '',
      reason: event.ResourceStatusReason ?? 'CloudFormation gives no reason',
    }));
  }

  /** Events since the last create, update or delete began, oldest first. */
  async #lastOperation(name: string): Promise<readonly StackEvent[]> {
    const events: StackEvent[] = [];
    let token: string | undefined;
    for (let page = 0; page < MAX_EVENT_PAGES; page += 1) {
      const answer = await this.#eventPage(name, token);
      for (const event of answer.events) {
        events.push(event);
        if (beginsOperation(event)) return events.reverse();
      }
      token = answer.next;
      if (token === undefined) break;
    }
    return events.reverse();
  }

  async #eventPage(
    name: string,
    token: string | undefined,
  ): Promise<{ readonly events: readonly StackEvent[]; readonly next: string | undefined }> {
    try {
      const answer = await this.sdk.cloudFormation.send(
        new DescribeStackEventsCommand({ StackName: name, ...(token !== undefined && { NextToken: token }) }),
      );
      return { events: answer.StackEvents ?? [], next: answer.NextToken };
    } catch (thrown) {
      if (failureCode(thrown) === 'stack-missing') return { events: [], next: undefined };
      throw thrown;
    }
  }
}

/** Only the stack's own events count, not those of nested stacks among its resources. */
const beginsOperation = (event: StackEvent): boolean =>
  event.ResourceType === 'AWS::CloudFormation::Stack' &&
  event.PhysicalResourceId === event.StackId &&
  /^(CREATE|UPDATE|DELETE|IMPORT|REVIEW)_IN_PROGRESS$/.test(event.ResourceStatus ?? '');

function viewOf(stack: Stack): StackView {
  return {
    name: stack.StackName ?? '',
    id: stack.StackId ?? '',
    status: stack.StackStatus ?? '',
    outputs: pairs(stack.Outputs, 'OutputKey', 'OutputValue'),
    tags: pairs(stack.Tags, 'Key', 'Value'),
    parameters: pairs(stack.Parameters, 'ParameterKey', 'ParameterValue'),
    terminationProtection: stack.EnableTerminationProtection === true,
    ...(stack.StackStatusReason !== undefined && { statusReason: stack.StackStatusReason }),
  };
}

function pairs<K extends string, V extends string>(
  list: readonly { readonly [key in K | V]?: string | undefined }[] | undefined,
  key: K,
  value: V,
): Readonly<Record<string, string>> {
  return Object.fromEntries((list ?? []).map((one) => [one[key] ?? '', one[value] ?? '']));
}
