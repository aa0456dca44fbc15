import type { AwsPort, EtcdAccess, EtcdPort, UpdateStorePort } from '#ports';

/** Whether the process dies at a call, and on which side of its effect. */
export type Fate = 'dies-before' | 'dies-after' | 'lives';
type FateOf = (call: string, write: boolean) => Fate;

const NEVER = new Promise<never>(() => undefined);
const READS =
  /^(describe|members|status|health|metrics|alarms|unsettled|observe|prepare|object|caller|stack)/;

/**
 * One life of a process that reconciles: its calls do as the real ones until the fate of one ends it. From then on
 * nothing of it happens any more, and every later call stays unanswered for ever.
 */
export class Life {
  readonly died: Promise<string>;
  private dead = false;
  private announce: (call: string) => void = () => undefined;

  constructor(private readonly fateOf: FateOf) {
    this.died = new Promise((resolve) => (this.announce = resolve));
  }

  aws(real: AwsPort): AwsPort {
    return this.wrap('aws', real);
  }

  updates(real: UpdateStorePort): UpdateStorePort {
    return this.wrap('updates', real);
  }

  etcd(real: EtcdAccess): EtcdAccess {
    return { connect: async (address) => this.etcdPort(await real.connect(address)) };
  }

  async call<T>(name: string, effect: () => Promise<T>): Promise<T> {
    if (this.dead) return NEVER;
    const write = !READS.test(name.split('.')[1] ?? '');
    const fate = this.fateOf(name, write);
    if (fate === 'dies-before') return this.die(name);
    const [result] = await Promise.allSettled([effect()]);
    if (this.dead) return NEVER;
    if (fate === 'dies-after') return this.die(name);
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  }

  private etcdPort(real: EtcdPort): EtcdPort {
    const wrapped = this.wrap('etcd', real);
    return new Proxy(wrapped, {
      get: (target, property) => {
        if (property === 'withEndpoints') {
          return (endpoints: readonly string[]) => this.etcdPort(real.withEndpoints(endpoints));
        }
        return Reflect.get(target, property) as unknown;
      },
    });
  }

  private wrap<T extends object>(port: string, real: T): T {
    return new Proxy(real, {
      get: (_target, property) => {
        const member = Reflect.get(real, property) as unknown;
        if (typeof member !== 'function' || typeof property !== 'string') return member;
        return (...args: unknown[]) =>
          this.call(
            `${port}.${property}${wordsOf(property, args)}`,
            () => member.apply(real, args) as Promise<unknown>,
          );
      },
    });
  }

  private die(call: string): Promise<never> {
    this.dead = true;
    this.announce(call);
    return NEVER;
  }
}

/** What a write is about, without what differs between two tries. */
function wordsOf(method: string, args: readonly unknown[]): string {
  if (method === 'recordIntents') {
    const intents = args[1] as readonly { verb: string; target: string }[];
    return ` ${intents.map(({ verb, target }) => `${verb} ${target}`).join(', ')}`;
  }
  if (method === 'settleIntents') return ` ${String(args[2])}`;
  if (READS.test(method) || method === 'executeStackChange') return '';
  return ` ${JSON.stringify(args)}`;
}
