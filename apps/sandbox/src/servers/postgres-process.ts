import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { PostgresAccount } from './postgres-account.js';

/**
 * Runs the server under a small shell that outlives us: it reads from a pipe whose other end only we hold, so the end
 * of this process, `kill -9` included, ends the server. Arguments: directory to remove at the end or empty, then the
 * command. A smart shutdown would wait for clients, so it is a fast one (INT), and after 10 s an immediate one (QUIT).
 * Code 1 is a start that failed, for example for its port: the data is kept for the next try.
 */
const WATCHDOG = `
remove=$1; shift
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
( read -r _ <&3; kill -INT "$server" 2>/dev/null
  n=0; while kill -0 "$server" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done
  kill -QUIT "$server" 2>/dev/null ) &
watcher=$!
wait "$server"; code=$?
kill "$watcher" 2>/dev/null
[ -n "$remove" ] && [ $code -ne 1 ] && rm -rf "$remove"
exit $code
`;

export interface ServerProcess {
  /** Resolves when the process is gone, with its exit code. */
  readonly exited: Promise<number | null>;
  /** Fast shutdown; resolves when the server is gone. */
  stop(): Promise<void>;
}

export interface ServerCommand {
  readonly command: readonly string[];
  readonly account: PostgresAccount;
  readonly onLog: (line: string) => void;
  /** Directory that goes when the server goes. */
  readonly removeAtEnd?: string;
}

/** Starts the server and resolves when it accepts connections; rejects with its last lines when it ends before. */
export async function startServer(options: ServerCommand): Promise<ServerProcess> {
  const child = spawn('/bin/sh', ['-c', WATCHDOG, 'sh', options.removeAtEnd ?? '', ...options.command], {
    // Its own session: a Ctrl-C in the terminal reaches us, and we decide when the database goes.
    detached: true,
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['pipe', 'ignore', 'pipe'],
    ...options.account.ids,
  });
  child.stdin?.on('error', () => undefined);
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  await ready(child, options.onLog);
  // The server must not keep our process alive.
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  (child.stderr as unknown as { unref(): void }).unref();
  return { exited, stop: () => stop(child, exited) };
}

/** Nothing of ours: the environment may hold credentials. */
export const serverEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  LC_ALL: 'C',
  TZ: 'UTC',
});

function ready(child: ChildProcess, onLog: (line: string) => void): Promise<void> {
  const last: string[] = [];
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      reject(new Error(`Postgres ended with code ${code} before it was ready:\n${last.join('\n')}`)),
    );
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      onLog(line);
      if (last.push(line) > 30) last.shift();
      if (line.includes('database system is ready to accept connections')) resolve();
    });
  });
}

async function stop(child: ChildProcess, exited: Promise<number | null>): Promise<void> {
  child.ref();
  child.stdin?.end();
  const limit = setTimeout(() => {
    // The whole session, the shell's: nothing may stay behind.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, 15_000);
  await exited;
  clearTimeout(limit);
}
