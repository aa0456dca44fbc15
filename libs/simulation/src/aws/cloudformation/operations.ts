import { AwsError } from '../aws-error.js';
import type { RegionalAws } from '../region.js';
import { forbiddenRemoval, removeLeftovers, removeResources } from './removal.js';
import { convergeResource, setStatus, type WorkParts } from './resource-work.js';
import { runGraph } from './run-graph.js';
import { evaluateOutputs, scopeOf, wantedResources } from './scope.js';
import { setStackStatus } from './stack-events.js';
import type { Stack, StackInput } from './stack.js';
import { dependenciesOf, type ResourceDefinition } from './template.js';

export type OnFailure = 'ROLLBACK' | 'DELETE' | 'DO_NOTHING';

type Verdict = (problem?: string) => void;

/** The long-running work of a stack: create, update, roll back, delete. */
export class Operations {
  constructor(private readonly aws: RegionalAws) {}

  create(stack: Stack, input: StackInput, onFailure: OnFailure): void {
    stack.input = input;
    setStackStatus(this.aws, stack, 'CREATE_IN_PROGRESS', 'User Initiated');
    const parts = this.parts(stack, input, input.tags);
    this.soon(() =>
      this.converge(parts, 'create', (problem) => {
        if (problem === undefined) return this.soon(() => setStackStatus(this.aws, stack, 'CREATE_COMPLETE'));
        if (onFailure === 'DO_NOTHING') return setStackStatus(this.aws, stack, 'CREATE_FAILED', problem);
        if (onFailure === 'DELETE') return this.delete(stack, []);
        setStackStatus(this.aws, stack, 'ROLLBACK_IN_PROGRESS', `${problem} Rollback requested by user.`);
        this.removeAll(stack, [], (failed) => {
          const reason = failed.length > 0 ? failedText(failed, 'delete') : undefined;
          setStackStatus(this.aws, stack, reason ? 'ROLLBACK_FAILED' : 'ROLLBACK_COMPLETE', reason);
        });
      }),
    );
  }

  update(stack: Stack, input: StackInput): void {
    setStackStatus(this.aws, stack, 'UPDATE_IN_PROGRESS', 'User Initiated');
    const parts = this.parts(stack, input, stack.input?.tags ?? {});
    this.soon(() =>
      this.converge(parts, 'update', (problem) => {
        if (problem === undefined) return this.finishUpdate(parts);
        if (stack.disableRollback) return setStackStatus(this.aws, stack, 'UPDATE_FAILED', problem);
        const back: WorkParts = {
          ...parts,
          input: stack.input as StackInput,
          tagsBefore: input.tags,
          rollingBack: true,
        };
        this.rollBack(back, problem, []);
      }),
    );
  }

  /** Goes on with a rollback that failed; skipped resources are taken for rolled back. */
  continueRollback(stack: Stack, skip: readonly string[]): void {
    if (stack.rollback) this.rollBack(stack.rollback, 'User Initiated', skip);
  }

  delete(stack: Stack, retain: readonly string[]): void {
    setStackStatus(this.aws, stack, 'DELETE_IN_PROGRESS', 'User Initiated');
    this.soon(() =>
      this.removeAll(stack, retain, (failed) => {
        if (failed.length > 0)
          return setStackStatus(this.aws, stack, 'DELETE_FAILED', failedText(failed, 'delete'));
        stack.deletedAt = this.aws.context.scheduler.now();
        stack.outputs = [];
        setStackStatus(this.aws, stack, 'DELETE_COMPLETE');
      }),
    );
  }

  private rollBack(parts: WorkParts, reason: string, skip: readonly string[]): void {
    const { stack } = parts;
    setStackStatus(this.aws, stack, 'UPDATE_ROLLBACK_IN_PROGRESS', reason);
    for (const id of skip) this.skipResource(parts, id);
    this.soon(() =>
      this.converge(
        parts,
        'update',
        (problem) => {
          if (problem === undefined) {
            delete stack.rollback;
            return this.cleanUp(parts, 'UPDATE_ROLLBACK_COMPLETE');
          }
          stack.rollback = parts;
          setStackStatus(this.aws, stack, 'UPDATE_ROLLBACK_FAILED', problem);
        },
        skip,
      ),
    );
  }

  private skipResource({ stack }: WorkParts, logicalId: string): void {
    const resource = stack.resources.get(logicalId);
    if (resource)
      setStatus({ aws: this.aws, stack }, resource, 'UPDATE_COMPLETE', 'Resource skipped during rollback');
  }

  private finishUpdate(parts: WorkParts): void {
    parts.stack.input = parts.input;
    this.cleanUp(parts, 'UPDATE_COMPLETE');
  }

  /** Deletes replaced resources and those that the template no longer has. */
  private cleanUp(parts: WorkParts, final: 'UPDATE_COMPLETE' | 'UPDATE_ROLLBACK_COMPLETE'): void {
    const { stack } = parts;
    stack.updatedAt = this.aws.context.scheduler.now();
    setStackStatus(this.aws, stack, `${final}_CLEANUP_IN_PROGRESS`);
    const input = stack.input;
    this.soon(() =>
      removeResources({ aws: this.aws, stack, input }, this.unwanted(parts), { forget: true }, () =>
        removeLeftovers({ aws: this.aws, stack, input }, parts.leftovers, () =>
          setStackStatus(this.aws, stack, final),
        ),
      ),
    );
  }

  private unwanted({ stack, input }: WorkParts): string[] {
    const names = new Set(
      wantedResources(input.template, scopeOf(this.aws, stack, input)).map(({ logicalId }) => logicalId),
    );
    return [...stack.resources.keys()].filter((id) => !names.has(id));
  }

  /** All resources of the input, then outputs and exports. */
  private converge(
    parts: WorkParts,
    verb: 'create' | 'update',
    verdict: Verdict,
    skip: readonly string[] = [],
  ): void {
    const { stack, input, rollingBack } = parts;
    const scope = scopeOf(this.aws, stack, input);
    const wanted = new Map(
      wantedResources(input.template, scope).map((resource) => [resource.logicalId, resource]),
    );
    const forbidden =
      rollingBack || verb === 'create' ? undefined : forbiddenRemoval(stack, this.unwanted(parts));
    if (forbidden) return verdict(forbidden);
    runGraph({
      ids: [...wanted.keys()].filter((id) => !skip.includes(id)),
      needs: (id) => dependenciesOf(input.template, wanted.get(id) as ResourceDefinition),
      perform: (id, done) => convergeResource(parts, wanted.get(id) as ResourceDefinition, scope, done),
      finished: (failed) => verdict(failed.length > 0 ? failedText(failed, verb) : this.publish(parts)),
    });
  }

  private publish({ stack, input }: WorkParts): string | undefined {
    try {
      const outputs = evaluateOutputs(input.template, scopeOf(this.aws, stack, input));
      const taken = this.aws.cloudFormation.exports().filter((entry) => entry.stackId !== stack.id);
      const clash = outputs.find(
        ({ exportName }) => exportName !== undefined && taken.some(({ name }) => name === exportName),
      );
      if (clash)
        return `Export with name ${clash.exportName} is already exported by stack ${taken.find(({ name }) => name === clash.exportName)?.stackId}.`;
      stack.outputs = outputs;
      return undefined;
    } catch (error) {
      if (error instanceof AwsError) return error.message;
      throw error;
    }
  }

  private removeAll(
    stack: Stack,
    retain: readonly string[],
    finished: (failed: readonly string[]) => void,
  ): void {
    const ids = [...stack.resources.keys()].filter(
      (id) => !retain.includes(id) && stack.resources.get(id)?.status !== 'DELETE_COMPLETE',
    );
    removeResources({ aws: this.aws, stack, input: stack.input }, ids, { forget: false }, finished);
  }

  private parts(stack: Stack, input: StackInput, tagsBefore: WorkParts['tagsBefore']): WorkParts {
    return {
      aws: this.aws,
      stack,
      input,
      tagsBefore,
      rollingBack: false,
      replaced: new Map(),
      leftovers: [],
    };
  }

  private soon(then: () => void): void {
    this.aws.context.scheduler.after(this.aws.context.timings.stackOverhead, then);
  }
}

const failedText = (failed: readonly string[], verb: string): string =>
  `The following resource(s) failed to ${verb}: [${failed.join(', ')}].`;
