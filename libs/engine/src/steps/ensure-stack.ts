import type { FailureDetail, Instant, Outcome } from '#kernel';
import { digestOfValue, done, failed, formatDuration, minutes, waiting } from '#kernel';
import type { StackTemplate, StepKind } from '#fleet';
import type { Intent, StackView } from '#ports';
import type { Pass } from '../pass/pass.js';
import { tell } from '../pass/pass.js';
import { heldOutcome } from './held.js';

interface Executed {
  readonly content: string;
  readonly changeSetId: string;
  /** Of the update that it was executed for: another one may try the same content again. */
  readonly updateId?: string;
}

/**
 * Brings one CloudFormation stack to its template, one observation or one change per call. Every stack status is
 * handled. Source: AWS CloudFormation User Guide, "Stack status codes".
 */
export async function ensureStack(pass: Pass, step: StepKind, stack: StackTemplate): Promise<Outcome> {
  const content = digestOfValue({ body: stack.body, parameters: stack.parameters, tags: stack.tags });
  const executed = executedOf(pass, stack.name);
  // The memory of an execution is stored before it: while its intent is open, it may never have happened.
  const interrupted = await pass.intents.leftOpen(step, { target: stack.name, verb: EXECUTE });
  const view = await pass.aws.describeStack(stack.name);
  const same = executed?.content === content && interrupted.length === 0;
  if (view && !ROLLING_BACK.has(view.status)) pass.memory.delete(rollbackKey(stack.name));
  const verdict = view && judgeStatus(view, same, executed?.updateId === pass.update.id);
  switch (verdict) {
    case 'in-progress':
      return waiting(`stack ${stack.name} (${view?.status})`, pass.settings.pollInterval);
    case 'settled':
      return done(`stack ${stack.name} is up to date`);
    case 'refused-this-content':
    case 'dead':
      return stackFailed(pass, stack, view as StackView, verdict);
    case 'stuck':
      return unstick(pass, step, stack, view as StackView);
    default:
      return change(pass, step, stack, content, interrupted);
  }
}

const EXECUTE = 'execute-change-set';

type Verdict = 'in-progress' | 'settled' | 'refused-this-content' | 'stuck' | 'dead' | 'changeable';

function judgeStatus(view: StackView, sameContent: boolean, sameUpdate: boolean): Verdict {
  const { status } = view;
  if (status === 'UPDATE_ROLLBACK_FAILED') return 'stuck';
  if (status === 'REVIEW_IN_PROGRESS') return 'changeable';
  if (status.endsWith('_IN_PROGRESS')) return 'in-progress';
  if (status === 'CREATE_FAILED' || status === 'ROLLBACK_FAILED' || status === 'DELETE_FAILED') return 'dead';
  if (status === 'ROLLBACK_COMPLETE' || status === 'UPDATE_ROLLBACK_COMPLETE') {
    return sameContent && sameUpdate ? 'refused-this-content' : 'changeable';
  }
  if (status === 'CREATE_COMPLETE' || status === 'UPDATE_COMPLETE' || status === 'IMPORT_COMPLETE') {
    return sameContent ? 'settled' : 'changeable';
  }
  return 'changeable';
}

async function change(
  pass: Pass,
  step: StepKind,
  stack: StackTemplate,
  content: string,
  interrupted: readonly Intent[],
): Promise<Outcome> {
  const prepared = await pass.aws.prepareStackChange(stack);
  const left = interrupted.map((intent) => intent.id);
  if (prepared.kind === 'none') {
    await pass.intents.settle(left, 'observed');
    remember(pass, stack.name, { content, changeSetId: '', updateId: pass.update.id });
    return done(`stack ${stack.name} is up to date`);
  }
  const held = heldOutcome(pass);
  if (held) return held;
  remember(pass, stack.name, { content, changeSetId: prepared.changeSetId, updateId: pass.update.id });
  await pass.intents.perform(
    {
      step,
      target: stack.name,
      verb: EXECUTE,
      data: { changeSetId: prepared.changeSetId, kind: prepared.kind, content },
    },
    () => pass.aws.executeStackChange(stack, prepared),
  );
  // Not before: between the two the memory alone would speak for an execution that never was.
  await pass.intents.settle(left, 'repeated');
  tell(pass, {
    type: `stack.${prepared.kind}`,
    message: `${prepared.kind} stack ${stack.name}`,
    data: { stack: stack.name, changes: prepared.changes.slice(0, 50) },
  });
  return waiting(`stack ${stack.name} to be ${prepared.kind}d`, pass.settings.pollInterval);
}

const ROLLING_BACK: ReadonlySet<string> = new Set(['UPDATE_ROLLBACK_FAILED', 'UPDATE_ROLLBACK_IN_PROGRESS']);

/** A rollback that failed this often in a row is told; what it failed at may be repaired at any time, so it goes on. */
const TELL_ROLLBACK_AFTER = 3;
const ROLLBACK_AGAIN_AFTER = minutes(10);

async function unstick(pass: Pass, step: StepKind, stack: StackTemplate, view: StackView): Promise<Outcome> {
  const now = pass.ports.clock.now();
  const tried = rollbacksOf(pass, stack.name);
  const told = tried.times >= TELL_ROLLBACK_AFTER;
  if (told && now - tried.at < ROLLBACK_AGAIN_AFTER) return rollbackFailed(pass, stack, view);
  pass.memory.set(rollbackKey(stack.name), { times: tried.times + 1, at: now });
  await pass.intents.perform({ step, target: stack.name, verb: 'continue-update-rollback' }, () =>
    pass.aws.continueRollback(stack.name),
  );
  return waiting(`the failed rollback of stack ${stack.name} to go on`, pass.settings.pollInterval);
}

const rollbackKey = (stackName: string): string => `stack-rollback/${stackName}`;

function rollbacksOf(pass: Pass, stackName: string): { readonly times: number; readonly at: Instant } {
  const value = pass.memory.get(rollbackKey(stackName));
  const { times, at } = (value ?? {}) as { readonly times?: unknown; readonly at?: unknown };
  return typeof times === 'number' && typeof at === 'number' ? { times, at } : { times: 0, at: 0 };
}

async function rollbackFailed(pass: Pass, stack: StackTemplate, view: StackView): Promise<Outcome> {
  const { why, details } = await whyItFailed(pass, stack.name, view);
  return failed({
    class: 'blocked',
    code: 'stack-rollback-failed',
    message: `stack ${stack.name} is ${view.status}, and continuing its rollback fails. ${why}`,
    hint: `Repair what it names (or continue the rollback by hand and skip that resource); it is continued every ${formatDuration(ROLLBACK_AGAIN_AFTER)}. No change of the stack is possible before.`,
    details,
  });
}

async function stackFailed(
  pass: Pass,
  stack: StackTemplate,
  view: StackView,
  verdict: 'refused-this-content' | 'dead',
): Promise<Outcome> {
  const { why, details } = await whyItFailed(pass, stack.name, view);
  return failed({
    class: 'terminal',
    code: 'stack-failed',
    message: `stack ${stack.name} is ${view.status}. ${why}`,
    hint: verdict === 'dead' ? deadHint(stack.name) : refusedHint(stack.file, why),
    place: { file: stack.file },
    details,
  });
}

/** CloudFormation takes no update of such a stack. */
const deadHint = (name: string): string =>
  `CloudFormation changes no stack in this state: delete stack ${name} by hand (its termination protection first; retain what must stay), and Fairway makes it anew.`;

function refusedHint(file: string, why: string): string {
  const gone = /does not exist|NotFound|not found/i.test(why)
    ? ' If something that the stack had made was deleted by hand, CloudFormation does not make it again: put it back, or delete the stack (its termination protection first), and Fairway makes all of it anew.'
    : '';
  return `Mend ${file} (or the account) and merge; a new revision is tried at once.${gone}`;
}

async function whyItFailed(
  pass: Pass,
  name: string,
  view: StackView,
): Promise<{ readonly why: string; readonly details: readonly FailureDetail[] }> {
  const failures = await pass.aws.stackFailures(name);
  const first = failures[0];
  return {
    why: first ? `${first.resource}: ${first.reason}` : (view.statusReason ?? 'no reason was given'),
    details: failures.map(({ resource, status, reason }) => ({
      message: `${resource} ${status}: ${reason}`,
    })),
  };
}

const memoryKey = (stackName: string): string => `stack/${stackName}`;

function executedOf(pass: Pass, stackName: string): Executed | undefined {
  const value = pass.memory.get(memoryKey(stackName));
  if (typeof value !== 'object' || value === null || !('content' in value)) return undefined;
  return value as Executed;
}

function remember(pass: Pass, stackName: string, executed: Executed): void {
  pass.memory.set(memoryKey(stackName), executed);
}

/** Changes whenever one of these stacks is given another content; stored before the change is made. */
export const contentOf = (pass: Pass, stacks: readonly StackTemplate[]): string =>
  digestOfValue(stacks.map(({ name }) => [name, executedOf(pass, name)?.content ?? '']));

/** Several stacks one after the other; stops at the first that is not done. */
export async function ensureStacks(
  pass: Pass,
  step: StepKind,
  stacks: readonly StackTemplate[],
): Promise<Outcome> {
  for (const stack of stacks) {
    const outcome = await ensureStack(pass, step, stack);
    if (outcome.kind !== 'done') return outcome;
  }
  return done(`${stacks.length} stacks are up to date`);
}

/** Several stacks at once (no order between them); the worst outcome wins. */
export async function ensureStacksTogether(
  pass: Pass,
  step: StepKind,
  stacks: readonly StackTemplate[],
): Promise<Outcome> {
  let worst: Outcome = done(`${stacks.length} stacks are up to date`);
  for (const stack of stacks) {
    const outcome = await ensureStack(pass, step, stack);
    if (outcome.kind === 'failed') return outcome;
    if (outcome.kind !== 'done' && worst.kind === 'done') worst = outcome;
  }
  return worst;
}
