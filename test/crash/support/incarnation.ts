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

/** Whether the process dies at a call, and on which side of its effect. */
export type Fate = 'dies-before' | 'dies-after' | 'lives';

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
  readonly died: Promise<PortCall>;
  private dead = false;
  private announce: (call: PortCall) => void = () => undefined;

  constructor(private readonly fateOf: (call: PortCall) => Fate) {
    this.died = new Promise((resolve) => (this.announce = resolve));
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
    const fate = this.fateOf(call);
    if (fate === 'dies-before') return this.die(call);
    const [result] = await Promise.allSettled([effect()]);
    if (this.dead) return NEVER;
    if (fate === 'dies-after') return this.die(call);
    if (result.status === 'rejected') throw result.reason;
    return result.value;
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
