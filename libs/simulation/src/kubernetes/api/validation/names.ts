import type { StatusCause } from '../api-error.js';
import type { KubeObject } from '../object.js';
import type { ResourceType } from '../resource-type.js';
import { invalidValue, required } from './faults.js';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED_TEXT =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const LABEL_NAMED: ReadonlySet<string> = new Set(['Namespace', 'Service', 'StatefulSet']);
/** RBAC and API names are path segments: colons and capitals are fine. */
const PATH_NAMED: ReadonlySet<string> = new Set(['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']);
const ANNOTATION_LIMIT = 256 * 1024;

export function metadataFaults(object: KubeObject, type: ResourceType): readonly StatusCause[] {
  const { metadata } = object;
  const faults: StatusCause[] = [];
  if (!metadata.name) faults.push(required('metadata.name', 'name or generateName is required'));
  else faults.push(...nameFaults(metadata.name, type));
  faults.push(...labelFaults(metadata.labels, 'metadata.labels'));
  let size = 0;
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    faults.push(...keyFaults(key, 'metadata.annotations'));
    size += key.length + value.length;
  }
  if (size > ANNOTATION_LIMIT) {
    faults.push({
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${ANNOTATION_LIMIT} bytes`,
      field: 'metadata.annotations',
    });
  }
  for (const finalizer of metadata.finalizers ?? [])
    faults.push(...keyFaults(finalizer, 'metadata.finalizers'));
  return faults;
}

function nameFaults(name: string, type: ResourceType): readonly StatusCause[] {
  const field = 'metadata.name';
  if (PATH_NAMED.has(type.kind)) {
    return /[/%]/.test(name) || name === '.' || name === '..'
      ? [invalidValue(field, name, "may not contain '/' or '%'")]
      : [];
  }
  const label = LABEL_NAMED.has(type.kind) && !type.custom;
  const limit = label ? 63 : 253;
  if (name.length > limit) return [invalidValue(field, name, `must be no more than ${limit} bytes`)];
  if ((label ? LABEL : SUBDOMAIN).test(name)) return [];
  return [invalidValue(field, name, label ? LABEL_TEXT : SUBDOMAIN_TEXT)];
}

export function labelFaults(labels: unknown, field: string): readonly StatusCause[] {
  return Object.entries((labels ?? {}) as Record<string, string>).flatMap(([key, value]) => [
    ...keyFaults(key, field),
    ...(value.length > 63
      ? [invalidValue(field, value, 'must be no more than 63 bytes')]
      : LABEL_VALUE.test(value)
        ? []
        : [invalidValue(field, value, VALUE_TEXT)]),
  ]);
}

function keyFaults(key: string, field: string): readonly StatusCause[] {
  const parts = key.split('/');
  const name = parts.at(-1) as string;
  if (parts.length > 2)
    return [invalidValue(field, key, 'a qualified name must consist of alphanumeric characters')];
  if (parts.length === 2 && !SUBDOMAIN.test((parts[0] as string).toLowerCase())) {
    return [invalidValue(field, key, `prefix part ${SUBDOMAIN_TEXT}`)];
  }
  if (name.length > 63) return [invalidValue(field, key, 'name part must be no more than 63 bytes')];
  return QUALIFIED.test(name) ? [] : [invalidValue(field, key, QUALIFIED_TEXT)];
}
