import { cp, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitServer } from '#simulation';

const CHANNELS = ['dev', 'alpha', 'beta', 'stable'] as const;

/** A configuration repository whose channels all begin at the same commit. */
export async function seedRepository(
  git: GitServer,
  name: string,
  configDir: string,
  policyFile: string | undefined,
  stateDir: string,
): Promise<string> {
  const dir = join(stateDir, 'seed');
  await cp(configDir, dir, { recursive: true, verbatimSymlinks: true });
  if (policyFile !== undefined) await copyFile(policyFile, join(dir, 'fairway.yaml'));
  return git.createRepository(name, { dir, branches: CHANNELS, message: 'The fleet as it is' });
}
