import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';

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
  private over = false;

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
      this.child.once('close', () => {
        this.over = true;
        resolve();
      });
    });
  }

  get ended(): boolean {
    return this.over;
  }

  get lastWords(): string {
    return lastLine(this.output);
  }

  async end(): Promise<void> {
    this.child.stdin?.end();
    await this.closed;
  }
}

/** Runs a program to its end; its last line is kept. */
export function runToEnd(
  binary: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment() });
    let output = '';
    const keep = (chunk: Buffer): void => void (output = tail(output + chunk.toString()));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => resolve({ code: 1, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, output: lastLine(output) }));
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

const tail = (text: string): string => text.slice(-4_000);
const lastLine = (text: string): string => (text.trim().split('\n').at(-1) ?? '').slice(0, 500);
