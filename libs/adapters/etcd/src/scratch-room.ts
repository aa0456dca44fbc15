import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const PREFIX = 'fairway-drill-';
const OWNED = /^fairway-drill-(\d+)-/;
/** Those of this process that are in use. */
const held = new Set<string>();

/**
 * A directory for one drill, gone afterwards. What dead processes left of theirs goes first: it is a whole database in the
 * clear, and as large.
 */
export async function inScratchRoom<T>(parent: string, work: (directory: string) => Promise<T>): Promise<T> {
  await sweep(parent);
  const directory = await mkdtemp(join(parent, `${PREFIX}${process.pid}-`));
  held.add(directory);
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
    held.delete(directory);
  }
}

async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const owner = Number(OWNED.exec(name)?.[1]);
    const directory = join(parent, name);
    // A container that was started again has the same process id as the one that died.
    const mine = owner === process.pid;
    if (Number.isNaN(owner) || held.has(directory) || (!mine && isAlive(owner))) continue;
    await rm(directory, { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}
