import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BareRepository, type Seed } from './bare-repository.js';
import { relayAnswer, startBackend } from './git-backend.js';
import { parseGitRequest, type GitFault, type GitRequest, type GitRequestRecord } from './git-request.js';

export type { Seed } from './bare-repository.js';

/** A branch that a push moved, made (no `before`) or removed (no `after`). */
export interface PushedRef {
  readonly branch: string;
  readonly before?: string;
  readonly after?: string;
}

export interface GitServerOptions {
  /** Directory of the bare repositories; kept by `close`. */
  readonly root: string;
  /** Called after every push that moved something, as a Git host calls its webhooks. */
  readonly onPush?: (push: { readonly repository: string; readonly refs: readonly PushedRef[] }) => void;
  /** Asked of everybody; without it, everybody may read and push. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** Default: any free port. */
  readonly port?: number;
}

export interface GitServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Append-only; the newest requests last. */
  readonly requests: readonly GitRequestRecord[];
  /** Makes `<name>.git`, or finds it from an earlier run, and returns its URL. Only a new one is seeded. */
  createRepository(name: string, seed?: string | Seed): Promise<string>;
  /** Branches of a repository: name → commit. */
  heads(name: string): Promise<ReadonlyMap<string, string>>;
  /** Applies to every request from now on, until changed; undefined heals. */
  setFault(fault: GitFault | undefined): void;
  close(): Promise<void>;
}

const MAX_LOG = 10_000;

/** Real Git repositories over smart HTTP on loopback, by `git http-backend`. */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  await mkdir(options.root, { recursive: true });
  const host = new GitHost(options);
  const server = createServer((request, response) => void host.serve(request, response));
  // A large push takes as long as it takes.
  server.requestTimeout = 0;
  await listen(server, options.port ?? 0);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    requests: host.requests,
    createRepository: async (name, seed) => `${url}/${await host.create(name, seed)}`,
    heads: (name) => host.repository(name).heads(),
    setFault: (fault) => host.setFault(fault),
    close: () => close(server),
  };
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

class GitHost {
  readonly requests: GitRequestRecord[] = [];
  private fault: GitFault | undefined;
  /** Heads after the last push, by repository. */
  private readonly known = new Map<string, ReadonlyMap<string, string>>();

  constructor(private readonly options: GitServerOptions) {}

  setFault(fault: GitFault | undefined): void {
    this.fault = fault;
  }

  repository(name: string): BareRepository {
    const file = name.endsWith('.git') ? name : `${name}.git`;
    return new BareRepository(this.options.root, join(this.options.root, file));
  }

  async create(name: string, seed: string | Seed | undefined): Promise<string> {
    const repository = this.repository(name);
    const path = name.endsWith('.git') ? name : `${name}.git`;
    if (parseGitRequest(`/${path}/HEAD`) === undefined)
      throw new Error(`"${name}" is no name of a repository`);
    if (await repository.exists()) return path;
    const wanted = typeof seed === 'string' ? { dir: seed } : seed;
    await repository.create(wanted?.branches?.[0] ?? 'main');
    if (wanted !== undefined) await repository.seed(wanted);
    return path;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const git = parseGitRequest(request.url ?? '');
    const user = this.userOf(request);
    if (await this.hurt(request, response)) return;
    let status: number;
    if (user === undefined) {
      status = answer(response, 401, 'authentication needed', { 'www-authenticate': 'Basic realm="git"' });
    } else if (git === undefined || !(await this.repository(git.repository).exists())) {
      status = answer(response, 404, 'no such repository');
    } else {
      status = await this.run(request, response, git, user);
    }
    this.log(request, git, user, status);
  }

  /** An empty name where nobody has to say who they are; undefined for a wrong or missing password. */
  private userOf(request: IncomingMessage): string | undefined {
    const { auth } = this.options;
    if (auth === undefined) return '';
    const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ');
    const said = scheme === 'Basic' ? Buffer.from(value, 'base64').toString('utf8') : '';
    return said === `${auth.username}:${auth.password}` ? auth.username : undefined;
  }

  /** True when the fault at hand already dealt with the request. */
  private async hurt(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const fault = this.fault;
    switch (fault?.kind) {
      case 'unavailable':
        request.socket.destroy();
        return true;
      case 'status':
        request.resume();
        answer(response, fault.status, 'out of order', fault.headers ?? {});
        return true;
      case 'hang':
        request.resume();
        return true;
      case 'slow':
        await sleep(fault.delay);
        return response.destroyed;
      case 'cut':
      case undefined:
        return false;
    }
  }

  private async run(
    request: IncomingMessage,
    response: ServerResponse,
    git: GitRequest,
    user: string,
  ): Promise<number> {
    const repository = this.repository(git.repository);
    if (git.service === 'receive' && !this.known.has(git.repository)) {
      this.known.set(git.repository, await repository.heads());
    }
    const child = startBackend(this.options.root, request, git, user === '' ? 'anonymous' : user);
    const fault = this.fault;
    const cut = fault?.kind === 'cut' && git.service === 'upload' ? fault.afterBytes : undefined;
    return relayAnswer(child, response, cut, async () => {
      if (git.service === 'receive') await this.tellOfPush(git.repository);
    });
  }

  /** Pushes at the same time see each other's refs: what was told once is not told again. */
  private async tellOfPush(name: string): Promise<void> {
    const after = await this.repository(name).heads();
    const refs = changedRefs(this.known.get(name) ?? new Map(), after);
    this.known.set(name, after);
    if (refs.length > 0) this.options.onPush?.({ repository: name, refs });
  }

  private log(
    request: IncomingMessage,
    git: GitRequest | undefined,
    user: string | undefined,
    status: number,
  ): void {
    this.requests.push({
      method: request.method ?? 'GET',
      repository: git?.repository ?? '',
      service: git?.service ?? 'file',
      status,
      ...(user !== undefined && user !== '' && { user }),
    });
    if (this.requests.length > MAX_LOG) this.requests.splice(0, MAX_LOG / 2);
  }
}

function answer(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): number {
  response.writeHead(status, { 'content-type': 'text/plain', ...headers });
  response.end(`${text}\n`);
  return status;
}

function changedRefs(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly PushedRef[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names
    .filter((branch) => before.get(branch) !== after.get(branch))
    .map((branch) => ({
      branch,
      ...(before.has(branch) && { before: before.get(branch) as string }),
      ...(after.has(branch) && { after: after.get(branch) as string }),
    }));
}
