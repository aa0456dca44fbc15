import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Duration } from '#kernel';
import { milliseconds, seconds } from '#kernel';
import { GitExitError } from './git-exit-error.js';

const HEARTBEAT = seconds(2);
/** Without a heartbeat for so long its holder is gone, whatever machine it was on. */
const STALE_AFTER = seconds(30);
const POLL = milliseconds(50);

/** This process, also told apart from another one with its pid in another container. */
const SELF = randomUUID();

/**
 * Runs `work` while nobody else, in this process or another, changes the mirror. The lock is a file beside it; what a
 * killed holder left is taken over at once on the same machine, else when its heartbeat is old.
 */
export async function withMirrorLock<T>(file: string, wait: Duration, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + wait;
  while (!(await tryLock(file))) {
    if ((await isStale(file)) && (await takeAway(file))) continue;
    if (performance.now() > deadline) {
      throw new GitExitError('lock', -1, `no turn at the mirror within ${wait} ms`, '', true);
    }
    await sleep(POLL);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, HEARTBEAT);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(file, { force: true });
  }
}

async function tryLock(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(JSON.stringify({ host: hostname(), pid: process.pid, self: SELF }));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a stale lock away; whoever finds that it moved a fresh one puts it back. */
async function takeAway(file: string): Promise<boolean> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
    const wasStale = await isStale(aside);
    if (!wasStale) await link(aside, file).catch(() => undefined);
    await rm(aside, { force: true });
    return wasStale;
  } catch {
    return true;
  }
}

async function isStale(file: string): Promise<boolean> {
  try {
    const age = Date.now() - (await stat(file)).mtimeMs;
    if (age > STALE_AFTER) return true;
    const holder = JSON.parse(await readFile(file, 'utf8')) as { host?: string; pid?: number; self?: string };
    if (holder.host !== hostname() || holder.pid === undefined || holder.self === SELF) return false;
    return holder.pid === process.pid || !isAlive(holder.pid);
  } catch {
    // Gone meanwhile, or just being written.
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
