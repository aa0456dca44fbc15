import { minutes, type Duration, type Instant } from '#kernel';
import { refKey, refOf, type DriftFinding, type DriftMode, type KubernetesObject } from '#fleet';
import { managerName, ownersOf } from './field-owners.js';
import { FIELD_MANAGER } from './labels.js';
import type { DiffLine } from './types.js';

/** So many corrections of one field within this time are a fight. */
const FIGHT_CORRECTIONS = 3;
const FIGHT_WINDOW: Duration = minutes(10);

/** An object that is not as Git says, outside of an update. */
export interface DriftedObject {
  readonly desired: KubernetesObject;
  readonly live: KubernetesObject | undefined;
  readonly component: string;
  /** Digest of the object as Git has it. */
  readonly basis: string;
  readonly lines: readonly DiffLine[];
}

export interface DriftQuestion {
  readonly mode: Exclude<DriftMode, 'off'>;
  readonly now: Instant;
  /** Between two looks. Where they are rare, ten minutes would never hold three corrections, and a fight would not show. */
  readonly interval?: Duration;
  readonly known: readonly DriftFinding[];
  readonly drifted: readonly DriftedObject[];
  /** What people asked for; no path means the whole object. */
  readonly wishes: readonly {
    readonly kind: 'accept' | 'correct';
    readonly refKey: string;
    readonly path?: string;
  }[];
}

export interface DriftDecision {
  readonly findings: readonly DriftFinding[];
  /** Objects with something to correct, by `refKey`. */
  readonly correct: ReadonlySet<string>;
}

/**
 * What becomes of every difference: shown, corrected, left because a person accepted it, or left because correcting it has
 * become a fight. A change in Git ends both an acceptance and a fight.
 */
export function decideDrift(question: DriftQuestion): DriftDecision {
  const known = new Map(question.known.map((finding) => [findingKey(finding), finding]));
  const findings = question.drifted.flatMap((object) =>
    linesOf(object).map((line) => judge(question, object, line, known.get(keyOf(object, line)))),
  );
  const seen = new Set(findings.map(findingKey));
  const history = question.known.flatMap((finding) => {
    const corrections = recent(question, finding.corrections);
    if (seen.has(findingKey(finding)) || corrections.length === 0) return [];
    return [{ ...finding, state: 'corrected' as const, corrections }];
  });
  const correct = findings.filter((finding) => finding.state === 'corrected').map(({ ref }) => refKey(ref));
  return { findings: [...findings, ...history], correct: new Set(correct) };
}

const findingKey = (finding: Pick<DriftFinding, 'ref' | 'path'>): string =>
  `${refKey(finding.ref)}|${finding.path}`;
const keyOf = (object: DriftedObject, line: DiffLine): string =>
  `${refKey(refOf(object.desired))}|${line.path}`;

/** An object that is missing is one finding, not one for each of its fields. */
const linesOf = (object: DriftedObject): readonly DiffLine[] =>
  object.live === undefined ? [{ path: '', segments: [], change: 'add', after: 'the object' }] : object.lines;

function judge(
  question: DriftQuestion,
  object: DriftedObject,
  line: DiffLine,
  known: DriftFinding | undefined,
): DriftFinding {
  const { now } = question;
  const key = refKey(refOf(object.desired));
  const wish = question.wishes.findLast(
    (one) => one.refKey === key && (one.path === undefined || one.path === line.path),
  )?.kind;
  const same = known?.basis === object.basis ? known : undefined;
  const corrections = wish === 'correct' ? [] : recent(question, same?.corrections ?? []);
  const state = stateOf(question.mode, wish, same, line, corrections);
  const owner =
    object.live && ownersOf(object.live, line.segments).find((one) => one.manager !== FIELD_MANAGER);
  const since = owner?.time === undefined ? Number.NaN : Date.parse(owner.time);
  return {
    ...line,
    ref: refOf(object.desired),
    component: object.component,
    ...(owner && { manager: managerName(owner) }),
    ...(Number.isFinite(since) && { managedSince: since }),
    state,
    basis: object.basis,
    firstSeen: same?.firstSeen ?? now,
    lastSeen: now,
    corrections: state === 'corrected' ? [...corrections, now] : corrections,
  };
}

function stateOf(
  mode: DriftQuestion['mode'],
  wish: 'accept' | 'correct' | undefined,
  known: DriftFinding | undefined,
  line: DiffLine,
  corrections: readonly Instant[],
): DriftFinding['state'] {
  if (wish === 'correct') return 'corrected';
  // Nothing but a change in Git keeps an update from creating what is missing: to accept it would be a promise unkept.
  const acceptable = line.path !== '';
  // What was accepted is this value; another one is news.
  const acceptedBefore = known?.state === 'accepted' && known.before === line.before;
  if (acceptable && (wish === 'accept' || acceptedBefore)) return 'accepted';
  if (known?.state === 'fight') return 'fight';
  if (mode === 'detect') return 'open';
  return corrections.length >= FIGHT_CORRECTIONS ? 'fight' : 'corrected';
}

const recent = (question: DriftQuestion, corrections: readonly Instant[]): readonly Instant[] => {
  const window = Math.max(FIGHT_WINDOW, (FIGHT_CORRECTIONS + 1) * (question.interval ?? 0));
  return corrections.filter((at) => question.now - at < window);
};
