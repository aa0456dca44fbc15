import {
  CreateStackCommand,
  GetTemplateCommand,
  UpdateStackCommand,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import { digestOfValue, sha256Hex } from '#kernel';
import type { StackTemplate } from '#fleet';
import type { StackChange } from '#ports';
import { failureCode } from './classify.js';
import type { SdkClients } from './sdk-clients.js';
import type { Stacks } from './stacks.js';
import { templateFacts } from './template-facts.js';
import type { TemplateSources } from './template-source.js';

type PreparedChange = Exclude<StackChange, { kind: 'none' }>;

const MARK = 'direct:';
/** Tag with the digest of what a stack was made of: parameters read back from emulators are not always what was given. */
const CONTENT_TAG = 'fairway.dev/content';

/** Was the change prepared here? */
export const isDirect = (change: PreparedChange): boolean => change.changeSetId.startsWith(MARK);

/**
 * Creates and updates of stacks without change sets, for endpoints whose change sets are missing or half made: some
 * emulators have none, and some leave a stack that was created by one without outputs.
 */
export class DirectChanges {
  constructor(
    private readonly sdk: SdkClients,
    private readonly stacks: Stacks,
    private readonly sources: TemplateSources,
    private readonly protect: boolean,
  ) {}

  /** Was the stack's last change by us, to just this? */
  isCurrent(wanted: StackTemplate, stack: Stack): boolean {
    const settled = /^(CREATE|UPDATE)_COMPLETE$/.test(stack.StackStatus ?? '');
    const tag = stack.Tags?.find(({ Key }) => Key === CONTENT_TAG)?.Value;
    return settled && tag === contentOf(wanted);
  }

  /** Nothing is left behind: what would change is read off the templates. */
  async prepare(wanted: StackTemplate, kind: 'create' | 'update', stack?: Stack): Promise<StackChange> {
    const before = kind === 'update' && stack ? await this.#templateOf(stack) : '';
    const { body, parameters, tags } = wanted;
    const digest = digestOfValue({
      body,
      parameters,
      tags,
      stack: stack?.StackId,
      at: stack?.LastUpdatedTime,
    });
    return { kind, changeSetId: `${MARK}${digest}`, changes: resourceChanges(before, body) };
  }

  async execute(stack: StackTemplate, change: PreparedChange): Promise<void> {
    const input = {
      StackName: stack.name,
      ClientRequestToken: `fairway-${sha256Hex(change.changeSetId).slice(0, 40)}`,
      Capabilities: ['CAPABILITY_NAMED_IAM' as const],
      Parameters: Object.entries(stack.parameters).map(([ParameterKey, ParameterValue]) => ({
        ParameterKey,
        ParameterValue,
      })),
      Tags: Object.entries({ ...stack.tags, [CONTENT_TAG]: contentOf(stack) }).map(([Key, Value]) => ({
        Key,
        Value,
      })),
    };
    const client = this.sdk.cloudFormation;
    try {
      if (change.kind === 'create') {
        const protection = this.protect && { EnableTerminationProtection: true };
        await this.sources.send(stack, (source) =>
          client.send(new CreateStackCommand({ ...input, ...protection, ...source })),
        );
      } else {
        await this.sources.send(stack, (source) =>
          client.send(new UpdateStackCommand({ ...input, ...source })),
        );
      }
    } catch (thrown) {
      if (!(await this.#doneAlready(stack.name, change, thrown))) throw thrown;
    }
  }

  /** An answer was lost, and we come again. */
  async #doneAlready(name: string, change: PreparedChange, thrown: unknown): Promise<boolean> {
    const code = failureCode(thrown);
    if (code === 'no-changes') return true;
    if (change.kind === 'update') return code === 'stack-busy';
    return code === 'already-exists' && (await this.stacks.find(name)) !== undefined;
  }

  async #templateOf(stack: Stack): Promise<string> {
    const answer = await this.sdk.cloudFormation.send(
      new GetTemplateCommand({ StackName: stack.StackId ?? stack.StackName, TemplateStage: 'Original' }),
    );
    return answer.TemplateBody ?? '';
  }
}

/** As hex: a tag's value may not hold every character. */
const contentOf = ({ body, parameters, tags }: StackTemplate): string =>
  digestOfValue({ body, parameters, tags }).slice('sha256:'.length);

/** As change sets put it, as far as the templates alone tell: `Add AWS::S3::Bucket Logs`. */
function resourceChanges(before: string, after: string): readonly string[] {
  const [old, fresh] = [templateFacts(before).resources, templateFacts(after).resources];
  return [...new Set([...Object.keys(old), ...Object.keys(fresh)])].flatMap((id) => {
    const [was, is] = [old[id], fresh[id]];
    if (was === undefined) return [`Add ${is?.type ?? '?'} ${id}`];
    if (is === undefined) return [`Remove ${was.type} ${id}`];
    return was.digest === is.digest ? [] : [`Modify ${is.type} ${id}`];
  });
}
