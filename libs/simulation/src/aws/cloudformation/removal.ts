import { AwsError } from '../aws-error.js';
import type { RegionalAws } from '../region.js';
import { resourceContext, setStatus, type Leftover } from './resource-work.js';
import { resourceType } from './resources/index.js';
import { runGraph } from './run-graph.js';
import { dependenciesOf } from './template.js';
import { forbiddenBy } from './stack-policy.js';
import type { Stack, StackInput, StackResource } from './stack.js';

interface RemovalParts {
  readonly aws: RegionalAws;
  readonly stack: Stack;
  /** The template in which the doomed resources depend on each other. */
  readonly input: StackInput | undefined;
}

/** Deletes resources of a stack, dependent ones first. `finished` gets the logical ids that could not be deleted. */
export function removeResources(
  parts: RemovalParts,
  ids: readonly string[],
  options: { readonly forget: boolean },
  finished: (failed: readonly string[]) => void,
): void {
  const { stack, input } = parts;
  const dependents = (id: string): readonly string[] =>
    [...(input?.template.resources.values() ?? [])]
      .filter((resource) => input && dependenciesOf(input.template, resource).includes(id))
      .map(({ logicalId }) => logicalId);
  runGraph({
    ids: ids.filter((id) => stack.resources.has(id)),
    needs: dependents,
    perform: (id, done) => {
      const resource = stack.resources.get(id) as StackResource;
      removeOne(parts, resource, (ok) => {
        if (ok && options.forget) stack.resources.delete(id);
        done(ok);
      });
    },
    finished,
  });
}

function removeOne(parts: RemovalParts, resource: StackResource, done: (ok: boolean) => void): void {
  const { state, logicalId, type } = resource;
  if (!state) return done(true);
  if (resource.deletionPolicy === 'Retain') {
    setStatus(parts, resource, 'DELETE_SKIPPED');
    return done(true);
  }
  setStatus(parts, resource, 'DELETE_IN_PROGRESS');
  deletePhysical(parts, { logicalId, type, state, retain: false }, (problem) => {
    setStatus(parts, resource, problem === undefined ? 'DELETE_COMPLETE' : 'DELETE_FAILED', problem);
    done(problem === undefined);
  });
}

/** Deletes what replacements left behind; trouble there fails nobody, as in CloudFormation. */
export function removeLeftovers(
  parts: RemovalParts,
  leftovers: readonly Leftover[],
  finished: () => void,
): void {
  const next = (index: number): void => {
    const leftover = leftovers[index];
    if (!leftover) return finished();
    if (leftover.retain) return next(index + 1);
    deletePhysical(parts, leftover, () => next(index + 1));
  };
  next(0);
}

function deletePhysical(
  parts: RemovalParts,
  { logicalId, type, state }: Leftover,
  done: (problem?: string) => void,
): void {
  const { aws, stack, input } = parts;
  const { scheduler, random, timings, faults } = aws.context;
  const handler = resourceType(type);
  const about = resourceContext(aws, stack, input, logicalId, type);
  const deadline = scheduler.now() + timings.stackPatience;
  const waitUntilGone = (): void => {
    if (handler.gone?.(about, state) ?? true) return done();
    if (scheduler.now() >= deadline) return done(`Resource ${logicalId} did not go away in time.`);
    scheduler.after(timings.stackPoll, waitUntilGone);
  };
  scheduler.after(random.jitter(timings.stackResource, 0.25), () => {
    const fault = faults.takeResourceFault({
      stackName: stack.name,
      logicalId,
      type,
      verb: 'delete',
      account: aws.account,
    });
    if (fault !== undefined) return done(fault);
    try {
      handler.delete(about, state);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      if (!/NotFound|NoSuch/.test(error.code)) return done(error.message);
    }
    waitUntilGone();
  });
}

/** The first resource whose removal the stack policy forbids. */
export const forbiddenRemoval = (stack: Stack, ids: readonly string[]): string | undefined =>
  ids
    .map((id) => forbiddenBy(stack.policy, 'Update:Delete', id, stack.resources.get(id)?.type ?? ''))
    .find((reason) => reason !== undefined);
