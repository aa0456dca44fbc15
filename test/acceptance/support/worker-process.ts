import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const KEPT_LINES = 400;

const running = new Set<ChildProcess>();

// A test run that is itself ended leaves nobody behind.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** The shipped worker role as a process of its own. */
export class WorkerProcess {
  readonly lines: string[] = [];
  readonly exited: Promise<void>;
  private readonly child: ChildProcess;

  constructor(environment: Readonly<Record<string, string>>) {
    const { PATH, HOME, TMPDIR, FAIRWAY_TEST_RUN } = process.env;
    this.child = spawn(
      process.execPath,
      ['--conditions=source', '--import', 'tsx', 'apps/worker/src/main.ts'],
      {
        cwd: ROOT,
        env: { PATH, HOME, TMPDIR, FAIRWAY_TEST_RUN, ...environment, FAIRWAY_LOG_LEVEL: 'info' },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.keep(text));
    }
    this.exited = new Promise((resolve) => this.child.once('exit', () => resolve()));
    running.add(this.child);
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get started(): boolean {
    return this.lines.some((line) => line.includes('worker started'));
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    this.child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.alive) this.child.kill('SIGKILL');
    await this.exited;
    running.delete(this.child);
  }

  private keep(text: string): void {
    this.lines.push(...text.split('\n').filter((line) => line !== ''));
    if (this.lines.length > KEPT_LINES) this.lines.splice(0, this.lines.length - KEPT_LINES);
  }
}
