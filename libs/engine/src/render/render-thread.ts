import { Worker, type ResourceLimits } from 'node:worker_threads';
import { cpuTimeOf, type CpuTime } from './cpu-time.js';
import type { Answer, FromThread, Job, ThreadStart, ToThread } from './render-protocol.js';
import type { RendererOptions } from './renderer.js';

/** Why a thread ended before it answered. */
export type Stopped =
  | { readonly why: 'time' | 'memory'; readonly place: number }
  | { readonly why: 'crash'; readonly place: number; readonly error: Error };

export type Ended =
  { readonly kind: 'answer'; readonly answer: Answer } | ({ readonly kind: 'stopped' } & Stopped);

/** The thread says so itself once its time is up; whoever does not hear that in so many times the limit never will. */
const HARD = 1.25;
/** A thread that gets no CPU is not at fault, but nobody waits for ever. */
const PATIENCE = 40;
const LOOK_EVERY = 25;
const YOUNG_MB = 8;
const CACHE_SHARE = 0.3;

const FROM_SOURCE = import.meta.url.endsWith('.ts');

/** From source, the thread compiles what it imports, as the process does. */
function startWorker(workerData: ThreadStart, resourceLimits: ResourceLimits): Worker {
  const main = new URL(`./render-thread.${FROM_SOURCE ? 'source.mjs' : 'main.js'}`, import.meta.url);
  const execArgv = FROM_SOURCE ? ['--conditions=source'] : [];
  return new Worker(main, { workerData, resourceLimits, execArgv });
}

/** One thread of this process that does one job at a time. */
export class RenderThread {
  private readonly progress = new Int32Array(new SharedArrayBuffer(4));
  private readonly worker: Worker;
  private used: CpuTime = () => performance.now();
  private settle: ((ended: Ended) => void) | undefined;
  private gone: Stopped | undefined;
  private readonly ready: Promise<void>;

  constructor(
    options: RendererOptions,
    private readonly timeLimit: number,
    memoryMb: number,
  ) {
    const start: ThreadStart = {
      options,
      progress: this.progress.buffer as SharedArrayBuffer,
      cacheBytes: memoryMb * CACHE_SHARE * 1024 * 1024,
    };
    const resourceLimits: ResourceLimits = {
      maxOldGenerationSizeMb: memoryMb,
      maxYoungGenerationSizeMb: YOUNG_MB,
    };
    this.worker = startWorker(start, resourceLimits);
    this.worker.unref();
    this.ready = new Promise((ready) => {
      this.worker.on('message', (message: FromThread) => {
        if (message.kind === 'ready') {
          this.used = cpuTimeOf(message.thread);
          ready();
        } else this.hear(message);
      });
      this.worker.on('error', (error) => this.end(stopOf(error)));
      this.worker.on('exit', (code) => {
        this.end({ why: 'crash', error: new Error(`the render thread ended with ${code}`) });
        ready();
      });
    });
  }

  get alive(): boolean {
    return this.gone === undefined;
  }

  post(message: ToThread): void {
    this.worker.postMessage(message, []);
  }

  /** The thread keeps the process alive only while it has a job. */
  async run(job: Job): Promise<Ended> {
    this.worker.ref();
    await this.ready;
    if (this.gone) return { kind: 'stopped', ...this.gone };
    const ended = new Promise<Ended>((settle) => {
      this.settle = settle;
    });
    this.post({ kind: 'job', job });
    const watch = this.watch();
    try {
      return await ended;
    } finally {
      clearInterval(watch);
      this.worker.unref();
      this.settle = undefined;
    }
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private watch(): NodeJS.Timeout {
    const [cpu, clock] = [this.used(), performance.now()];
    return setInterval(() => {
      const late = this.used() - cpu > this.timeLimit * HARD;
      if (!late && performance.now() - clock < this.timeLimit * PATIENCE) return;
      this.end({ why: 'time' });
      void this.worker.terminate();
    }, LOOK_EVERY);
  }

  private hear(message: Exclude<FromThread, { kind: 'ready' }>): void {
    if (message.kind === 'done') {
      this.settle?.({ kind: 'answer', answer: message.answer });
      return;
    }
    const error = new Error(message.message);
    if (message.stack !== undefined) error.stack = message.stack;
    this.settle?.({ kind: 'stopped', why: 'crash', place: this.place(), error });
  }

  private end(reason: { why: 'time' | 'memory' } | { why: 'crash'; error: Error }): void {
    this.gone ??= { ...reason, place: this.place() };
    this.settle?.({ kind: 'stopped', ...this.gone });
  }

  private place(): number {
    return Atomics.load(this.progress, 0);
  }
}

const stopOf = (error: Error & { code?: string }): { why: 'memory' } | { why: 'crash'; error: Error } =>
  error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? { why: 'memory' } : { why: 'crash', error };
