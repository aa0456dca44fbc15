import type { Instant } from '#kernel';
import type { Pass } from '../pass/pass.js';

const PROGRESS = 'manifests/progress';

/** How far one update has come with its manifests. */
export interface Progress {
  readonly key: string;
  /** Names of stages that were applied, with the time. */
  readonly applied: Readonly<Record<string, Instant>>;
  /** Stages among them that lack an object: it was refused, or has to wait. */
  readonly partly?: readonly string[];
  readonly deletedBefore: boolean;
  /** When all was as it should be; from then on differences are drift. */
  readonly doneAt?: Instant;
  /** When drift was last looked for. */
  readonly scannedAt?: Instant;
}

export function progressOf(pass: Pass): Progress {
  const key = `${pass.update.id}|${pass.desired.digest}`;
  const stored = pass.memory.get(PROGRESS) as Partial<Progress> | undefined;
  if (stored?.key === key && stored.applied) return stored as Progress;
  return { key, applied: {}, deletedBefore: false };
}

/** Whether something of the stage is still to be applied. */
export function isPending(pass: Pass, stage: { readonly name: string }): boolean {
  const { applied, partly = [] } = progressOf(pass);
  return applied[stage.name] === undefined || partly.includes(stage.name);
}

/** The same objects under another update: what was applied is applied, so that differences stay drift. */
export function carriedProgress(
  memory: Readonly<Record<string, unknown>>,
  updateId: string,
  desiredDigest: string,
): Readonly<Record<string, unknown>> {
  const stored = memory[PROGRESS] as Partial<Progress> | undefined;
  if (stored?.key?.endsWith(`|${desiredDigest}`) !== true) return {};
  return { [PROGRESS]: { ...stored, key: `${updateId}|${desiredDigest}` } };
}

export const saveProgress = (pass: Pass, change: Partial<Progress>): void =>
  pass.memory.set(PROGRESS, { ...progressOf(pass), ...change });
