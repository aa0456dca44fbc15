import {
  CreateChangeSetCommand,
  DeleteStackCommand,
  ExecuteChangeSetCommand,
  GetTemplateCommand,
  type CreateChangeSetCommandOutput,
  type DescribeChangeSetOutput,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import { digestOfValue, FailureError, sha256Hex, type Failure } from '#kernel';
import type { StackTemplate } from '#fleet';
import type { StackChange } from '#ports';
import { ChangeSets, changeSetName, type ChangeSetOptions } from './change-sets.js';
import { failureCode } from './classify.js';
import { DirectChanges, isDirect } from './direct-changes.js';
import type { SdkClients } from './sdk-clients.js';
import type { Stacks } from './stacks.js';
import { templateFacts, type TemplateFacts } from './template-facts.js';
import type { TemplateSources } from './template-source.js';

export interface StackChangeOptions extends ChangeSetOptions {
  /** `auto`: by change set on AWS, without one on anything else. */
  readonly changeSets: ChangeSetUse;
  /** Protect a stack from deletion before it is executed. */
  readonly protectStacks: boolean;
}

export type ChangeSetUse = 'always' | 'auto' | 'never';

type PreparedChange = Exclude<StackChange, { kind: 'none' }>;

/** Creates and updates of stacks by change set, or where those are not to be used, directly. */
export class StackChanges {
  readonly #changeSets: ChangeSets;
  readonly #direct: DirectChanges;

  constructor(
    private readonly sdk: SdkClients,
    private readonly stacks: Stacks,
    private readonly sources: TemplateSources,
    private readonly options: StackChangeOptions,
  ) {
    this.#changeSets = new ChangeSets(sdk, options);
    this.#direct = new DirectChanges(sdk, stacks, sources, options.protectStacks);
  }

  async prepare(template: StackTemplate): Promise<StackChange> {
    const facts = templateFacts(template.body);
    const wanted = withTags(template, facts);
    const stack = await this.stacks.find(template.name);
    const kind = await this.#kindOf(wanted, stack);
    const directly = this.#goesDirectly();
    if (kind === 'update' && stack) {
      if (directly && this.#direct.isCurrent(wanted, stack)) return { kind: 'none' };
      if (await this.#unchanged(wanted, facts, stack)) return { kind: 'none' };
    }
    if (directly) {
      if (stack?.StackStatus === 'REVIEW_IN_PROGRESS') await this.#clearReview(wanted, stack);
      return this.#direct.prepare(wanted, kind, stack);
    }
    const name = changeSetName(wanted);
    const found =
      (await this.#changeSets.reusable(wanted.name, name)) ?? (await this.#create(wanted, kind, name));
    if (found === 'no-changes') return { kind: 'none' };
    return this.#settled(wanted, kind, await this.#changeSets.ready(wanted, found));
  }

  async execute(stack: StackTemplate, change: PreparedChange): Promise<void> {
    if (isDirect(change)) return this.#executeDirectly(stack, change);
    // Before the first resource exists, so that there is no moment without protection.
    if (this.options.protectStacks) await this.#protect(stack.name);
    try {
      await this.sdk.cloudFormation.send(
        new ExecuteChangeSetCommand({
          ChangeSetName: change.changeSetId,
          ClientRequestToken: `fairway-${sha256Hex(change.changeSetId).slice(0, 40)}`,
        }),
      );
    } catch (thrown) {
      if (await this.#executedAlready(stack.name, change.changeSetId)) return;
      throw thrown;
    }
  }

  async discard(stackName: string, change: PreparedChange): Promise<void> {
    if (isDirect(change)) return;
    if (await this.#changeSets.find(change.changeSetId, stackName))
      await this.#changeSets.remove(change.changeSetId);
    // A plan for a new stack leaves an empty one behind; it holds nothing.
    const stack = await this.stacks.find(stackName);
    if (stack?.StackStatus === 'REVIEW_IN_PROGRESS') await this.#deleteEmpty(stack);
  }

  #goesDirectly(): boolean {
    const { changeSets } = this.options;
    return changeSets === 'never' || (changeSets === 'auto' && this.sdk.stranger !== undefined);
  }

  async #executeDirectly(stack: StackTemplate, change: PreparedChange): Promise<void> {
    if (this.options.protectStacks && change.kind === 'update') await this.#protect(stack.name);
    try {
      await this.#direct.execute(withTags(stack, templateFacts(stack.body)), change);
    } catch (thrown) {
      throw placed(thrown, stack);
    }
  }

  /** A plan by change set left an empty stack, whose name is taken. */
  async #clearReview(template: StackTemplate, stack: Stack): Promise<never> {
    await this.#deleteEmpty(stack);
    throw new FailureError({
      class: 'conflict',
      code: 'stack-being-deleted',
      message: `stack ${template.name} is in REVIEW_IN_PROGRESS`,
      hint: 'It is created again when it is gone.',
      place: { file: template.file },
    });
  }

  /** Whether the stack can be changed now, and how; what stands in the way is thrown. */
  async #kindOf(template: StackTemplate, stack: Stack | undefined): Promise<'create' | 'update'> {
    const status = stack?.StackStatus;
    if (!stack || status === undefined || status === 'REVIEW_IN_PROGRESS') return 'create';
    const obstacle = obstacleOf(status);
    if (!obstacle) return 'update';
    // It never came into being and cannot be updated, only deleted and made again.
    if (status === 'ROLLBACK_COMPLETE' || status === 'ROLLBACK_FAILED') await this.#deleteEmpty(stack);
    const reason = stack.StackStatusReason === undefined ? '' : `: ${stack.StackStatusReason}`;
    const message = `stack ${template.name} is in ${status}${reason}`;
    throw new FailureError({ ...obstacle, message, place: { file: template.file } });
  }

  /** Saves a change set where text, parameters and tags say already that nothing changes. */
  async #unchanged(wanted: StackTemplate, facts: TemplateFacts, stack: Stack): Promise<boolean> {
    if (!['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'IMPORT_COMPLETE'].includes(stack.StackStatus ?? ''))
      return false;
    const tags = Object.fromEntries((stack.Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));
    if (digestOfValue(tags) !== digestOfValue(wanted.tags)) return false;
    const parameters = stack.Parameters ?? [];
    const expected = { ...facts.parameterDefaults, ...wanted.parameters };
    if (Object.keys(expected).length !== parameters.length) return false;
    // Hidden (NoEcho) values read as asterisks and never compare equal; resolved ones may have moved.
    const same = parameters.every(
      ({ ParameterKey, ParameterValue, ResolvedValue }) =>
        ResolvedValue === undefined && expected[ParameterKey ?? ''] === ParameterValue,
    );
    if (!same) return false;
    const answer = await this.sdk.cloudFormation.send(
      new GetTemplateCommand({ StackName: stack.StackId ?? wanted.name, TemplateStage: 'Original' }),
    );
    return answer.TemplateBody === wanted.body;
  }

  async #create(
    stack: StackTemplate,
    kind: 'create' | 'update',
    name: string,
  ): Promise<string | 'no-changes'> {
    try {
      const created = await this.#send(stack, kind, name);
      return created.Id ?? name;
    } catch (thrown) {
      switch (failureCode(thrown)) {
        case 'no-changes':
          return 'no-changes';
        case 'already-exists': {
          // Another process was faster with the same content.
          const other = await this.#changeSets.find(name, stack.name);
          if (other?.ChangeSetId !== undefined) return other.ChangeSetId;
          throw thrown;
        }
        default:
          throw placed(thrown, stack);
      }
    }
  }

  #send(
    stack: StackTemplate,
    kind: 'create' | 'update',
    name: string,
  ): Promise<CreateChangeSetCommandOutput> {
    return this.sources.send(stack, (source) =>
      this.sdk.cloudFormation.send(
        new CreateChangeSetCommand({
          StackName: stack.name,
          ChangeSetName: name,
          ChangeSetType: kind === 'create' ? 'CREATE' : 'UPDATE',
          Capabilities: ['CAPABILITY_NAMED_IAM'],
          Parameters: Object.entries(stack.parameters).map(([ParameterKey, ParameterValue]) => ({
            ParameterKey,
            ParameterValue,
          })),
          Tags: Object.entries(stack.tags).map(([Key, Value]) => ({ Key, Value })),
          ...source,
        }),
      ),
    );
  }

  async #settled(
    stack: StackTemplate,
    kind: 'create' | 'update',
    found: DescribeChangeSetOutput,
  ): Promise<StackChange> {
    const id = found.ChangeSetId ?? '';
    if (found.Status === 'CREATE_COMPLETE')
      return { kind, changeSetId: id, changes: await this.#changeSets.changes(found, id) };
    const reason = found.StatusReason ?? '';
    // A failed one must not stand in the way of the next try with the same content.
    await this.#changeSets.remove(id);
    if (/didn't contain changes|No updates are to be performed/.test(reason)) return { kind: 'none' };
    throw new FailureError({
      class: 'invalid',
      code: 'change-set-failed',
      message: `stack ${stack.name}: the change set is ${found.Status ?? 'in no state'}: ${reason}`,
      place: { file: stack.file },
    });
  }

  async #executedAlready(stackName: string, id: string): Promise<boolean> {
    const found = await this.#changeSets.find(id, stackName);
    if (found) return /^EXECUTE_(COMPLETE|IN_PROGRESS|PENDING)$/.test(found.ExecutionStatus ?? '');
    // CloudFormation forgets executed change sets; the stack remembers the one that it got last.
    const stack = await this.stacks.find(stackName);
    return stack?.ChangeSetId === id && stack.StackStatus !== 'REVIEW_IN_PROGRESS';
  }

  async #protect(stackName: string): Promise<void> {
    const stack = await this.stacks.find(stackName);
    if (!stack || stack.EnableTerminationProtection === true) return;
    await this.stacks.setTerminationProtection(stackName, true);
  }

  async #deleteEmpty(stack: Stack): Promise<void> {
    const name = stack.StackName ?? '';
    if (stack.EnableTerminationProtection === true) await this.stacks.setTerminationProtection(name, false);
    await this.sdk.cloudFormation.send(new DeleteStackCommand({ StackName: stack.StackId ?? name }));
  }
}

/** The stack's own tags win: they carry the ownership that everything is found by. */
const withTags = (template: StackTemplate, facts: TemplateFacts): StackTemplate => ({
  ...template,
  tags: { ...facts.tags, ...template.tags },
});

/** Why a stack in this state cannot take a change now; undefined where it can. */
function obstacleOf(status: string): Pick<Failure, 'class' | 'code' | 'hint'> | undefined {
  switch (status) {
    case 'ROLLBACK_COMPLETE':
    case 'ROLLBACK_FAILED':
      return { class: 'conflict', code: 'stack-being-deleted', hint: 'It is created again when it is gone.' };
    case 'DELETE_IN_PROGRESS':
      return { class: 'conflict', code: 'stack-being-deleted', hint: 'Wait until it is gone.' };
    case 'DELETE_FAILED': {
      const hint = 'Remove what holds its resources, then delete the stack again.';
      return { class: 'blocked', code: 'stack-delete-failed', hint };
    }
    case 'UPDATE_ROLLBACK_FAILED': {
      const hint = 'Repair what the rollback failed on, then continue the rollback.';
      return { class: 'blocked', code: 'stack-rollback-failed', hint };
    }
    default:
      return status.endsWith('_IN_PROGRESS')
        ? { class: 'conflict', code: 'stack-busy', hint: 'Wait until the operation has ended.' }
        : undefined;
  }
}

/** Adds the file to a failure that is the template's fault. */
function placed(thrown: unknown, stack: StackTemplate): unknown {
  if (!(thrown instanceof FailureError) || thrown.failure.class !== 'invalid') return thrown;
  const { failure } = thrown;
  return new FailureError(
    { ...failure, message: `stack ${stack.name}: ${failure.message}`, place: { file: stack.file } },
    { cause: thrown.cause },
  );
}
