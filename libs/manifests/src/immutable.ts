import type { KubernetesObject } from '#fleet';
import { FORCE_ANNOTATION } from './labels.js';
import type { ImmutableFailure } from './types.js';

/**
 * Whether an API server's refusal is about fields that cannot change after creation. Real texts: `spec.template:
 * Invalid value: …: field is immutable`, `spec.selector: … field is immutable`, `Forbidden: updates to statefulset spec
 * for fields other than … are forbidden`, `spec.clusterIP … may not change once set`.
 */
export function classifyImmutable(message: string): ImmutableFailure {
  const immutable =
    /field is immutable|is immutable|updates to \S+ spec for fields other than|may not change once set|cannot change roleRef|field can not be changed|may not be changed/i.test(
      message,
    );
  return { immutable, fields: immutable ? fieldsOf(message) : [] };
}

function fieldsOf(message: string): readonly string[] {
  const named = [...message.matchAll(/([a-zA-Z][\w.[\]-]*): (?:Invalid value|Forbidden)/g)].map(
    (match) => match[1] ?? '',
  );
  const fields = named.filter((name) => name !== '' && !/^(is|invalid)$/.test(name));
  return [...new Set(/cannot change roleRef/i.test(message) ? [...fields, 'roleRef'] : fields)];
}

const NEVER_RECREATED = [
  'Namespace',
  'CustomResourceDefinition',
  'PersistentVolumeClaim',
  'PersistentVolume',
  'StatefulSet',
];

/** Delete-and-recreate is allowed only with `fairway.dev/force: enabled`, and never for kinds that hold data. */
export function mayRecreate(object: KubernetesObject): {
  readonly allowed: boolean;
  readonly reason: string;
} {
  if (NEVER_RECREATED.includes(object.kind)) {
    return {
      allowed: false,
      reason: `a ${object.kind} is never deleted to be created again: its data would be lost`,
    };
  }
  if (object.metadata.annotations?.[FORCE_ANNOTATION] === 'enabled')
    return { allowed: true, reason: 'forced' };
  return {
    allowed: false,
    reason: `annotate it with ${FORCE_ANNOTATION}: enabled to have it deleted and created again`,
  };
}
