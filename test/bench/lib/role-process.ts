import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Usage } from '../processes/counters.js';
import { compiledTree } from './compiled-tree.js';

const MAIN = 'test/bench/processes/role.main.js';

/** A worker or an API in a process of its own, so that its CPU and memory are its own. */
export class RoleProcess {
  private next = 1;
  private readonly waiting = new Map<number, (reply: unknown) => void>();

  private constructor(
    private readonly child: ChildProcess,
    /** Of an API. */
    readonly url: string | undefined,
  ) {
    child.on('message', (message: { id: number; reply: unknown }) => {
      this.waiting.get(message.id)?.(message.reply);
      this.waiting.delete(message.id);
    });
  }

  static async start(
    role: 'worker' | 'api',
    environment: Readonly<Record<string, string>>,
  ): Promise<RoleProcess> {
    const child = fork(join(compiledTree(), MAIN), [role], {
      // As docs/operations.md and the image start a worker.
      execArgv: ['--expose-gc', '--max-semi-space-size=8'],
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...environment },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const ready = await new Promise<{ url?: string }>((resolve, reject) => {
      child.once('message', (message: { reply: { url?: string } }) => resolve(message.reply));
      child.once('exit', (code) =>
        reject(new Error(`the ${role} process ended with ${code} while it started`)),
      );
    });
    return new RoleProcess(child, ready.url);
  }

  usage(): Promise<Usage> {
    return this.ask('usage');
  }

  /** Everything counts from now on. */
  reset(): Promise<Usage> {
    return this.ask('reset');
  }

  collectGarbage(): Promise<Usage> {
    return this.ask('gc');
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const gone = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    const limit = setTimeout(() => this.child.kill('SIGKILL'), 20_000);
    void this.ask('close').catch(() => undefined);
    await gone;
    clearTimeout(limit);
  }

  private ask(what: string): Promise<Usage> {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (reply) => resolve(reply as Usage));
      this.child.send({ id, ask: what }, (error) => error && reject(error));
    });
  }
}
