import { readFileSync } from 'node:fs';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createEtcdAccess } from '#adapters/etcd';
import type { EtcdPort } from '#ports';
import { LoopbackAuthority } from '#simulation';
import { EtcdProcess, findEtcd, type EtcdTlsFiles } from './etcd-process.js';
import { eventually } from './eventually.js';

export { findEtcd } from './etcd-process.js';

export interface EtcdTestOptions {
  readonly members: 1 | 2 | 3 | 4 | 5;
  /** Client certificates, made now. Default: plain HTTP. */
  readonly tls?: boolean;
  readonly flags?: readonly string[];
}

const CLUSTER_ID = 'aws:000000000000:eu-central-1:test';
/** No election by accident on a busy machine: the stories know who leads. */
const CALM = ['--heartbeat-interval', '250', '--election-timeout', '5000'];

/** A real etcd cluster on loopback. Everything of it is gone after `close()`. */
export class EtcdTestCluster {
  private constructor(
    private readonly directory: string,
    private readonly binary: string,
    private readonly scheme: 'http' | 'https',
    private readonly tls: EtcdTlsFiles | undefined,
    private readonly flags: readonly string[],
    readonly members: EtcdProcess[],
    private readonly access: ReturnType<typeof createEtcdAccess>,
  ) {}

  static async start({ members: size, tls = false, flags = [] }: EtcdTestOptions): Promise<EtcdTestCluster> {
    const binary = findEtcd();
    if (binary === undefined) throw new Error('there is no etcd on this machine: install etcd-server');
    const directory = await mkdtemp(join(tmpdir(), 'fairway-etcd-'));
    const credentials = join(directory, 'credentials');
    const files = await writeCredentials(credentials);
    const cluster = new EtcdTestCluster(
      directory,
      binary,
      tls ? 'https' : 'http',
      tls ? files : undefined,
      flags,
      [],
      createEtcdAccess({ credentialsDirectory: credentials }),
    );
    try {
      await cluster.startMembers(size);
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  get endpoints(): readonly string[] {
    return this.members.map((member) => member.clientUrl);
  }

  /** The adapter, towards all members or some. */
  connect(endpoints: readonly string[] = this.endpoints): Promise<EtcdPort> {
    return this.access.connect({ clusterId: CLUSTER_ID, endpoints });
  }

  /** A member that is not started yet, with free ports; its peer URL is to be added to the cluster before it starts. */
  async prepareMember(name: string): Promise<EtcdProcess> {
    const [clientPort, peerPort] = [await freePort(), await freePort()];
    const peerUrl = `${this.scheme}://127.0.0.1:${peerPort}`;
    const initial = [...this.members.map((one) => `${one.name}=${one.peerUrl}`), `${name}=${peerUrl}`];
    const member = this.process(name, clientPort, peerUrl, initial.join(','), 'existing');
    this.members.push(member);
    return member;
  }

  /** Through the first member that runs, by HTTP with the client's certificate. */
  async put(key: string, value: string): Promise<void> {
    await this.call('/v3/kv/put', { key: base64(key), value: base64(value) });
  }

  async compact(revision: string): Promise<void> {
    await this.call('/v3/kv/compaction', { revision, physical: true });
  }

  /** Raises an alarm as etcd itself would. */
  async raiseAlarm(memberId: string, alarm: 'NOSPACE' | 'CORRUPT'): Promise<void> {
    await this.call('/v3/maintenance/alarm', { action: 'ACTIVATE', memberID: memberId, alarm });
  }

  /** A CA and a client certificate that this cluster knows nothing of. */
  static async credentialsOfSomebodyElse(): Promise<{
    readonly directory: string;
    readonly clusterId: string;
    remove(): Promise<void>;
  }> {
    const directory = await mkdtemp(join(tmpdir(), 'fairway-etcd-stranger-'));
    await writeCredentials(directory);
    const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
    return { directory, clusterId: CLUSTER_ID, remove };
  }

  async close(): Promise<void> {
    this.access.close();
    await Promise.all(this.members.map((member) => member.kill()));
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Ports are free when asked for and may be taken when bound: then all starts anew with others. */
  private async startMembers(size: number): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const wanted: { name: string; client: number; peer: number }[] = [];
      for (let index = 0; index < size; index += 1) {
        wanted.push({ name: `m${index + 1}`, client: await freePort(), peer: await freePort() });
      }
      const peerUrl = (peer: number): string => `${this.scheme}://127.0.0.1:${peer}`;
      const initial = wanted.map(({ name, peer }) => `${name}=${peerUrl(peer)}`).join(',');
      this.members.push(
        ...wanted.map(({ name, client, peer }) => this.process(name, client, peerUrl(peer), initial, 'new')),
      );
      try {
        await Promise.all(this.members.map((member) => member.start()));
        return await this.healthy();
      } catch (error) {
        if (attempt === 5 || !/address already in use/.test(String(error))) throw error;
        await Promise.all(this.members.map((member) => member.kill()));
        this.members.splice(0);
        await rm(join(this.directory, 'data'), { recursive: true, force: true });
      }
    }
  }

  /** All members that run say that they are. */
  async healthy(): Promise<void> {
    const running = this.members.filter((member) => member.running).map((member) => member.clientUrl);
    const etcd = await this.connect(running);
    await eventually(async () => {
      const answers = await Promise.all(running.map((endpoint) => etcd.health(endpoint)));
      return answers.every(({ healthy }) => healthy);
    }, 'all members healthy');
  }

  private async call(path: string, body: unknown): Promise<void> {
    const endpoint = this.members.find((member) => member.running)?.clientUrl ?? '';
    const tls = this.clientTls;
    await new Promise<void>((resolve, reject) => {
      const options = { method: 'POST', agent: false as const, ...tls };
      const answer = (response: IncomingMessage): void => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(text))));
      };
      const url = `${endpoint}${path}`;
      const sent = endpoint.startsWith('https:')
        ? httpsRequest(url, options, answer)
        : httpRequest(url, options, answer);
      sent.on('error', reject);
      sent.end(JSON.stringify(body));
    });
  }

  private get clientTls(): { readonly ca?: string; readonly cert?: string; readonly key?: string } {
    if (!this.tls) return {};
    const folder = dirname(this.tls.ca);
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    return { ca: read('etcd-ca.crt'), cert: read('etcd-tls.crt'), key: read('etcd-tls.key') };
  }

  private process(
    name: string,
    clientPort: number,
    peerUrl: string,
    initialCluster: string,
    state: 'new' | 'existing',
  ): EtcdProcess {
    return new EtcdProcess({
      binary: this.binary,
      name,
      clientUrl: `${this.scheme}://127.0.0.1:${clientPort}`,
      peerUrl,
      dataDir: join(this.directory, 'data', name),
      initialCluster,
      state,
      ...(this.tls && { tls: this.tls }),
      flags: [...CALM, ...this.flags],
    });
  }
}

/** A CA, a certificate for the members and one for the client, as an operator mounts them. */
async function writeCredentials(directory: string): Promise<EtcdTlsFiles> {
  const folder = join(directory, CLUSTER_ID.replaceAll(':', '_'));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const authority = new LoopbackAuthority('etcd of a test');
  const put = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const client = authority.issue('fairway', ['client']);
  await put('etcd-tls.crt', client.certificatePem);
  await put('etcd-tls.key', client.keyPem);
  // The gateway is a client of its own server: the member's certificate must do for both.
  const member = authority.issue('member', ['server', 'client']);
  return {
    ca: await put('etcd-ca.crt', authority.caPem),
    cert: await put('member.crt', member.certificatePem),
    key: await put('member.key', member.keyPem),
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
