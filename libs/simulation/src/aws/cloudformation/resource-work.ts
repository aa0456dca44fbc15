import { canonicalJson } from '#kernel';
import { AwsError } from '../aws-error.js';
import type { Props } from '../props.js';
import type { RegionalAws } from '../region.js';
import { tagsMatter } from './change-set.js';
import { resolve, type Scope } from './intrinsics.js';
import { resourceType } from './resources/index.js';
import type { ResourceContext } from './resources/resource-type.js';
import { recordEvent } from './stack-events.js';
import { forbiddenBy, type PolicyAction } from './stack-policy.js';
import type { ResourceState, Stack, StackInput, StackResource } from './stack.js';
import type { ResourceDefinition } from './template.js';

/** A physical resource that an operation left behind and its cleanup has to delete. */
export interface Leftover {
  readonly logicalId: string;
  readonly type: string;
  readonly state: ResourceState;
  readonly retain: boolean;
}

export interface WorkParts {
  readonly aws: RegionalAws;
  readonly stack: Stack;
  /** What the stack is brought to, and the tags that its resources may carry so far. */
  readonly input: StackInput;
  readonly tagsBefore: Readonly<Record<string, string>>;
  readonly rollingBack: boolean;
  /** Physical resources replaced by this operation, by logical id. */
  readonly replaced: Map<
    string,
    Pick<StackResource, 'type' | 'properties'> & { readonly state: ResourceState }
  >;
  readonly leftovers: Leftover[];
}

type Done = (ok: boolean) => void;
type Verb = 'CREATE' | 'UPDATE';

export function resourceContext(
  aws: RegionalAws,
  stack: Stack,
  input: StackInput | undefined,
  logicalId: string,
  type: string,
): ResourceContext {
  return {
    aws,
    logicalId,
    type,
    stack,
    tags: {
      ...input?.tags,
      'aws:cloudformation:stack-name': stack.name,
      'aws:cloudformation:stack-id': stack.id,
      'aws:cloudformation:logical-id': logicalId,
    },
    generatedName: (limit = 255) => {
      const suffix = aws.context.random.hex(12).toUpperCase();
      return `${`${stack.name}-${logicalId}`.slice(0, limit - 13)}-${suffix}`;
    },
  };
}

/** Brings one resource of a stack to what the template says, in the scheduler's time. */
export function convergeResource(
  parts: WorkParts,
  definition: ResourceDefinition,
  scope: Scope,
  done: Done,
): void {
  const { stack } = parts;
  const { logicalId, type } = definition;
  const known = stack.resources.get(logicalId);
  restoreReplaced(parts, known);
  if (!known?.state) return create(parts, definition, scope, done);
  const attempt = guarded(parts, known, 'UPDATE', done, () => resolve(definition.properties, scope) as Props);
  if (!attempt) return;
  const properties = attempt.value;
  const sameTags = !tagsMatter(type) || canonicalJson(parts.tagsBefore) === canonicalJson(parts.input.tags);
  const unchanged = canonicalJson(properties) === canonicalJson(known.properties) && known.type === type;
  known.deletionPolicy = definition.deletionPolicy;
  if (unchanged && sameTags) return done(true);
  const changedNames = [...new Set([...Object.keys(properties), ...Object.keys(known.properties)])].filter(
    (name) => canonicalJson(properties[name]) !== canonicalJson(known.properties[name]),
  );
  const replace =
    known.type !== type || changedNames.some((name) => resourceType(type).replaceOn.includes(name));
  update(parts, definition, known, properties, replace, done);
}

function create(parts: WorkParts, definition: ResourceDefinition, scope: Scope, done: Done): void {
  const { aws, stack, input } = parts;
  const { logicalId, type, deletionPolicy } = definition;
  const resource: StackResource = {
    logicalId,
    type,
    state: undefined,
    properties: {},
    status: '',
    updatedAt: aws.context.scheduler.now(),
    deletionPolicy,
  };
  stack.resources.set(logicalId, resource);
  setStatus(parts, resource, 'CREATE_IN_PROGRESS');
  later(parts, () => {
    guarded(parts, resource, 'CREATE', done, () => {
      injectFault(parts, resource, 'create');
      const properties = resolve(definition.properties, scope) as Props;
      resource.state = resourceType(type).create(
        resourceContext(aws, stack, input, logicalId, type),
        properties,
      );
      resource.properties = properties;
      setStatus(parts, resource, 'CREATE_IN_PROGRESS', 'Resource creation Initiated');
      settle(parts, resource, 'CREATE', done);
    });
  });
}

function update(
  parts: WorkParts,
  definition: ResourceDefinition,
  known: StackResource,
  properties: Props,
  replace: boolean,
  done: Done,
): void {
  const { aws, stack, input } = parts;
  const { logicalId, type } = definition;
  const reason = replace
    ? 'Requested update requires the creation of a new physical resource; hence creating one.'
    : undefined;
  setStatus(parts, known, 'UPDATE_IN_PROGRESS', reason);
  later(parts, () => {
    guarded(parts, known, 'UPDATE', done, () => {
      injectFault(parts, known, parts.rollingBack ? 'rollback' : 'update');
      checkPolicy(parts, known, replace ? 'Update:Replace' : 'Update:Modify');
      const context = resourceContext(aws, stack, input, logicalId, type);
      const previous = known.state as ResourceState;
      if (replace) {
        const next = resourceType(type).create(context, properties);
        if (parts.rollingBack) leave(parts, known, previous, false);
        else
          parts.replaced.set(logicalId, { state: previous, properties: known.properties, type: known.type });
        if (!parts.rollingBack) leave(parts, known, previous, definition.updateReplacePolicy === 'Retain');
        Object.assign(known, { state: next, type });
      } else {
        known.state = resourceType(type).update(context, previous, properties, known.properties);
      }
      known.properties = properties;
      settle(parts, known, 'UPDATE', done);
    });
  });
}

const leave = (
  parts: WorkParts,
  { logicalId, type }: StackResource,
  state: ResourceState,
  retain: boolean,
): void => void parts.leftovers.push({ logicalId, type, state, retain });

/** A rollback takes the old physical resource back and leaves the new one to the cleanup. */
function restoreReplaced(parts: WorkParts, known: StackResource | undefined): void {
  const old = known && parts.rollingBack ? parts.replaced.get(known.logicalId) : undefined;
  if (!old || !known?.state) return;
  parts.replaced.delete(known.logicalId);
  const index = parts.leftovers.findIndex(({ state }) => state.physicalId === old.state.physicalId);
  if (index >= 0) parts.leftovers.splice(index, 1);
  leave(parts, known, known.state, false);
  Object.assign(known, old);
}

/** Waits until the service calls the resource stable. */
function settle(parts: WorkParts, resource: StackResource, verb: Verb, done: Done): void {
  const { context } = parts.aws;
  const deadline = context.scheduler.now() + context.timings.stackPatience;
  const look = (): void => {
    guarded(parts, resource, verb, done, () => {
      const handler = resourceType(resource.type);
      const about = resourceContext(parts.aws, parts.stack, parts.input, resource.logicalId, resource.type);
      const settled =
        verb === 'UPDATE' ? true : (handler.settled?.(about, resource.state as ResourceState) ?? true);
      if (typeof settled === 'string') throw new AwsError('NotStabilized', settled);
      if (settled) {
        setStatus(parts, resource, `${verb}_COMPLETE`);
        return done(true);
      }
      if (context.scheduler.now() >= deadline)
        throw new AwsError('NotStabilized', `Resource ${resource.logicalId} did not stabilize.`);
      context.scheduler.after(context.timings.stackPoll, look);
    });
  };
  look();
}

function guarded<T>(
  parts: WorkParts,
  resource: StackResource,
  verb: Verb,
  done: Done,
  work: () => T,
): { value: T } | undefined {
  try {
    return { value: work() };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    setStatus(parts, resource, `${verb}_FAILED`, failureReason(resource.type, error));
    done(false);
    return undefined;
  }
}

/** Refusals of a service carry its codes, CloudFormation's own do not. */
function failureReason(type: string, error: AwsError): string {
  if (OWN_REASONS.has(error.code)) return error.message;
  return `${error.message} (Service: ${type.split('::')[1] ?? type}, Status Code: ${error.status}, Error Code: ${error.code})`;
}

const OWN_REASONS = new Set(['NotStabilized', 'StackPolicy', 'InternalFailure']);

export function setStatus(
  { aws, stack }: Pick<WorkParts, 'aws' | 'stack'>,
  resource: StackResource,
  status: string,
  reason?: string,
): void {
  resource.status = status;
  resource.updatedAt = aws.context.scheduler.now();
  if (reason === undefined) delete resource.statusReason;
  else resource.statusReason = reason;
  const { logicalId, type, state } = resource;
  recordEvent(aws, stack, {
    logicalId,
    physicalId: state?.physicalId ?? '',
    type,
    status,
    ...(reason !== undefined && { reason }),
  });
}

const later = ({ aws }: WorkParts, then: () => void): void => {
  const { scheduler, random, timings } = aws.context;
  scheduler.after(random.jitter(timings.stackResource, 0.25), then);
};

function injectFault(
  { aws, stack }: WorkParts,
  { logicalId, type }: StackResource,
  verb: 'create' | 'update' | 'rollback',
): void {
  const reason = aws.context.faults.takeResourceFault({
    stackName: stack.name,
    logicalId,
    type,
    verb,
    account: aws.account,
  });
  if (reason !== undefined) throw new AwsError('InternalFailure', reason);
}

function checkPolicy(
  { stack, rollingBack }: WorkParts,
  { logicalId, type }: StackResource,
  action: PolicyAction,
): void {
  const reason = rollingBack ? undefined : forbiddenBy(stack.policy, action, logicalId, type);
  if (reason !== undefined) throw new AwsError('StackPolicy', reason);
}
