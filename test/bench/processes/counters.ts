import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import pg from 'pg';

/** What a process has used since its last reset. */
export interface Usage {
  /** User and system time of this process, milliseconds. */
  readonly cpuMs: number;
  readonly rssMb: number;
  readonly heapMb: number;
  readonly queries: number;
  /** The most frequent statements with their counts. */
  readonly statements: readonly (readonly [string, number])[];
  readonly gitProcesses: number;
  readonly gitFetches: number;
  readonly loopDelayP99Ms: number;
  /** Passes by `kind result`. */
  readonly passes: Readonly<Record<string, number>>;
}

const statements = new Map<string, number>();
let queries = 0;
let gitProcesses = 0;
let gitFetches = 0;
let cpu = process.cpuUsage();
const delay = monitorEventLoopDelay({ resolution: 10 });

/** Must run before the pool is made and before Git is used: both are counted where they leave the process. */
export function installCounters(): void {
  const prototype = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown };
  const query = prototype.query;
  prototype.query = function counted(this: unknown, ...args: unknown[]): unknown {
    queries += 1;
    const text =
      typeof args[0] === 'string' ? args[0] : ((args[0] as { text?: string } | undefined)?.text ?? '?');
    const short = text.replaceAll(/\s+/g, ' ').trim().slice(0, 90);
    statements.set(short, (statements.get(short) ?? 0) + 1);
    return query.apply(this, args);
  };
  const spawn = childProcess.spawn as (...args: unknown[]) => unknown;
  childProcess.spawn = ((...args: unknown[]) => {
    const line = [args[0], ...(Array.isArray(args[1]) ? (args[1] as unknown[]) : [])].join(' ');
    if (/(^|\/)git\b/.test(String(args[0]))) {
      gitProcesses += 1;
      if (/\sfetch\s/.test(line)) gitFetches += 1;
    }
    return spawn(...args);
  }) as typeof childProcess.spawn;
  syncBuiltinESMExports();
  delay.enable();
}

export function resetCounters(): void {
  statements.clear();
  queries = gitProcesses = gitFetches = 0;
  cpu = process.cpuUsage();
  delay.reset();
}

export function usageNow(passes: Readonly<Record<string, number>>): Usage {
  const { user, system } = process.cpuUsage(cpu);
  const memory = process.memoryUsage();
  return {
    cpuMs: (user + system) / 1000,
    rssMb: memory.rss / 2 ** 20,
    heapMb: memory.heapUsed / 2 ** 20,
    queries,
    statements: [...statements].sort(([, a], [, b]) => b - a).slice(0, 25),
    gitProcesses,
    gitFetches,
    loopDelayP99Ms: delay.percentile(99) / 1e6,
    passes,
  };
}
