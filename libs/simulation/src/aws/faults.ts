import type { Duration } from '#kernel';
import type { SeededRandom } from '../time/seeded-random.js';
import { accessDenied, AwsError, throttled } from './aws-error.js';

/** Which calls a fault concerns; what is left out matches everything. */
export interface CallMatch {
  readonly service?: string;
  readonly action?: string;
  readonly account?: string;
  readonly region?: string;
}

export interface CallIdentity {
  readonly service: string;
  readonly action: string;
  readonly account: string;
  readonly region: string;
  readonly principal: string;
}

export type Undo = () => void;

interface Rule {
  readonly match: CallMatch;
  readonly probability: number;
  remaining: number;
  readonly effect:
    | { readonly kind: 'error'; readonly error: (call: CallIdentity) => AwsError }
    | { readonly kind: 'latency'; readonly duration: Duration }
    | { readonly kind: 'drop-reply' };
}

/** A resource of a stack that CloudFormation is to fail at. */
export interface ResourceFault {
  readonly stackName?: string;
  readonly logicalId?: string;
  readonly type?: string;
  readonly verb: 'create' | 'update' | 'delete' | 'rollback';
  readonly reason: string;
  readonly account?: string;
}

export interface CapacityFault {
  readonly account?: string;
  readonly region?: string;
  readonly zone?: string;
  readonly instanceType?: string;
}

/** Everything that can be made to go wrong. Every method returns its own undoing. */
export class Faults {
  private readonly rules: Rule[] = [];
  private readonly resourceFaults: { readonly fault: ResourceFault; remaining: number }[] = [];
  private readonly capacityFaults: CapacityFault[] = [];
  private badBoots: { readonly match: CapacityFault; remaining: number }[] = [];

  constructor(private readonly random: SeededRandom) {}

  /** The next `times` matching calls fail before they take effect. */
  failNext(match: CallMatch, error: AwsError, times = 1): Undo {
    return this.add({
      match,
      probability: 1,
      remaining: times,
      effect: { kind: 'error', error: () => error },
    });
  }

  /** Matching calls fail with the given probability (0 to 1) before they take effect. */
  failSometimes(match: CallMatch, probability: number, error: AwsError): Undo {
    return this.add({
      match,
      probability,
      remaining: Infinity,
      effect: { kind: 'error', error: () => error },
    });
  }

  /** Matching calls answer with the service's throttling error. */
  throttle(match: CallMatch, probability = 1): Undo {
    const error = (call: CallIdentity): AwsError => throttled(call.service);
    return this.add({ match, probability, remaining: Infinity, effect: { kind: 'error', error } });
  }

  /** An account's IAM refuses matching calls. */
  deny(account: string, match: Omit<CallMatch, 'account'> = {}): Undo {
    const error = (call: CallIdentity): AwsError => accessDenied(call.service, call.principal, call.action);
    const effect = { kind: 'error', error } as const;
    return this.add({ match: { ...match, account }, probability: 1, remaining: Infinity, effect });
  }

  /** Matching calls take longer by `duration` of the scheduler's time. */
  latency(match: CallMatch, duration: Duration): Undo {
    return this.add({ match, probability: 1, remaining: Infinity, effect: { kind: 'latency', duration } });
  }

  /** The next `times` matching calls take effect, but their answer is cut off. */
  dropReplyNext(match: CallMatch, times = 1): Undo {
    return this.add({ match, probability: 1, remaining: times, effect: { kind: 'drop-reply' } });
  }

  failResource(fault: ResourceFault, times = 1): Undo {
    const entry = { fault, remaining: times };
    this.resourceFaults.push(entry);
    return () => void (entry.remaining = 0);
  }

  /** No capacity for matching launches, until undone. */
  insufficientCapacity(fault: CapacityFault): Undo {
    this.capacityFaults.push(fault);
    return () => removeFrom(this.capacityFaults, fault);
  }

  /** The next `times` matching machines run but never join their cluster. */
  failBoots(match: CapacityFault, times = 1): Undo {
    const entry = { match, remaining: times };
    this.badBoots.push(entry);
    return () => void (entry.remaining = 0);
  }

  /** Used by the world. */
  takeLatency(call: CallIdentity): Duration {
    const hit = this.rules.filter((rule) => rule.effect.kind === 'latency' && this.hits(rule, call));
    return hit.reduce((sum, rule) => sum + (rule.effect.kind === 'latency' ? rule.effect.duration : 0), 0);
  }

  takeError(call: CallIdentity): AwsError | undefined {
    for (const rule of this.rules) {
      if (rule.effect.kind === 'error' && this.hits(rule, call)) return rule.effect.error(call);
    }
    return undefined;
  }

  takeDroppedReply(call: CallIdentity): boolean {
    return this.rules.some((rule) => rule.effect.kind === 'drop-reply' && this.hits(rule, call));
  }

  takeResourceFault(place: Omit<ResourceFault, 'reason'>): string | undefined {
    const keys = ['stackName', 'logicalId', 'type', 'verb', 'account'] as const;
    const hit = this.resourceFaults.find(
      ({ fault, remaining }) =>
        remaining > 0 && keys.every((k) => fault[k] === undefined || fault[k] === place[k]),
    );
    if (!hit) return undefined;
    hit.remaining--;
    return hit.fault.reason;
  }

  lacksCapacity(place: Required<CapacityFault>): boolean {
    return this.capacityFaults.some((fault) => matchesPlace(fault, place));
  }

  takeBadBoot(place: Required<CapacityFault>): boolean {
    const hit = this.badBoots.find(({ match, remaining }) => remaining > 0 && matchesPlace(match, place));
    if (hit) hit.remaining--;
    return hit !== undefined;
  }

  private add(rule: Rule): Undo {
    this.rules.push(rule);
    return () => removeFrom(this.rules, rule);
  }

  private hits(rule: Rule, call: CallIdentity): boolean {
    const keys = ['service', 'action', 'account', 'region'] as const;
    if (rule.remaining <= 0 || !keys.every((k) => rule.match[k] === undefined || rule.match[k] === call[k]))
      return false;
    if (rule.probability < 1 && !this.random.chance(rule.probability)) return false;
    rule.remaining--;
    return true;
  }
}

const matchesPlace = (fault: CapacityFault, place: Required<CapacityFault>): boolean =>
  (['account', 'region', 'zone', 'instanceType'] as const).every(
    (k) => fault[k] === undefined || fault[k] === place[k],
  );

function removeFrom<T>(items: T[], item: T): void {
  const index = items.indexOf(item);
  if (index >= 0) items.splice(index, 1);
}
