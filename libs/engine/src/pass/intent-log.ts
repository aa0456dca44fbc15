import type { Clock, Ids } from '#kernel';
import { toFailure } from '#kernel';
import type { StepKind } from '#fleet';
import { behindFence, type Intent, type Lease, type NewIntent, type UpdateStorePort } from '#ports';
import type { PassMemory } from './pass-memory.js';

export interface IntentRequest {
  readonly step: StepKind;
  readonly target: string;
  readonly verb: string;
  /** What the writer saw and wants: enough to recognise the deed, or to do it again, after a crash. Never a secret. */
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface Performed<T> {
  readonly request: IntentRequest;
  readonly result?: T;
  readonly error?: unknown;
}

/**
 * The only way to write to the outside: the intent is in the database, under a valid fencing token, before the call
 * leaves. A stale holder cannot record, so it cannot act.
 */
export class IntentLog {
  private earlier: Promise<readonly Intent[]> | undefined;

  constructor(
    private readonly store: UpdateStorePort,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly lease: () => Promise<Lease>,
    private readonly memory: PassMemory,
    private readonly identity: { readonly updateId: string; readonly clusterId: string },
  ) {}

  /** One deed. Rejects with what the deed rejected with. */
  async perform<T>(request: IntentRequest, deed: () => Promise<T>): Promise<T> {
    const [performed] = await this.performAll([request], deed);
    if (performed?.error !== undefined) throw performed.error;
    return performed?.result as T;
  }

  /**
   * Several deeds in order, their intents and the pass's memory that explains them recorded in one transaction first. A
   * deed that fails does not stop the others; a failure that may have happened after the deed was done leaves the intent
   * open, so that the next pass looks before it does it again.
   */
  async performAll<T>(
    requests: readonly IntentRequest[],
    deed: (request: IntentRequest, index: number) => Promise<T>,
  ): Promise<readonly Performed<T>[]> {
    const intents = requests.map((request) => this.intentOf(request));
    if (intents.length === 0) return [];
    await this.store.recordIntents(await this.lease(), intents, this.memory.toJson());
    const performed: Performed<T>[] = [];
    const settled: string[] = [];
    const refused: string[] = [];
    for (const [index, request] of requests.entries()) {
      const id = (intents[index] as NewIntent).id;
      // A process that was asleep since the intents were recorded must not wake up acting.
      await this.lease();
      try {
        performed.push({ request, result: await behindFence(this.lease, () => deed(request, index)) });
        settled.push(id);
      } catch (error) {
        performed.push({ request, error });
        if (certainlyNotDone(error)) refused.push(id);
      }
    }
    await this.settle(settled, 'done');
    await this.settle(refused, 'refused');
    return performed;
  }

  /** Does what an earlier pass meant to, without a new intent: the open one stands for it. */
  async redo(deed: () => Promise<unknown>): Promise<void> {
    await this.lease();
    await behindFence(this.lease, deed);
  }

  /**
   * Intents of a step that earlier passes left open: their writer died, or never learnt how the deed ended. Whoever finds
   * one looks at the outside before it trusts anything that was remembered together with it.
   */
  async leftOpen(step: StepKind, deed?: Pick<IntentRequest, 'target' | 'verb'>): Promise<readonly Intent[]> {
    this.earlier ??= this.store.unsettledIntents(this.identity.clusterId);
    return (await this.earlier).filter(
      (intent) =>
        intent.step === step &&
        (deed === undefined || (intent.target === deed.target && intent.verb === deed.verb)),
    );
  }

  /** A step that is done has seen the outside as it should be: whatever was left open there is settled by that. */
  async settleLeftOpen(step: StepKind): Promise<void> {
    const open = await this.leftOpen(step);
    await this.settle(
      open.map((intent) => intent.id),
      'observed',
    );
  }

  async settle(ids: readonly string[], result: string): Promise<void> {
    if (ids.length > 0) await this.store.settleIntents(await this.lease(), ids, result, this.clock.now());
  }

  private intentOf(request: IntentRequest): NewIntent {
    return {
      id: this.ids.next(),
      ...this.identity,
      step: request.step,
      target: request.target,
      verb: request.verb,
      data: request.data ?? {},
      recordedAt: this.clock.now(),
    };
  }
}

/** The other side answered no. After anything else (time-outs, resets, unknown throws) the deed may have been done. */
function certainlyNotDone(error: unknown): boolean {
  const { class: kind } = toFailure(error);
  return (
    kind === 'invalid' ||
    kind === 'denied' ||
    kind === 'conflict' ||
    kind === 'throttled' ||
    kind === 'blocked'
  );
}
