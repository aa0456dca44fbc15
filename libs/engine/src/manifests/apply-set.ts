import { digestOfValue, toFailure } from '#kernel';
import { problemOf, type ObjectRef } from '#fleet';
import { applySetParent, FIELD_MANAGER } from '#manifests';
import type { Pass } from '../pass/pass.js';
import { passesByItself } from './compare-objects.js';

/** Memory key: digest of the parent that was written last. */
const WRITTEN = 'manifests/apply-set';

/**
 * Tells other tools which kinds and namespaces hold our objects: before the first write those of before and those to come,
 * afterwards what is left. One request where that changed, none otherwise. Nothing of ours depends on it, so a refusal is
 * told and stops nothing.
 */
export async function declareApplySet(pass: Pass, members: readonly ObjectRef[]): Promise<void> {
  const parent = applySetParent(members);
  const digest = digestOfValue(parent);
  if (pass.memory.get(WRITTEN) === digest) return;
  if (members.length === 0 && pass.memory.get(WRITTEN) === undefined) return;
  try {
    await pass.kubernetes.apply(parent, { dryRun: false, force: true, fieldManager: FIELD_MANAGER });
    pass.memory.set(WRITTEN, digest);
  } catch (error) {
    const failure = toFailure(error);
    if (passesByItself(failure)) throw error;
    pass.report.problems.push(problemOf(failure, `cluster/${pass.cluster.id}`, 'warning'));
  }
}
