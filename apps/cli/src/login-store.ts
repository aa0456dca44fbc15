import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { CommandError, EXIT } from './exit-codes.js';

export interface Login {
  readonly url: string;
  readonly token: string;
}

const loginFile = (): string =>
  join(process.env['FAIRWAY_HOME'] ?? join(homedir(), '.config', 'fairway'), 'login.json');

/** Kept readable by its owner only. */
export function saveLogin(login: Login): string {
  const file = loginFile();
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${JSON.stringify(login, undefined, 2)}\n`, { mode: 0o600 });
  return file;
}

/** FAIRWAY_URL and FAIRWAY_TOKEN come before the stored login. */
export function loadLogin(): Login {
  const { FAIRWAY_URL: url, FAIRWAY_TOKEN: token } = process.env;
  if (url !== undefined && token !== undefined) return { url, token };
  try {
    const stored = JSON.parse(readFileSync(loginFile(), 'utf8')) as Partial<Login>;
    if (typeof stored.url === 'string' && typeof stored.token === 'string') {
      return { url: url ?? stored.url, token: token ?? stored.token };
    }
  } catch {
    // Told below: not logged in.
  }
  throw new CommandError(
    'not logged in',
    EXIT.usage,
    'Run: fairway login URL  (or set FAIRWAY_URL and FAIRWAY_TOKEN)',
  );
}
