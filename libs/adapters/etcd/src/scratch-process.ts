import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { minutes, type Duration } from '#kernel';

/** Ends with us, `kill -9` included: the shell reads from a pipe whose other end only we hold. */
const WATCHDOG = `
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
( read -r _ <&3; kill -KILL "$server" 2>/dev/null ) &
watcher=$!
wait "$server"; code=$?
kill "$watcher" 2>/dev/null
exit $code
`;

/** Nothing of our own environment: neither secrets nor `ETCD_*` settings belong there. */
const environment = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'] ?? '',
  ETCDCTL_API: '3',
  ETCD_UNSUPPORTED_ARCH: process.arch,
});

/** A program that lives until it is ended, or until we die. */
export class ScratchProcess {
  private readonly child: ChildProcess;
  private readonly closed: Promise<void>;
  private output = '';
  private code: number | undefined;

  constructor(binary: string, args: readonly string[]) {
    this.child = spawn('/bin/sh', ['-c', WATCHDOG, 'sh', binary, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: environment(),
    });
    this.child.stdin?.on('error', () => undefined);
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output = tail(this.output + chunk.toString())));
    this.closed = new Promise((resolve) => {
      this.child.once('error', (error) => (this.output = tail(`${this.output}${error.message}`)));
      this.child.once('close', (code) => {
        this.code = code ?? KILLED;
        resolve();
      });
    });
  }

  /** How it ended by itself; undefined while it lives. */
  get end(): Ending | undefined {
    return this.code === undefined ? undefined : endingOf(this.code, this.output);
  }

  get lastWords(): string {
    return tellingLine(this.output);
  }

  async stop(): Promise<void> {
    this.child.stdin?.end();
    await this.closed;
  }
}

/** How a program ended, and in which words. */
export interface Ending {
  readonly well: boolean;
  /** The machine was in its way, not what it was given: no room, no memory, killed, not even started. */
  readonly byMachine: boolean;
  readonly words: string;
}

/** Shells say it with codes from here on; it also stands for a program that could not be started. */
const KILLED = 128;
const BY_MACHINE =
  /no space left|disk quota|permission denied|read-only file system|too many open files|cannot allocate memory|input\/output error|address already in use/i;

const endingOf = (code: number, output: string): Ending => ({
  well: code === 0,
  byMachine: code >= KILLED || BY_MACHINE.test(output),
  words: tellingLine(output),
});

/** Gigabytes are restored in seconds; what takes this long hangs. */
const RUN_LIMIT: Duration = minutes(10);

export function runToEnd(binary: string, args: readonly string[]): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn(binary, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment(),
      timeout: RUN_LIMIT,
      killSignal: 'SIGKILL',
    });
    let output = '';
    const keep = (chunk: Buffer): void => void (output = tail(output + chunk.toString()));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => resolve(endingOf(KILLED, error.message)));
    child.once('close', (code, signal) =>
      resolve(
        code === null
          ? endingOf(KILLED, `${output}\n${basename(binary)} was ended by ${signal}`)
          : endingOf(code, output),
      ),
    );
  });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

const tail = (text: string): string => text.slice(-32_000);
/** Below a panic there are only stacks; else the last line tells most. */
function tellingLine(text: string): string {
  const lines = text.trim().split('\n');
  return (lines.find((line) => line.startsWith('panic: ')) ?? lines.at(-1) ?? '').slice(0, 500);
}
