import { installCounters, resetCounters, usageNow } from './counters.js';

/** One role of the service in a process of its own, with counters that its parent reads over IPC. */
installCounters();
const { createLog, settingsOrExit } = await import('#platform');
const settings = settingsOrExit();
const log = createLog(settings.FAIRWAY_LOG_LEVEL, { role: 'bench' });

interface Role {
  readonly url?: string;
  passes(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

async function startRole(): Promise<Role> {
  if (process.argv[2] === 'api') {
    const { startApi } = await import('#apps/api');
    const api = await startApi(settings, log);
    return { url: api.url, passes: () => Promise.resolve({}), close: () => api.close() };
  }
  const { startWorker } = await import('#apps/worker');
  const worker = await startWorker(settings, log);
  return {
    passes: async () => {
      const { values } = await worker.runtime.metrics.passes.get();
      return Object.fromEntries(
        values.map(({ labels, value }) => [`${labels.kind} ${labels.result}`, value]),
      );
    },
    close: () => worker.close(),
  };
}

const role = await startRole();
process.on('message', (message: { id: number; ask: 'usage' | 'reset' | 'gc' | 'close' }) => {
  void answer(message.ask).then((reply) => process.send?.({ id: message.id, reply }));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ id: 0, reply: { url: role.url } });

async function answer(ask: string): Promise<unknown> {
  if (ask === 'reset') resetCounters();
  if (ask === 'gc') globalThis.gc?.();
  if (ask === 'close') {
    await role.close();
    setImmediate(() => process.exit(0));
  }
  return usageNow(await role.passes());
}
