import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** The operating-system account that the database processes run as. `ids` is absent when it is our own account. */
export interface PostgresAccount {
  readonly name: string;
  readonly ids?: { readonly uid: number; readonly gid: number };
}

/**
 * Postgres refuses to run as root, so root hands it to an account that exists everywhere: `postgres` where the system
 * has it, else `nobody`. No account is ever added to the machine.
 */
export async function postgresAccount(): Promise<PostgresAccount> {
  if (process.getuid?.() !== 0) return { name: 'the current user' };
  const accounts = parsePasswd(await readFile('/etc/passwd', 'utf8').catch(() => ''));
  for (const name of ['postgres', 'nobody']) {
    const ids = accounts.get(name);
    if (ids && ids.uid !== 0) return { name, ids };
  }
  throw new Error(
    'Postgres cannot run as root and /etc/passwd has neither a user "postgres" nor "nobody". ' +
      'Run Fairway as an ordinary user, or set FAIRWAY_DATABASE_URL.',
  );
}

export function parsePasswd(
  text: string,
): ReadonlyMap<string, { readonly uid: number; readonly gid: number }> {
  const accounts = new Map<string, { uid: number; gid: number }>();
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name && /^\d+$/.test(uid ?? '') && /^\d+$/.test(gid ?? '')) {
      accounts.set(name, { uid: Number(uid), gid: Number(gid) });
    }
  }
  return accounts;
}

/** Whether the account may walk down to the directory: a clone below /root is closed to everybody else. */
export async function canReach(directory: string, account: PostgresAccount): Promise<boolean> {
  const ids = account.ids;
  if (!ids) return true;
  for (let path = resolve(directory); ; path = dirname(path)) {
    const facts = await stat(path).catch(() => undefined);
    if (facts) {
      const bit = facts.uid === ids.uid ? 0o100 : facts.gid === ids.gid ? 0o010 : 0o001;
      if ((facts.mode & bit) === 0) return false;
    }
    if (path === dirname(path)) return true;
  }
}
