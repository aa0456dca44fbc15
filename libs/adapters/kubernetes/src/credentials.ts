import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { FailureError, seconds, type Clock, type Duration, type Instant } from '#kernel';
import type { Cluster } from '#fleet';
import { isFixed, loadKubeConfig } from './kube-config.js';

export type ConnectCluster = Pick<Cluster, 'id' | 'apiServerUrl' | 'configItems'>;

/** A bearer token that somebody else mints, e.g. the presigned STS token of EKS. */
export type TokenSource = (
  cluster: ConnectCluster,
) => Promise<{ readonly token: string; readonly expiresAt: Instant }>;

/** The CA that signs the API server's certificate: a file, or PEM text. Absent: the public roots. */
interface Trust {
  readonly caFile?: string;
  readonly caPem?: string;
}

/** How to prove ourselves to one cluster. Files are read again when they change. */
export type ClusterCredential =
  | ({ readonly kind: 'token-file'; readonly tokenFile: string } & Trust)
  | ({ readonly kind: 'client-certificate'; readonly certFile: string; readonly keyFile: string } & Trust)
  | ({ readonly kind: 'token-source'; readonly tokens: TokenSource } & Trust)
  | { readonly kind: 'kubeconfig-file'; readonly file: string; readonly context?: string }
  | { readonly kind: 'kubeconfig'; readonly text: string; readonly context?: string };

export interface TlsMaterial {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
}

/** What one request needs. `tls` is the same object as long as its content is the same. */
export interface Security {
  readonly tls: TlsMaterial;
  readonly headers: Readonly<Record<string, string>>;
}

/** Mints a token for the EKS cluster of this name. */
export type EksTokenSource = (cluster: ConnectCluster, eksName: string) => ReturnType<TokenSource>;

/**
 * `<directory>/<cluster id with : as _>/kubeconfig`, or `token` and `ca.crt`, or `tls.crt`, `tls.key` and `ca.crt`, or `eks`
 * (with the name of the EKS cluster) and `ca.crt` there.
 */
export const directoryCredentials =
  (directory: string, eksTokens?: EksTokenSource) =>
  async (cluster: ConnectCluster): Promise<ClusterCredential> => {
    const at = (name: string): string => join(directory, cluster.id.replaceAll(':', '_'), name);
    const trust = (await exists(at('ca.crt'))) ? { caFile: at('ca.crt') } : {};
    if (await exists(at('kubeconfig'))) return { kind: 'kubeconfig-file', file: at('kubeconfig') };
    if (await exists(at('token'))) return { kind: 'token-file', tokenFile: at('token'), ...trust };
    if (await exists(at('tls.crt'))) {
      return { kind: 'client-certificate', certFile: at('tls.crt'), keyFile: at('tls.key'), ...trust };
    }
    if (eksTokens && (await exists(at('eks')))) {
      const name = (await readFile(at('eks'), 'utf8')).trim();
      return { kind: 'token-source', tokens: (one) => eksTokens(one, name), ...trust };
    }
    throw new FailureError({
      class: 'denied',
      code: 'cluster-credentials-missing',
      message: `there are no credentials for ${cluster.id} in ${at('')}`,
      hint: 'Mount kubeconfig, or token and ca.crt, or tls.crt, tls.key and ca.crt, or eks and ca.crt there.',
    });
  };

/** Keeps one cluster's credentials fresh. */
export class CredentialReader {
  readonly #files = new Map<string, CachedFile>();
  #tls: TlsMaterial = {};
  #minted: { token: string; expiresAt: Instant } | undefined;
  #minting: Promise<string> | undefined;
  #kubeConfig: { text: string; config: KubeConfig; fixed?: Security } | undefined;

  constructor(
    private readonly cluster: ConnectCluster,
    private readonly credentialsFor: (cluster: ConnectCluster) => Promise<ClusterCredential>,
    private readonly clock: Clock,
  ) {}

  async current(): Promise<Security> {
    const credential = await this.credentialsFor(this.cluster);
    switch (credential.kind) {
      case 'token-file': {
        const token = (await this.#read(credential.tokenFile)).toString('utf8').trim();
        return this.#bearer(token, await this.#trust(credential));
      }
      case 'client-certificate': {
        const [cert, key] = await Promise.all([
          this.#read(credential.certFile),
          this.#read(credential.keyFile),
        ]);
        return { tls: this.#stable({ ...(await this.#trust(credential)), cert, key }), headers: {} };
      }
      case 'token-source':
        return this.#bearer(await this.#mint(credential.tokens), await this.#trust(credential));
      case 'kubeconfig-file': {
        const text = (await this.#read(credential.file)).toString('utf8');
        return this.#fromKubeConfig(text, resolve(credential.file), credential.context);
      }
      case 'kubeconfig':
        return this.#fromKubeConfig(credential.text, 'the kubeconfig', credential.context);
    }
  }

  /** Forgets what is cached: the API server refused it. */
  refresh(): void {
    this.#files.clear();
    this.#minted = undefined;
    this.#kubeConfig = undefined;
  }

  #bearer(token: string, trust: TlsMaterial): Security {
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new FailureError({
        class: 'denied',
        code: 'cluster-credentials-invalid',
        message: `the bearer token for ${this.cluster.id} is empty or holds characters that no token has`,
      });
    }
    return { tls: this.#stable(trust), headers: { authorization: `Bearer ${token}` } };
  }

  async #trust(trust: Trust): Promise<TlsMaterial> {
    if (trust.caPem !== undefined) return { ca: trust.caPem };
    return trust.caFile === undefined ? {} : { ca: await this.#read(trust.caFile) };
  }

  async #mint(tokens: TokenSource): Promise<string> {
    const cached = this.#minted;
    if (cached && cached.expiresAt - MINT_MARGIN > this.clock.now()) return cached.token;
    this.#minting ??= tokens(this.cluster)
      .then((minted) => {
        this.#minted = minted;
        return minted.token;
      })
      .finally(() => {
        this.#minting = undefined;
      });
    return this.#minting;
  }

  async #fromKubeConfig(text: string, where: string, context: string | undefined): Promise<Security> {
    if (this.#kubeConfig?.text !== text) {
      this.#kubeConfig = { text, config: loadKubeConfig(text, where, context, this.cluster.apiServerUrl) };
    }
    const known = this.#kubeConfig;
    if (known.fixed) return known.fixed;
    const security = await this.#askKubeConfig(known.config, where);
    if (isFixed(known.config)) known.fixed = security;
    return security;
  }

  async #askKubeConfig(config: KubeConfig, where: string): Promise<Security> {
    const options: Parameters<KubeConfig['applyToHTTPSOptions']>[0] & { auth?: string; servername?: string } =
      {};
    try {
      await config.applyToHTTPSOptions(options);
    } catch (thrown) {
      throw new FailureError({
        class: 'denied',
        code: 'cluster-credentials-invalid',
        message: `${where} for ${this.cluster.id} gives no credentials: ${harmless(thrown)}`,
      });
    }
    const { ca, cert, key, servername } = options as TlsMaterial;
    const headers = (options.headers ?? {}) as Record<string, string>;
    return {
      tls: this.#stable({
        ...(ca !== undefined && { ca }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
        ...(servername !== undefined && { servername }),
      }),
      headers: {
        ...lowerKeys(headers),
        ...(options.auth !== undefined && {
          authorization: `Basic ${Buffer.from(options.auth).toString('base64')}`,
        }),
      },
    };
  }

  async #read(file: string): Promise<Buffer> {
    let cached = this.#files.get(file);
    if (!cached) {
      cached = new CachedFile(file, this.clock);
      this.#files.set(file, cached);
    }
    return cached.content();
  }

  /** The same object for the same bytes: connections are kept as long as this object is. */
  #stable(tls: TlsMaterial): TlsMaterial {
    const same = (['ca', 'cert', 'key', 'servername'] as const).every((part) =>
      equalBytes(this.#tls[part], tls[part]),
    );
    if (!same) this.#tls = tls;
    return this.#tls;
  }
}

const MINT_MARGIN: Duration = seconds(60);
const LOOK_AGAIN: Duration = seconds(2);

/** A mounted file; Kubernetes swaps them by symbolic link, so inode, size and time are compared. */
class CachedFile {
  #content: Buffer | undefined;
  #stamp = '';
  #lookedAt: Instant = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly file: string,
    private readonly clock: Clock,
  ) {}

  async content(): Promise<Buffer> {
    if (this.#content && this.clock.now() - this.#lookedAt < LOOK_AGAIN) return this.#content;
    try {
      const { ino, size, mtimeMs } = await stat(this.file);
      const stamp = `${ino}/${size}/${mtimeMs}`;
      if (!this.#content || stamp !== this.#stamp) {
        this.#content = await readFile(this.file);
        this.#stamp = stamp;
      }
      this.#lookedAt = this.clock.now();
      return this.#content;
    } catch (thrown) {
      throw new FailureError({
        class: 'denied',
        code: 'cluster-credentials-missing',
        message: `${this.file} cannot be read: ${thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown'}`,
      });
    }
  }
}

const exists = async (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

/** What a credential plugin said, without anything long enough to be a secret. */
function harmless(thrown: unknown): string {
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  return words
    .replace(/[A-Za-z0-9_\-.+/=]{24,}/g, '(hidden)')
    .replace(/\s+/g, ' ')
    .slice(0, 300);
}

const lowerKeys = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value]));

function equalBytes(a: string | Buffer | undefined, b: string | Buffer | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return Buffer.from(a).equals(Buffer.from(b));
}
