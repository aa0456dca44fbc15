import { decide } from '../decide.js';
import type { RollDecision } from '../decision.js';
import type { EvictAction, EvictionReply, LaunchReply, RollAction } from '../action.js';
import { observeEviction } from '../eviction.js';
import { newRollMemory, type RollMemory } from '../memory.js';
import { observeLaunch } from '../zone-surge.js';
import type { RollPolicy } from '../policy.js';
import type { RollScope } from '../scope.js';
import { ActionRules, checkInvariants, NoteRules, type Limits } from './invariants.js';
import { perform } from './perform.js';
import type { RollWorld } from './world.js';

export interface Story {
  readonly policy: RollPolicy;
  readonly limits?: Limits;
  readonly maxMs?: number;
  /** Called before every pass; may change the world. */
  readonly before?: (world: RollWorld, pass: number) => void;
  readonly scope?: (world: RollWorld) => Partial<RollScope>;
  /** Dies in this pass after this many actions: what they answered is lost, the memory of the pass is not. */
  readonly crash?: { readonly pass: number; readonly after: number };
  /** Runs the actions of a decision in an order of the world's own: they promise not to depend on one another. */
  readonly shuffle?: boolean;
  /** What an operator does to the memory before this pass: abort, resume. */
  readonly operator?: (memory: RollMemory, pass: number) => RollMemory;
  /** The API's answer to this eviction, where the story has one of its own. */
  readonly answer?: (action: EvictAction, world: RollWorld) => EvictionReply | undefined;
  /** While true nothing can be seen or done. */
  readonly away?: (world: RollWorld, pass: number) => boolean;
  /** Keeps the memory as it is instead of taking it through JSON: for runs of which only the duration counts. */
  readonly keepMemory?: boolean;
  /** Stops here even though the roll has not ended. */
  readonly until?: (decision: RollDecision) => boolean;
}

export interface Ending {
  /** With what the last actions answered. */
  readonly memory: RollMemory;
  readonly decision: RollDecision;
  readonly log: readonly string[];
  readonly passes: number;
  /** Actions of each pass. */
  readonly calls: readonly number[];
  readonly elapsedMs: number;
  readonly evictions: number;
  /** Pods that were moved though they had come by a move: I12 asks for none. */
  readonly moved: readonly string[];
}

/** Drives `decide` to its end; memory goes through JSON each time, as it does in the database, but for `keepMemory`. */
export function drive(world: RollWorld, story: Story): Ending {
  const run = new StoryRun(world, story);
  for (let pass = 0; pass < 20_000; pass += 1) {
    if (story.away?.(world, pass) === true) {
      world.advance(5_000, true);
      continue;
    }
    const decision = run.pass(pass);
    if (run.isOver(decision)) return run.ending(decision, pass + 1);
    world.advance(decision.nextLookIn, true);
    checkInvariants(world, story.limits ?? {});
  }
  throw new Error('the roll does not end');
}

class StoryRun {
  private memory: RollMemory = newRollMemory('u1');
  private readonly log = new StoryLog();
  private readonly started: number;
  private readonly originals: ReadonlySet<string>;
  private readonly moved: string[] = [];
  private readonly actionRules: ActionRules;
  private readonly noteRules = new NoteRules();
  private readonly calls: number[] = [];
  private evictions = 0;

  constructor(
    private readonly world: RollWorld,
    private readonly story: Story,
  ) {
    this.started = world.now;
    this.actionRules = new ActionRules(world, story.limits ?? {});
    this.originals = new Set(world.pods.map((pod) => pod.uid));
  }

  pass(pass: number): RollDecision {
    const { world, story } = this;
    story.before?.(world, pass);
    this.memory = story.operator?.(this.memory, pass) ?? this.memory;
    const decision = decide(world.scope(this.memory, story.scope?.(world)), story.policy, world.now);
    this.noteRules.check(decision);
    const { memory } = decision;
    this.memory = story.keepMemory ? memory : (JSON.parse(JSON.stringify(memory)) as RollMemory);
    const actions = story.shuffle ? shuffled(world, decision.actions) : decision.actions;
    this.calls.push(actions.length);
    const crash = story.crash?.pass === pass ? story.crash : undefined;
    for (const action of actions.slice(0, crash?.after ?? actions.length))
      this.act(action, crash !== undefined);
    this.log.notes(world.now - this.started, decision);
    return decision;
  }

  private act(action: RollAction, forgets: boolean): void {
    const { world } = this;
    if (forgets) this.actionRules.forget();
    else this.actionRules.check(action, this.memory);
    const told = action.kind === 'evict' ? this.story.answer?.(action, world) : undefined;
    const answer = told ?? perform(world, action);
    this.log.action(world.now - this.started, action, answer?.kind);
    if (action.kind === 'evict' && answer !== undefined) {
      this.actionRules.answered(answer.kind);
      this.evictions += 1;
      if (answer.kind === 'accepted') this.moved.push(action.uid);
      if (!forgets) this.memory = observeEviction(this.memory, action, answer as EvictionReply, world.now);
    }
    if (action.kind === 'launch-in-zone' && answer !== undefined && !forgets) {
      this.memory = observeLaunch(this.memory, action, answer as LaunchReply, world.now);
    }
    checkInvariants(world, this.story.limits ?? {});
  }

  isOver(decision: RollDecision): boolean {
    const late = this.world.now - this.started > (this.story.maxMs ?? 24 * 3_600_000);
    return (
      late ||
      decision.state === 'done' ||
      decision.state === 'aborted' ||
      decision.state === 'halted' ||
      this.story.until?.(decision) === true
    );
  }

  ending(decision: RollDecision, passes: number): Ending {
    const elapsedMs = this.world.now - this.started;
    this.log.line(elapsedMs, `${decision.state}: ${decision.message}`);
    const again = this.moved.filter((uid) => !this.originals.has(uid));
    const { memory, evictions, calls } = this;
    return { decision, memory, log: this.log.lines, passes, calls, elapsedMs, evictions, moved: again };
  }
}

function shuffled(world: RollWorld, actions: readonly RollAction[]): readonly RollAction[] {
  return actions
    .map((action) => ({ action, at: world.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ action }) => action);
}

class StoryLog {
  readonly lines: string[] = [];
  private probes = 0;
  private probed = '';
  private readonly told = new Set<string>();

  line(at: number, text: string): void {
    if (this.probes > 0) this.lines.push(`         … asked ${this.probes} times more`);
    this.probes = 0;
    this.lines.push(`${stamp(at)} ${text}`);
  }

  /** The same question with the same answer is told once, with a count. */
  private repeated(text: string): boolean {
    const again = text.includes('→ blocked-by-pdb') && text === this.probed;
    this.probed = text;
    if (again) this.probes += 1;
    return again;
  }

  action(at: number, action: RollAction, answer: string | undefined): void {
    const detail =
      action.kind === 'set-desired-capacity'
        ? ` ${action.from}→${action.to}`
        : answer === undefined
          ? ''
          : ` → ${answer}`;
    const text = `${action.pool} ${action.kind} ${action.key}${detail} (${action.reason})`;
    if (!this.repeated(text)) this.line(at, text);
  }

  /** A note once, as a person would be told. */
  notes(at: number, decision: RollDecision): void {
    for (const note of decision.notes.filter((each) => each.severity !== 'info')) {
      const key = `${note.code} ${note.instance ?? ''} ${note.severity}`;
      if (this.told.has(key)) continue;
      this.told.add(key);
      this.line(at, `${note.pool} ! ${note.code}: ${note.message}${note.unblock ? ` ${note.unblock}` : ''}`);
    }
  }
}

function stamp(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
