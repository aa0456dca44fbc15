import { done, failed, type Outcome } from '#kernel';
import type { Deletion, KubernetesObject } from '#fleet';
import { refKey, refOf } from '#fleet';
import { matchDeletion } from '#manifests';
import type { Pass } from '../pass/pass.js';
import { tell } from '../pass/pass.js';
import { kindOf } from './known-kinds.js';
import { isUnknownKind } from './survey.js';

/** Entries of deletions.yaml, in their order. What is not there is done. */
export async function runDeletions(pass: Pass, deletions: readonly Deletion[]): Promise<Outcome> {
  let deleted = 0;
  for (const deletion of deletions) {
    const kind = kindOf(deletion.kind, pass.desired.components);
    if (!kind) return unknownKind(deletion);
    const objects = matchDeletion(deletion, await candidates(pass, deletion, kind));
    for (const object of objects) await deleteObject(pass, deletion, object);
    deleted += objects.length;
  }
  return done(`${deleted} objects deleted`, deleted > 0);
}

async function candidates(
  pass: Pass,
  deletion: Deletion,
  kind: { readonly apiVersion: string; readonly kind: string },
): Promise<readonly KubernetesObject[]> {
  const namespace = deletion.namespace === undefined ? {} : { namespace: deletion.namespace };
  try {
    if (deletion.name !== undefined) {
      const object = await pass.kubernetes.get({ ...kind, ...namespace, name: deletion.name });
      return object ? [object] : [];
    }
    const selector =
      deletion.selector ??
      Object.entries(deletion.labels ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .join(',');
    const listed = await pass.kubernetes.list(kind, { ...namespace, labelSelector: selector });
    return listed.map((object) => ({ ...object, ...kind }));
  } catch (error) {
    if (isUnknownKind(error)) return [];
    throw error;
  }
}

async function deleteObject(pass: Pass, deletion: Deletion, object: KubernetesObject): Promise<void> {
  if (object.metadata.deletionTimestamp !== undefined) return;
  const ref = refOf(object);
  await pass.intents.perform({ step: 'manifests', target: refKey(ref), verb: 'delete' }, () =>
    pass.kubernetes.delete(ref, {
      ...(object.metadata.uid !== undefined && { uid: object.metadata.uid }),
      ...(deletion.gracePeriodSeconds !== undefined && { gracePeriodSeconds: deletion.gracePeriodSeconds }),
      propagationPolicy: deletion.propagationPolicy ?? 'Background',
    }),
  );
  tell(pass, { type: 'object.deleted', message: `deletions.yaml: deleted ${refKey(ref)}` });
}

function unknownKind(deletion: Deletion): Outcome {
  return failed({
    class: 'invalid',
    code: 'deletion-kind-unknown',
    message: `deletions.yaml names kind ${deletion.kind}, which is neither built in nor in the manifests`,
    hint: 'Use the singular kind as in a manifest, for example Deployment.',
    place: { file: 'cluster/manifests/deletions.yaml', field: 'kind' },
  });
}
