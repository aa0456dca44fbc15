import type { Duration } from '#kernel';

/** What may be wrong with the Git host. */
export type GitFault =
  /** Connections are cut without an answer. */
  | { readonly kind: 'unavailable' }
  /** Every request is answered with this status. */
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Answers come late. */
  | { readonly kind: 'slow'; readonly delay: Duration }
  /** Requests are taken and never answered. */
  | { readonly kind: 'hang' }
  /** Packs stop after so many bytes. */
  | { readonly kind: 'cut'; readonly afterBytes: number };

/** One line of the server's log. */
export interface GitRequestRecord {
  readonly method: string;
  readonly repository: string;
  readonly service: 'refs' | 'upload' | 'receive' | 'file';
  readonly user?: string;
  readonly status: number;
}

/** What a request asks for; undefined for paths that no Git client uses. */
export interface GitRequest {
  readonly repository: string;
  readonly pathInfo: string;
  readonly query: string;
  readonly service: GitRequestRecord['service'];
  /** Reading and writing are told apart already at `info/refs`. */
  readonly writes: boolean;
}

const PATH =
  /^\/([A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*\.git)\/(info\/refs|git-upload-pack|git-receive-pack|HEAD|objects\/[A-Za-z0-9/._-]+)$/;

export function parseGitRequest(target: string): GitRequest | undefined {
  const [path = '', query = ''] = target.split('?', 2);
  const [, repository, rest] = PATH.exec(path) ?? [];
  if (repository === undefined || rest === undefined || path.includes('..')) return undefined;
  const service =
    rest === 'info/refs'
      ? 'refs'
      : rest === 'git-upload-pack'
        ? 'upload'
        : rest === 'git-receive-pack'
          ? 'receive'
          : 'file';
  const writes = service === 'receive' || (service === 'refs' && query.includes('service=git-receive-pack'));
  return { repository, pathInfo: path, query, service, writes };
}
