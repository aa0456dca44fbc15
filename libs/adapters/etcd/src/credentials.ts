import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureError, seconds, type Clock, type Instant } from '#kernel';
import type { TlsMaterial } from './transport.js';

const LOOK_AGAIN = seconds(10);

/** Mounted secrets change without a restart: read again now and then. */
export class MountedCredentials {
  #read: { readonly at: Instant; readonly tls: TlsMaterial } | undefined;

  constructor(
    private readonly directory: string,
    private readonly clusterId: string,
    private readonly serverName: string | undefined,
    private readonly clock: Clock,
  ) {}

  readonly current = async (): Promise<TlsMaterial> => {
    const now = this.clock.now();
    if (this.#read && now - this.#read.at < LOOK_AGAIN) return this.#read.tls;
    const folder = join(this.directory, this.clusterId.replaceAll(':', '_'));
    const [ca, cert, key] = await Promise.all([
      this.#file(folder, 'etcd-ca.crt'),
      this.#file(folder, 'etcd-tls.crt'),
      this.#file(folder, 'etcd-tls.key'),
    ]);
    const named = this.serverName === undefined ? {} : { servername: this.serverName };
    const tls = { ca, cert, key, ...named };
    this.#read = { at: now, tls };
    return tls;
  };

  async #file(folder: string, name: string): Promise<string> {
    try {
      return await readFile(join(folder, name), 'utf8');
    } catch (thrown) {
      const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown';
      throw new FailureError({
        class: 'denied',
        code: 'etcd-credentials-missing',
        message: `${join(folder, name)} cannot be read: ${code}`,
        hint: `Mount etcd-ca.crt, etcd-tls.crt and etcd-tls.key for ${this.clusterId} beside its other credentials.`,
      });
    }
  }
}
