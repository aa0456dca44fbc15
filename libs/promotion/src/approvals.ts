import type { Instant } from '#kernel';
import type { GateReason, Revision } from '#fleet';
import { reason } from './admission.planner.js';
import type { ApprovalsGate } from './policy.js';

/** One person's word about one content entering one channel. */
export interface Approval {
  readonly channel: string;
  readonly treeDigest: string;
  /** Evidence that was shown when it was given; undefined binds it to the content only. */
  readonly evidenceDigest?: string;
  readonly decision: 'approve' | 'reject';
  readonly by: string;
  readonly roles: readonly string[];
  readonly at: Instant;
}

interface ApprovalContext {
  readonly channel: string;
  readonly revision: Revision;
  readonly evidenceDigest: string;
  readonly approvals: readonly Approval[];
  readonly now: Instant;
}

/** Enough distinct people with a fitting role; one rejection stops. Only a person's newest word counts. */
export function approvalsGate(gate: ApprovalsGate, context: ApprovalContext): GateReason {
  const words = newestWords(context.approvals.filter((one) => isAbout(one, context)));
  const rejection = words.find((one) => one.decision === 'reject');
  if (rejection !== undefined) return reason('approvals', 'fail', `rejected by ${rejection.by}`);
  const counted = words.filter((one) => counts(one, gate, context));
  const have = `${counted.length} of ${gate.required} approvals`;
  const names = counted.map((one) => one.by).join(', ');
  if (counted.length < gate.required) {
    const wanted = `a person with role ${gate.roles.join(' or ')} must approve`;
    return reason('approvals', 'pending', `${have}${names === '' ? '' : ` (${names})`}: ${wanted}`);
  }
  return reason('approvals', 'pass', `${have}: ${names}`);
}

const isAbout = (one: Approval, context: ApprovalContext): boolean =>
  one.channel === context.channel &&
  one.treeDigest === context.revision.treeDigest &&
  one.at <= context.now &&
  // A rejection stands whatever evidence comes after it; an approval was given on what was shown.
  (one.decision === 'reject' ||
    one.evidenceDigest === undefined ||
    one.evidenceDigest === context.evidenceDigest);

function counts(one: Approval, gate: ApprovalsGate, { revision, now }: ApprovalContext): boolean {
  if (!one.roles.some((role) => gate.roles.includes(role))) return false;
  if (!gate.authorMayApprove && isAuthor(one.by, revision.author)) return false;
  return gate.expiresAfter === undefined || now - one.at < gate.expiresAfter;
}

/** Commits name their author as `Ada <ada@example.org>`; people who approve go by a name or by an address. */
function isAuthor(by: string, author: string): boolean {
  const [, name = author, address = ''] = /^(.*?)\s*<([^>]*)>$/.exec(author) ?? [];
  return [author, name, address].some((one) => one !== '' && one.toLowerCase() === by.toLowerCase());
}

function newestWords(approvals: readonly Approval[]): readonly Approval[] {
  const newest = new Map<string, Approval>();
  for (const one of approvals) {
    const before = newest.get(one.by);
    if (before === undefined || one.at >= before.at) newest.set(one.by, one);
  }
  return [...newest.values()].sort((a, b) => a.at - b.at);
}
