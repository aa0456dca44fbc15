import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../../apps/sandbox/src/servers/embedded-postgres.js';

export interface RedisServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Ends with us, `kill -9` included: the shell reads from a pipe whose other end only we hold. */
const WATCHDOG = `
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
( read -r _ <&3; kill -TERM "$server" 2>/dev/null ) &
watcher=$!
wait "$server"; code=$?
kill "$watcher" 2>/dev/null
exit $code
`;

export function findRedisServer(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((directory) => join(directory, 'redis-server'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Starts the machine's redis-server on a free port (or a given one, to bring a stopped one back). */
export async function startRedis(binary: string, wantedPort?: number): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'fairway-redis-'));
  for (let attempt = 1; ; attempt++) {
    const port = wantedPort ?? (await freePort());
    const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn('/bin/sh', ['-c', WATCHDOG, 'sh', binary, ...flags, '--dir', directory], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.on('error', () => undefined);
    const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const ready = new Promise<boolean>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('Ready to accept connections')) resolve(true);
      });
      void exited.then(() => resolve(false));
    });
    if (await ready) {
      const stop = async (): Promise<void> => {
        child.stdin.end();
        await exited;
        await rm(directory, { recursive: true, force: true });
      };
      return { url: `redis://127.0.0.1:${port}`, stop };
    }
    if (attempt === 5) throw new Error(`redis-server did not start (${binary} ${flags.join(' ')})`);
  }
}
