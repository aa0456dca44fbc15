import type { Failure, FailureClass } from '#kernel';
import { FailureError, seconds } from '#kernel';
import { GitExitError } from './git-exit-error.js';

interface Rule {
  readonly pattern: RegExp;
  readonly class: FailureClass;
  readonly code: string;
  readonly hint: string;
}

/** First match wins. Texts are those of git 2.3x – 2.5x, libcurl and OpenSSH under LC_ALL=C. */
const RULES: readonly Rule[] = [
  {
    pattern: /returned error: 429|too many requests|rate limit/i,
    class: 'throttled',
    code: 'git-throttled',
    hint: 'the Git host limits requests: it is asked again later',
  },
  {
    pattern: /No space left on device|Disk quota exceeded/i,
    class: 'denied',
    code: 'mirror-disk-full',
    hint: 'make room on the volume that holds the mirrors',
  },
  {
    pattern: /cannot lock ref|Unable to create '.*\.lock'/i,
    class: 'transient',
    code: 'mirror-busy',
    hint: 'another process is at the mirror: it is tried again',
  },
  {
    pattern: /Host key verification failed/i,
    class: 'denied',
    code: 'git-untrusted',
    hint: 'add the host key to the known hosts of Fairway after checking it',
  },
  {
    pattern:
      /SSL certificate problem|certificate verif|unable to get local issuer|SSL: no alternative certificate/i,
    class: 'denied',
    code: 'git-untrusted',
    hint: 'the certificate of the Git host does not verify: check its chain, or give Fairway the authority by SSL_CERT_FILE',
  },
  {
    pattern:
      /Authentication failed|could not read (?:Username|Password)|returned error: 40[13]|Permission denied|access denied|invalid credentials|not authorized|HTTP Basic: Access denied/i,
    class: 'denied',
    code: 'git-denied',
    hint: 'check the credentials of the repository and that they may read it (and push, for promotion)',
  },
  {
    pattern:
      /repository .* not found|returned error: 404|does not appear to be a git repository|Repository not found/i,
    class: 'denied',
    code: 'git-not-found',
    hint: 'check the address; hosts also answer so where the credentials may not see the repository',
  },
  {
    pattern:
      /transport '.*' not allowed|unable to update url base from redirection|protocol .* not supported/i,
    class: 'denied',
    code: 'git-redirected',
    hint: 'the host redirects elsewhere: write the final address into the configuration',
  },
  {
    pattern:
      /Could not resolve (?:host|hostname)|Failed to connect|Couldn't connect|Connection (?:refused|reset|timed out|closed)|Operation timed out|Operation too slow|early EOF|hung up unexpectedly|returned error: (?:5\d\d|408)|RPC failed|unexpected disconnect|Empty reply|Recv failure|Network is unreachable|No route to host|SSL_ERROR|SSL_read|gnutls|transfer closed|Could not read from remote repository|invalid index-pack output|not valid: is this a git repository|unable to access/i,
    class: 'transient',
    code: 'git-unreachable',
    hint: 'nothing is changed until the Git host answers again',
  },
];

/** Anything that went wrong with Git, as a failure without secrets. What no rule knows is a bug. */
export function classifyGit(thrown: unknown, repository: string, secrets: readonly string[]): Failure {
  if (thrown instanceof FailureError) return thrown.failure;
  if (isMissingProgram(thrown)) {
    const hint = 'install git 2.32 or newer on the PATH of the worker';
    return { class: 'denied', code: 'git-missing', message: 'the program git cannot be started', hint };
  }
  if (!(thrown instanceof GitExitError)) {
    return { class: 'bug', code: 'git-failed', message: redact(String(thrown), secrets) };
  }
  if (thrown.timedOut) {
    const message = `git ${thrown.command} of ${repository} gave ${thrown.stderr}`;
    return { class: 'transient', code: 'git-timeout', message, hint: 'the Git host or the network is slow' };
  }
  const said = redact(lastLines(thrown.stderr || thrown.stdout), secrets);
  const rule = RULES.find(({ pattern }) => pattern.test(thrown.stderr) || pattern.test(thrown.stdout));
  const message = `git ${thrown.command} of ${repository} failed: ${said}`;
  if (rule === undefined) return { class: 'bug', code: 'git-failed', message };
  return {
    class: rule.class,
    code: rule.code,
    message,
    hint: rule.hint,
    ...(rule.class === 'throttled' && { retryAfterMs: seconds(60) }),
  };
}

const CORRUPT =
  /not a git repository|object file .* is empty|loose object .* is corrupt|object .* is corrupt|packfile .* cannot be|bad object|unable to read (?:sha1|tree)|bad (?:config|index|pack)|invalid object|missing (?:blob|tree|commit|necessary objects)|inflate: data stream error|unable to unpack|broken (?:link|ref)|garbage at end|unable to parse|not a tree object|fatal: bad|does not point to a valid object|unresolved deltas|index-pack failed.*corrupt|could not parse HEAD|unable to resolve reference|file .*\.pack is (?:far )?too short|wrong index|index file .* is too small/i;

/** The mirror on our own disk is damaged: it can be thrown away and made again. */
export const isCorruptMirror = (thrown: unknown): boolean =>
  thrown instanceof GitExitError && !thrown.timedOut && CORRUPT.test(thrown.stderr);

const isMissingProgram = (thrown: unknown): boolean =>
  thrown instanceof Error && /spawn git ENOENT|ENOENT.*spawn/.test(thrown.message);

function lastLines(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('hint:'));
  return lines.slice(-3).join('; ').slice(0, 600) || 'it said nothing';
}

/** Removes what is known to be secret, and user and password of any address. */
export function redact(text: string, secrets: readonly string[]): string {
  const clean = text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^/\s@]+@/gi, '$1');
  return secrets.reduce((rest, secret) => (secret.length < 4 ? rest : rest.replaceAll(secret, '***')), clean);
}
