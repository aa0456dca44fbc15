import { spawn } from 'node:child_process';
import { simpleGit } from 'simple-git';
import type { Duration } from '#kernel';
import { GitExitError } from './git-exit-error.js';

export interface LocalRun {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Talks to a remote: `ls-remote`, `fetch`, `push`. The only place that makes a simple-git. */
export async function remoteGit(
  mirrorDir: string,
  args: readonly string[],
  environment: Record<string, string>,
  timeout: Duration,
): Promise<string> {
  const stop = AbortSignal.timeout(timeout);
  // simple-git makes a text of whatever an error is; ours is kept aside.
  let ended: GitExitError | undefined;
  const git = simpleGit({
    baseDir: mirrorDir,
    abort: stop,
    maxConcurrentProcesses: 1,
    allowEnvironment: Object.keys(environment).filter((name) => name.startsWith('GIT_')),
    // simple-git guards against input of strangers in these places; ours come from `gitEnvironment` alone.
    unsafe: {
      allowUnsafeConfigEnvCount: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeCredentialHelper: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeHooksPath: true,
      allowUnsafeProtocolOverride: true,
      allowUnsafeSshCommand: true,
    },
    errors: (error, { exitCode, stdErr, stdOut }) => {
      if (exitCode === 0) return error;
      const texts = [stdErr, stdOut].map((parts) => Buffer.concat(parts).toString('utf8'));
      ended = new GitExitError(args[0] ?? 'git', exitCode, texts[0] ?? '', texts[1] ?? '', false);
      return ended;
    },
  }).env(environment);
  try {
    return await git.raw([...args]);
  } catch (error) {
    if (stop.aborted)
      throw new GitExitError(args[0] ?? 'git', -1, `no answer within ${timeout} ms`, '', true);
    throw ended ?? error;
  }
}

export interface LocalOptions {
  readonly cwd: string;
  readonly timeout: Duration;
  readonly input?: string;
  readonly maxBytes?: number;
}

/** Works on the object database of a mirror; never on the network. Bytes in, bytes out. */
export function localGit(
  args: readonly string[],
  environment: Record<string, string>,
  options: LocalOptions,
): Promise<LocalRun> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { cwd: options.cwd, env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    const limit = options.maxBytes ?? 16 * 1024 * 1024;
    let bytes = 0;
    let stderr = '';
    let stopped: string | undefined;
    const stop = (why: string): void => {
      stopped ??= why;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => stop(`no answer within ${options.timeout} ms`), options.timeout);
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) stop('more output than allowed');
      else chunks.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < 16_384) stderr += chunk.toString('utf8');
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (stopped !== undefined) reject(new GitExitError(args[0] ?? 'git', -1, stopped, '', true));
      else resolve({ code: code ?? -1, stdout: Buffer.concat(chunks), stderr });
    });
    // A child that ended early closes the pipe under our hands; its exit code tells the story.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}
