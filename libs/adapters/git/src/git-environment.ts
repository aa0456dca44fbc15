import type { Duration } from '#kernel';
import { seconds } from '#kernel';
import type { RepositoryUrl } from './repository-url.js';

/** What a Git host wants to see. Handed over by environment only: never on a command line, never in a file of ours. */
export type GitCredentials =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'ssh'; readonly keyFile: string; readonly knownHostsFile?: string };

/** All that a Git process gets of our own environment: where programs are, and how the network is reached. */
const INHERITED = [
  'PATH',
  'TMPDIR',
  'SYSTEMROOT',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
] as const;

export interface EnvironmentInput {
  /** An empty directory: nobody's `.gitconfig` or `.netrc` has a say. */
  readonly home: string;
  /** Our own mirror, whoever owns it on disk. */
  readonly mirrorDir: string;
  readonly timeout: Duration;
  readonly remote?: { readonly url: RepositoryUrl; readonly credentials?: GitCredentials | undefined };
}

/**
 * The whole environment of a Git process. No prompts, hooks, filters, helpers, submodules or user configuration; only
 * the protocols we name. Source: git(1) "Environment Variables", git-config(1).
 */
export function gitEnvironment(input: EnvironmentInput): Record<string, string> {
  const { remote } = input;
  const environment: Record<string, string> = {
    HOME: input.home,
    XDG_CONFIG_HOME: input.home,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_ALLOW_PROTOCOL: remote?.url.protocol ?? '',
    GIT_SSH_COMMAND: sshCommand(remote?.credentials),
  };
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  const settings = [...fixedSettings(input), ...remoteSettings(input)];
  environment['GIT_CONFIG_COUNT'] = String(settings.length);
  settings.forEach(([key, value], index) => {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  return environment;
}

type Setting = readonly [key: string, value: string];

function fixedSettings({ mirrorDir, timeout }: EnvironmentInput): readonly Setting[] {
  return [
    ['safe.directory', mirrorDir],
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['credential.helper', ''],
    ['protocol.ext.allow', 'never'],
    ['submodule.recurse', 'false'],
    ['fetch.recurseSubmodules', 'false'],
    ['push.recurseSubmodules', 'no'],
    // Run by us and waited for, so that nothing works on a mirror behind its lock. Old objects are evidence: kept.
    ['maintenance.auto', 'false'],
    ['gc.autoDetach', 'false'],
    ['gc.pruneExpire', 'never'],
    // A helper whose parent was stopped ends by itself.
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', String(Math.max(1, Math.ceil(timeout / seconds(1))))],
  ];
}

function remoteSettings({ remote }: EnvironmentInput): readonly Setting[] {
  if (remote?.url.origin === undefined) return [];
  const header = authorization(remote.credentials);
  // With a secret in the request, nobody but the host we were told to ask may get it.
  if (header === undefined) return [['http.followRedirects', 'initial']];
  return [
    ['http.followRedirects', 'false'],
    [`http.${remote.url.origin}/.extraHeader`, header],
  ];
}

function authorization(credentials: GitCredentials | undefined): string | undefined {
  switch (credentials?.kind) {
    case 'basic': {
      const pair = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
      return `Authorization: Basic ${pair}`;
    }
    case 'bearer':
      return `Authorization: Bearer ${credentials.token}`;
    case 'ssh':
    case undefined:
      return undefined;
  }
}

function sshCommand(credentials: GitCredentials | undefined): string {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'ConnectTimeout=10',
    'ServerAliveInterval=10',
  ];
  if (credentials?.kind === 'ssh') {
    options.push('IdentitiesOnly=yes', `IdentityFile=${credentials.keyFile}`);
    if (credentials.knownHostsFile !== undefined)
      options.push(`UserKnownHostsFile=${credentials.knownHostsFile}`);
  }
  return `ssh ${options.map((option) => `-o ${shellQuote(option)}`).join(' ')}`;
}

const shellQuote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Texts that must not show up in any message. */
export function secretsOf(credentials: GitCredentials | undefined): readonly string[] {
  switch (credentials?.kind) {
    case 'basic':
      return [
        credentials.password,
        Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64'),
      ];
    case 'bearer':
      return [credentials.token];
    case 'ssh':
    case undefined:
      return [];
  }
}
