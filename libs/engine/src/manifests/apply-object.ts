import { toFailure, type Failure } from '#kernel';
import type { KubernetesObject } from '#fleet';
import { refKey, refOf } from '#fleet';
import { classifyImmutable, FIELD_MANAGER, KUBECTL_APPLY_MANAGERS, mayRecreate } from '#manifests';
import type { Pass } from '../pass/pass.js';
import { comparisonCache } from './comparison-cache.js';
import { passesByItself, type Compared } from './compare-objects.js';

export type ApplyResult =
  | { readonly kind: 'applied'; readonly object: KubernetesObject }
  | { readonly kind: 'waiting'; readonly for: string }
  | { readonly kind: 'refused'; readonly failure: Failure };

/** Writes one object that differs. What the API server refuses about it is a value; everything else is thrown. */
export async function applyObject(pass: Pass, compared: Compared): Promise<ApplyResult> {
  const ref = refOf(compared.staged.object);
  const key = refKey(ref);
  if (compared.action === 'wait') return { kind: 'waiting', for: `${key} to be gone` };
  if (compared.refused) return recreate(pass, compared, compared.refused);
  comparisonCache(pass.kubernetes).forget(key);
  try {
    if (compared.adopt) {
      await pass.kubernetes.adoptFields(ref, { from: KUBECTL_APPLY_MANAGERS, fieldManager: FIELD_MANAGER });
    }
    const options = { dryRun: false, force: true, fieldManager: FIELD_MANAGER };
    return { kind: 'applied', object: await pass.kubernetes.apply(compared.body.object, options) };
  } catch (error) {
    const failure = toFailure(error);
    if (passesByItself(failure)) throw error;
    return { kind: 'refused', failure: explained(compared, failure) };
  }
}

/** Whether the refusal is one that deleting the object and creating it again would cure, and that is allowed. */
export function willRecreate(compared: Compared): boolean {
  return (
    compared.refused !== undefined &&
    compared.live !== undefined &&
    immutableFields(compared.refused) !== undefined &&
    mayRecreate(compared.staged.object).allowed
  );
}

async function recreate(pass: Pass, compared: Compared, refused: Failure): Promise<ApplyResult> {
  const { object } = compared.staged;
  const ref = refOf(object);
  const uid = compared.live?.metadata.uid;
  if (!willRecreate(compared) || uid === undefined)
    return { kind: 'refused', failure: explained(compared, refused) };
  await pass.intents.perform(
    { step: 'manifests', target: refKey(ref), verb: 'recreate', data: { uid } },
    () => pass.kubernetes.delete(ref, { uid, propagationPolicy: 'Background' }),
  );
  if (await pass.kubernetes.get(ref)) return { kind: 'waiting', for: `${refKey(ref)} to be gone` };
  const { refused: _cured, ...fresh } = compared;
  return applyObject(pass, { ...fresh, live: undefined, adopt: false, body: { object, left: [] } });
}

/** Fields that cannot change; undefined where anything else is wrong as well. */
function immutableFields(failure: Failure): readonly string[] | undefined {
  const details = failure.details ?? [];
  if (details.length > 0) {
    if (!details.every((detail) => classifyImmutable(detail.message).immutable)) return undefined;
    return [...new Set(details.map((detail) => detail.place?.field ?? ''))].filter((field) => field !== '');
  }
  const { immutable, fields } = classifyImmutable(failure.message);
  return immutable ? fields : undefined;
}

/** The same words before anything is written; an object that may be made anew is told as that. */
export function foreseenRefusal(compared: Compared, refused: Failure): { what: string; remedy: string } {
  const { message, hint } = explained(compared, refused);
  return willRecreate(compared)
    ? {
        what: `${message}: it is deleted and created again`,
        remedy: 'Its annotation fairway.dev/force allows it.',
      }
    : { what: message, remedy: hint ?? 'Merge a fix; its component is not applied.' };
}

/** Says which object, file and fields it is about, and what would cure it. */
function explained(compared: Compared, failure: Failure): Failure {
  const { object, file, line } = compared.staged;
  const key = refKey(refOf(object));
  const place = { ...failure.place, file, line };
  const fields = immutableFields(failure);
  if (!fields) return { ...failure, message: `${key}: ${failure.message}`, place };
  return {
    class: 'invalid',
    code: 'field-immutable',
    message: `${key}: ${fields.length > 0 ? fields.join(', ') : 'a field'} cannot be changed after creation`,
    hint: `Put the old value back, or give it another name; ${mayRecreate(object).reason}.`,
    place: { ...place, ...(fields[0] !== undefined && { field: fields[0] }) },
  };
}
