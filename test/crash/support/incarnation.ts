import type { EnginePorts } from '#engine';
import type { Intent } from '#ports';

/** One call that leaves the engine: to the outside, or to the database. */
export interface PortCall {
  /** `aws.terminateInstance` */
  readonly name: string;
  /** Equal for the same call made again by a later incarnation, however its ids and times differ. */
  readonly key: string;
  readonly write: boolean;
}

/**
 * Whether the process dies at a call, and on which side of its effect; or falls asleep right before it, until another
 * one has taken over its lease.
 */
export type Fate = 'dies-before' | 'dies-after' | 'overtaken' | 'lives';

const WRITES: ReadonlySet<string> = new Set([
  ...['startUpdate', 'recordIntents', 'settleIntents', 'commitPass', 'recordInventory'],
  ...['acquire', 'release', 'ring'],
  ...['prepareStackChange', 'executeStackChange', 'discardStackChange', 'continueRollback'],
  ...['setTerminationProtection', 'deleteStack', 'setDesiredCapacity', 'setGroupBounds'],
  ...['suspendProcesses', 'resumeProcesses', 'tagGroup', 'untagGroup', 'protectFromScaleIn'],
  ...[
    'launchInZone',
    'attachInstance',
    'terminateInstance',
    'deregisterTargets',
    'registerTargets',
    'putObject',
  ],
  ...['patchNode', 'evict', 'apply', 'create', 'delete'],
]);

/**
 * One life of a process that reconciles: its ports do as the real ones until the fate of a call ends it. From then on
 * nothing of it happens any more, not even a `finally`: every later call stays unanswered for ever.
 */
export class Incarnation {
  /** The call at which it died or fell asleep. */
  readonly ended: Promise<PortCall>;
  /** What it wrote, to the outside or to the database, after another one had its lease. */
  readonly lateDeeds: string[] = [];
  /** What it tried then and was refused. */
  readonly refused: string[] = [];
  private dead = false;
  private holds = false;
  private overtaken = false;
  private announce: (call: PortCall) => void = () => undefined;
  private wakeUp: () => void = () => undefined;
  private readonly woken = new Promise<void>((resolve) => (this.wakeUp = resolve));

  constructor(
    private readonly fateOf: (call: PortCall, holds: boolean) => Fate,
    private readonly onLease: () => void,
  ) {
    this.ended = new Promise((resolve) => (this.announce = resolve));
  }

  wake(): void {
    this.wakeUp();
  }

  ports(real: EnginePorts): EnginePorts {
    const { aws, kubernetes } = real;
    return {
      ...real,
      registry: this.wrap('registry', real.registry),
      updates: this.wrap('updates', real.updates),
      channels: this.wrap('channels', real.channels),
      leases: this.wrap('leases', real.leases),
      doorbell: this.wrap('doorbell', real.doorbell),
      git: this.wrap('git', real.git),
      aws: {
        connect: async (account, region) => this.wrap('aws', await aws.connect(account, region)),
      },
      kubernetes: {
        connect: async (cluster) => this.wrap('kubernetes', await kubernetes.connect(cluster)),
      },
    };
  }

  private wrap<T extends object>(port: string, target: T): T {
    return new Proxy(target, {
      get: (_target, property) => {
        const member = Reflect.get(target, property) as unknown;
        if (typeof member !== 'function' || typeof property !== 'string') return member;
        return (...args: unknown[]) =>
          this.call(callOf(port, property, args), () => member.apply(target, args) as Promise<unknown>);
      },
    });
  }

  private async call(call: PortCall, effect: () => Promise<unknown>): Promise<unknown> {
    if (this.dead) return NEVER;
    const fate = this.fateOf(call, this.holds);
    if (fate === 'dies-before') return this.die(call);
    if (fate === 'overtaken') this.sleep(call);
    const late = this.overtaken;
    // A process that sleeps does nothing at all.
    if (late) await this.woken;
    const [result] = await Promise.allSettled([effect()]);
    if (this.dead) return NEVER;
    if (fate === 'dies-after') return this.die(call);
    if (this.overtaken) await this.woken;
    this.note(call, result, late);
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  }

  private note(call: PortCall, result: PromiseSettledResult<unknown>, late: boolean): void {
    if (late && call.write && !call.name.startsWith('leases.') && call.name !== 'doorbell.ring') {
      (result.status === 'fulfilled' ? this.lateDeeds : this.refused).push(call.key);
    }
    if (call.name === 'leases.release') this.holds = false;
    if (call.name !== 'leases.acquire' || result.status === 'rejected' || !result.value) return;
    this.holds = true;
    this.onLease();
  }

  private sleep(call: PortCall): void {
    this.overtaken = true;
    this.announce(call);
  }

  private die(call: PortCall): Promise<never> {
    this.dead = true;
    this.announce(call);
    return NEVER;
  }
}

const NEVER = new Promise<never>(() => undefined);

const intentVerbs = new Map<string, string>();

function callOf(port: string, method: string, args: readonly unknown[]): PortCall {
  const name = `${port}.${method}`;
  const write = WRITES.has(method);
  return { name, write, key: write ? `${name} ${wordsOf(method, args)}` : name };
}

/** What a write is about, without the ids and times that differ between two tries. */
function wordsOf(method: string, args: readonly unknown[]): string {
  switch (method) {
    case 'recordIntents': {
      const intents = args[1] as readonly Intent[];
      for (const { id, verb, target } of intents) intentVerbs.set(id, `${verb} ${target}`);
      return intents.map(({ verb, target }) => `${verb} ${target}`).join(', ');
    }
    case 'settleIntents':
      return `${(args[1] as readonly string[]).map((id) => intentVerbs.get(id)).join(', ')} ${String(args[2])}`;
    case 'commitPass': {
      const { status } = args[1] as { status: { phase: string; steps: { kind: string; state: string }[] } };
      return `${status.phase} ${status.steps.map(({ kind, state }) => `${kind}=${state}`).join(' ')}`;
    }
    case 'startUpdate':
    case 'recordInventory':
      return '';
    case 'executeStackChange':
    case 'prepareStackChange':
      return (args[0] as { name: string }).name;
    case 'tagGroup':
    case 'patchNode':
      return JSON.stringify(args).replace(/\d{4}-\d\d-\d\dT[\d:.]+Z|\d{9,}|[0-9a-f-]{36}/g, '#');
    default:
      return JSON.stringify(args);
  }
}
