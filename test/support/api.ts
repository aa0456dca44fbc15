import { randomBytes } from 'node:crypto';
import { createLog, readSettings, type Settings } from '#platform';
import { startApi, type RunningApi } from '#apps/api';
import { freshDatabase } from './database.js';

export const TEST_CHANNELS = ['dev', 'alpha', 'beta', 'stable'] as const;

export interface TestApi {
  readonly url: string;
  /** Of an admin. */
  readonly token: string;
  readonly databaseUrl: string;
  readonly running: RunningApi;
  /** Everything that was logged, as JSON lines. */
  readonly logged: string[];
  /** A token of another role. */
  tokenFor(role: 'viewer' | 'operator' | 'approver' | 'admin'): Promise<string>;
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
  close(): Promise<void>;
}

export interface SendOptions {
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Uint8Array;
  /** Null sends none. */
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed where the answer says that it is JSON. */
  readonly body: unknown;
}

/** The API as it is shipped, on a database of its own and a free port. */
export async function startTestApi(
  environment: Readonly<Record<string, string>> = {},
  log: { readonly level?: string; readonly syncChannels?: boolean } = {},
): Promise<TestApi> {
  const database = environment['FAIRWAY_DATABASE_URL'] === undefined ? await freshDatabase() : undefined;
  const databaseUrl = environment['FAIRWAY_DATABASE_URL'] ?? database?.url ?? '';
  const token = `fwy_${randomBytes(24).toString('base64url')}`;
  const logged: string[] = [];
  const settings = testSettings(databaseUrl, token, log.level ?? 'debug', environment);
  const running = await startApi(
    settings,
    createLog(settings.FAIRWAY_LOG_LEVEL, {}, { write: (line) => logged.push(line) }),
  );
  if (log.syncChannels !== false) await syncChannels(running);
  const send = (method: string, path: string, options: SendOptions = {}): Promise<Answer> =>
    sendTo(running.url, token, method, path, options);
  return {
    url: running.url,
    token,
    databaseUrl,
    running,
    logged,
    send,
    tokenFor: async (role) => {
      const made = await send('POST', '/api/v1/tokens', { body: { name: `a ${role}`, role } });
      return (made.body as { token: string }).token;
    },
    close: async () => {
      await running.close();
      await database?.drop();
    },
  };
}

const testSettings = (
  databaseUrl: string,
  token: string,
  level: string,
  environment: Readonly<Record<string, string>>,
): Settings =>
  settingsFrom({
    FAIRWAY_DATABASE_URL: databaseUrl,
    FAIRWAY_DATABASE_POOL: '5',
    FAIRWAY_PORT: '0',
    FAIRWAY_REPOSITORY: 'https://git.example.org/team/config.git',
    FAIRWAY_CHANNELS: TEST_CHANNELS.join(','),
    FAIRWAY_BOOTSTRAP_TOKEN: token,
    FAIRWAY_LOG_LEVEL: level,
    ...environment,
  });

export function settingsFrom(environment: Readonly<Record<string, string>>): Settings {
  const settings = readSettings(environment);
  if (!settings.ok) throw new Error(settings.error.join('\n'));
  return settings.value;
}

/** As a worker does when it starts. */
const syncChannels = (running: RunningApi): Promise<void> =>
  running.runtime.channels.syncChannels(
    TEST_CHANNELS.map((name, position) => ({
      name,
      repository: running.runtime.settings.FAIRWAY_REPOSITORY,
      branch: name,
      position,
      ...(position > 0 && { from: TEST_CHANNELS[position - 1] as string }),
    })),
  );

async function sendTo(
  url: string,
  adminToken: string,
  method: string,
  path: string,
  { body, raw, token, headers }: SendOptions,
): Promise<Answer> {
  const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      Accept: 'application/json',
      ...(content !== undefined && { 'Content-Type': 'application/json' }),
      ...(token !== null && { Authorization: `Bearer ${token ?? adminToken}` }),
      ...headers,
    },
    ...(content !== undefined && { body: content as string }),
  });
  const text = await response.text();
  const json = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: json && text !== '' ? (JSON.parse(text) as unknown) : undefined,
  };
}
