import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

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

/** Files of PEM. */
export interface EtcdTlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface EtcdProcessOptions {
  readonly binary: string;
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly dataDir: string;
  /** `name=peerUrl`, separated by commas. Not read where the data directory holds a member already. */
  readonly initialCluster: string;
  readonly state: 'new' | 'existing';
  readonly tls?: EtcdTlsFiles;
  readonly flags?: readonly string[];
}

/** `FAIRWAY_TEST_ETCD` names another binary than the one on the PATH. */
export function findEtcd(): string | undefined {
  const named = process.env['FAIRWAY_TEST_ETCD'];
  const candidates = named
    ? [named]
    : (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, 'etcd'));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** One etcd. It may be killed and started again on its data. */
export class EtcdProcess {
  private child: ChildProcess | undefined;
  private exited: Promise<void> = Promise.resolve();
  private log = '';

  constructor(readonly options: EtcdProcessOptions) {}

  get name(): string {
    return this.options.name;
  }
  get clientUrl(): string {
    return this.options.clientUrl;
  }
  get peerUrl(): string {
    return this.options.peerUrl;
  }
  get running(): boolean {
    return this.child !== undefined;
  }

  /** Resolves when it serves clients; rejects with its last words where it ends before. */
  start(state: 'new' | 'existing' = this.options.state): Promise<void> {
    const child = spawn('/bin/sh', ['-c', WATCHDOG, 'sh', this.options.binary, ...this.flags(state)], {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch },
    });
    child.stdin.on('error', () => undefined);
    this.child = child;
    this.log = '';
    this.exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
    void this.exited.then(() => {
      if (this.child === child) this.child = undefined;
    });
    return new Promise((resolve, reject) => {
      const listen = (chunk: Buffer): void => {
        this.log = (this.log + chunk.toString()).slice(-4_000);
        if (/ready to serve client requests|serving (insecure )?client/.test(this.log)) resolve();
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      void this.exited.then(() => reject(new Error(`etcd ${this.name} ended:\n${this.log.slice(-1_500)}`)));
    });
  }

  /** `SIGSTOP` and `SIGCONT` included: the whole group gets it. */
  signal(signal: NodeJS.Signals): void {
    const pid = this.child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // Gone already.
    }
  }

  async kill(): Promise<void> {
    this.signal('SIGCONT');
    this.signal('SIGKILL');
    await this.exited;
  }

  private flags(state: 'new' | 'existing'): readonly string[] {
    const { name, dataDir, clientUrl, peerUrl, initialCluster, tls, flags } = this.options;
    return [
      ...['--name', name, '--data-dir', dataDir],
      ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
      ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
      ...['--initial-cluster', initialCluster, '--initial-cluster-state', state],
      ...(tls
        ? [
            ...[
              '--cert-file',
              tls.cert,
              '--key-file',
              tls.key,
              '--trusted-ca-file',
              tls.ca,
              '--client-cert-auth',
            ],
            ...['--peer-cert-file', tls.cert, '--peer-key-file', tls.key, '--peer-trusted-ca-file', tls.ca],
            '--peer-client-cert-auth',
          ]
        : []),
      ...(flags ?? []),
    ];
  }
}
