import type { StackTemplate } from '#fleet';
import { createAwsAccess } from '#adapters/aws';
import { createEtcdAccess } from '#adapters/etcd';
import type { LeasePort, UpdateStorePort } from '#ports';
import { Life } from './etcd-life.js';
import { ACCOUNT, REGION, runEtcdPass } from './etcd-pass.js';

/** What the parent says first. */
export interface Orders {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly template: StackTemplate;
  readonly items: Readonly<Record<string, string>>;
}

let asked = 0;
const answers = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();

/** What outlives a process is with the parent. */
const ask = (what: string, args: readonly unknown[]): Promise<unknown> =>
  new Promise((resolve, reject) => {
    answers.set((asked += 1), { resolve, reject });
    process.send?.({ id: asked, what, args });
  });

const remote = <T extends object>(port: string): T =>
  new Proxy({} as T, {
    get:
      (_target, method) =>
      (...args: unknown[]) =>
        ask(`${port}.${String(method)}`, args),
  });

/** Says before and after every call where it stands, and goes on when it may: that is when it is killed. */
class Announced extends Life {
  constructor() {
    super(() => 'lives');
  }

  override async call<T>(name: string, effect: () => Promise<T>): Promise<T> {
    await ask('before', [name]);
    const [result] = await Promise.allSettled([effect()]);
    await ask('after', [name]);
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  }
}

async function work({ endpoint, credentials, template, items }: Orders): Promise<void> {
  const limits = { requestsPerSecond: 2_000, burst: 2_000, firstPoll: 5 };
  const access = createAwsAccess({ endpoint, credentialsFor: () => credentials, ...limits });
  const world = {
    life: new Announced(),
    leases: remote<LeasePort>('leases'),
    store: remote<UpdateStorePort>('store'),
    aws: await access.connect(ACCOUNT, REGION),
    etcd: createEtcdAccess({ credentialsDirectory: '/nonexistent' }),
    template,
    items,
    remembered: async () => (await ask('remembered', [])) as Record<string, unknown>,
    remember: async (memory: Record<string, unknown>) => void (await ask('remember', [memory])),
  };
  for (;;) {
    const outcome = await runEtcdPass({ ...world, report: { events: [], problems: [] } });
    await ask('ended', [outcome]);
    const rest = 'recheckIn' in outcome ? Math.min(outcome.recheckIn, 100) : 0;
    await new Promise((wake) => setTimeout(wake, rest));
  }
}

process.on('message', (message: { orders?: Orders; id?: number; value?: unknown; error?: string }) => {
  if (message.orders) return void work(message.orders);
  const waiting = answers.get(message.id ?? 0);
  answers.delete(message.id ?? 0);
  if (message.error === undefined) waiting?.resolve(message.value);
  else waiting?.reject(new Error(message.error));
});
// Nobody is left whom it could serve.
process.on('disconnect', () => process.exit(0));
