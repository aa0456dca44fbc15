import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Outcome } from '#kernel';
import type { Orders } from './etcd-worker.main.js';

const MAIN = fileURLToPath(new URL('./etcd-worker.main.ts', import.meta.url));

type Answer = (what: string, args: readonly unknown[]) => Promise<unknown>;

interface Question {
  readonly id: number;
  readonly what: string;
  readonly args: readonly unknown[];
}

const start = (): ChildProcess =>
  fork(MAIN, { execArgv: ['--conditions=source', '--import', 'tsx'], serialization: 'advanced' });

/**
 * Workers as processes of the operating system, one after another, until one is done. SIGKILL ends one at the first visit of
 * each deadly point (`before` or `after`, and the call); the next one has been started meanwhile. Returns where they died.
 */
export async function driveProcesses(
  orders: Orders,
  answer: Answer,
  deadly: readonly string[],
  limitMs: number,
): Promise<readonly string[]> {
  const left = new Set(deadly);
  const deaths: string[] = [];
  const deadline = Date.now() + limitMs;
  let next: ChildProcess | undefined;
  try {
    for (;;) {
      const worker = next ?? start();
      next = left.size > 0 ? start() : undefined;
      const end = await lifeOf(worker, orders, answer, left, deadline - Date.now());
      if (end === undefined) return deaths;
      deaths.push(end);
    }
  } finally {
    next?.kill('SIGKILL');
  }
}

/** Where it was killed; undefined: it was done. */
function lifeOf(
  worker: ChildProcess,
  orders: Orders,
  answer: Answer,
  deadly: Set<string>,
  limitMs: number,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let fate: string | undefined;
    let last: unknown;
    let done = false;
    const late = setTimeout(() => {
      reject(new Error(`no end after ${limitMs} ms; the last outcome: ${JSON.stringify(last)}`));
      worker.kill('SIGKILL');
    }, limitMs);
    const end = (): void => void worker.kill('SIGKILL');
    worker.once('exit', (code, signal) => {
      clearTimeout(late);
      if (signal === 'SIGKILL' && (done || fate !== undefined)) resolve(done ? undefined : fate);
      else reject(new Error(`a worker ended by itself: ${code ?? signal}`));
    });
    worker.on('message', ({ id, what, args }: Question) => {
      if (fate !== undefined || done) return;
      const tell = (reply: object = {}): void => void (worker.connected && worker.send({ id, ...reply }));
      if (what === 'before' || what === 'after') {
        const point = `${what} ${String(args[0]).split(' ')[0]}`;
        if (!deadly.delete(point)) return tell();
        fate = point;
        return end();
      }
      if (what === 'ended') {
        last = args[0];
        done = (last as Outcome).kind === 'done';
        return done ? end() : tell();
      }
      answer(what, args).then(
        (value) => tell({ value }),
        (error: unknown) => tell({ error: String(error) }),
      );
    });
    worker.send({ orders });
  });
}
