import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GitRequest } from './git-request.js';

/** Environment for Git on the server's side: nobody's own configuration, every directory below `root` trusted. */
export function serverEnvironment(root: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: root,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_COUNT: '3',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
    GIT_CONFIG_KEY_1: 'uploadpack.allowReachableSHA1InWant',
    GIT_CONFIG_VALUE_1: 'true',
    GIT_CONFIG_KEY_2: 'http.receivepack',
    GIT_CONFIG_VALUE_2: 'true',
  };
}

/** Starts `git http-backend` for one request. Bodies flow through as they come: chunked, gzipped, of any size. */
export function startBackend(
  root: string,
  request: IncomingMessage,
  git: GitRequest,
  user: string | undefined,
): ChildProcessWithoutNullStreams {
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  const optional = {
    CONTENT_TYPE: header('content-type'),
    CONTENT_LENGTH: header('content-length'),
    HTTP_CONTENT_ENCODING: header('content-encoding'),
    GIT_PROTOCOL: header('git-protocol'),
    REMOTE_USER: user,
  };
  const env = {
    ...serverEnvironment(root),
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    GATEWAY_INTERFACE: 'CGI/1.1',
    REQUEST_METHOD: request.method ?? 'GET',
    PATH_INFO: git.pathInfo,
    QUERY_STRING: git.query,
    REMOTE_ADDR: request.socket.remoteAddress ?? '127.0.0.1',
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
  const child = spawn('git', ['http-backend'], { env, cwd: root });
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  return child;
}

/**
 * Reads the header block of a CGI answer, then lets the body flow. The answer ends after `beforeEnd`, so that a client
 * that is done finds its consequences done. Resolves with the status when all is sent.
 */
export function relayAnswer(
  child: ChildProcessWithoutNullStreams,
  response: ServerResponse,
  cutAfter: number | undefined,
  beforeEnd: () => Promise<void>,
): Promise<number> {
  const send = senderTo(child, response, cutAfter);
  return new Promise((resolve) => {
    let head = Buffer.alloc(0);
    let begun = false;
    child.stdout.on('data', (chunk: Buffer) => {
      if (begun) return send(chunk);
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      begun = true;
      applyHead(head.subarray(0, end).toString('latin1'), response);
      if (head.length > end + 4) send(head.subarray(end + 4));
    });
    child.stderr.resume();
    response.on('close', () => child.kill('SIGKILL'));
    child.on('error', () => response.destroy());
    child.on('close', () => {
      if (!begun && !response.destroyed) response.statusCode = 500;
      void beforeEnd().finally(() => {
        response.end();
        resolve(response.statusCode);
      });
    });
  });
}

/** Passes chunks on at the reader's pace; cuts the connection after so many bytes, where that fault is set. */
function senderTo(
  child: ChildProcessWithoutNullStreams,
  response: ServerResponse,
  cutAfter: number | undefined,
): (chunk: Buffer) => void {
  let sent = 0;
  return (chunk) => {
    sent += chunk.length;
    if (cutAfter !== undefined && sent > cutAfter) {
      child.kill('SIGKILL');
      response.destroy();
    } else if (!response.write(chunk)) {
      child.stdout.pause();
      response.once('drain', () => child.stdout.resume());
    }
  };
}

function applyHead(head: string, response: ServerResponse): void {
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === 'status') response.statusCode = Number(value.split(' ')[0]);
    else response.setHeader(name, value);
  }
}
