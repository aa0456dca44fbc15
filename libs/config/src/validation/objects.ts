import type { ConfigProblem, KubernetesObject, SourcedObject } from '#fleet';
import { refKey, refOf } from '#fleet';
import { problem } from '../problems.js';
import type { YamlDocument } from '../render/documents.js';
import { isRecord } from './cloudformation.js';

const NAME_LIMIT = 253;
const textAt = (fields: Readonly<Record<string, unknown>>, name: string): string | undefined => {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** A document as Kubernetes objects (a List is its items), or what keeps it from being one. */
export function readObjects(
  document: YamlDocument,
  file: string,
  problems: ConfigProblem[],
): readonly SourcedObject[] {
  const { value, line } = document;
  const say = (message: string, field?: string, hint?: string): readonly SourcedObject[] => {
    const at = field === undefined ? line : document.lineOfKey(field.split('.')[0] as string);
    problems.push(problem('invalid-object', message, { file, line: at, field }, hint));
    return [];
  };
  if (!isRecord(value))
    return say('this is no Kubernetes object: it must be a map with apiVersion, kind and metadata.name');
  const kind = textAt(value, 'kind');
  if (kind === undefined) return say('kind is missing or no text', 'kind');
  if (textAt(value, 'apiVersion') === undefined)
    return say(`apiVersion of this ${kind} is missing or no text`, 'apiVersion');
  if (kind === 'List' && Array.isArray(value['items'])) {
    return (value['items'] as unknown[]).flatMap((item) =>
      readObjects({ ...document, value: item }, file, problems),
    );
  }
  const metadata = value['metadata'];
  if (!isRecord(metadata)) return say(`metadata of this ${kind} is missing`, 'metadata');
  const name = textAt(metadata, 'name');
  if (name === undefined) {
    return say(
      `metadata.name of this ${kind} is missing or no text`,
      'metadata.name',
      'Quote names that look like numbers; generateName cannot be applied.',
    );
  }
  if (name.length > NAME_LIMIT)
    return say(`metadata.name of this ${kind} is longer than ${NAME_LIMIT}`, 'metadata.name');
  const fault = metadataFault(metadata);
  if (fault) return say(`${fault.message} of ${kind} ${name}`, fault.field, fault.hint);
  return [{ object: value as unknown as KubernetesObject, file, line }];
}

interface MetadataFault {
  readonly message: string;
  readonly field: string;
  readonly hint: string;
}

/** Labels and annotations are text to text; unquoted numbers and booleans are what Kubernetes refuses most often. */
function metadataFault(metadata: Readonly<Record<string, unknown>>): MetadataFault | undefined {
  for (const field of ['labels', 'annotations'] as const) {
    const value = metadata[field];
    if (value === undefined || value === null) continue;
    if (!isRecord(value))
      return {
        message: `metadata.${field} must be a map`,
        field: `metadata.${field}`,
        hint: 'Write key: value pairs.',
      };
    const bad = Object.entries(value).find(([, text]) => typeof text !== 'string' && text !== null);
    if (bad) {
      return {
        message: `metadata.${field}.${bad[0]} must be text`,
        field: `metadata.${field}.${bad[0]}`,
        hint: 'Quote the value.',
      };
    }
  }
  const namespace = metadata['namespace'];
  if (namespace !== undefined && namespace !== null && typeof namespace !== 'string') {
    return {
      message: 'metadata.namespace must be text',
      field: 'metadata.namespace',
      hint: 'Quote the value.',
    };
  }
  return undefined;
}

/** No two objects with the same group, kind, namespace and name, in whatever component. */
export function duplicateProblems(objects: readonly SourcedObject[]): readonly ConfigProblem[] {
  const first = new Map<string, SourcedObject>();
  const found: ConfigProblem[] = [];
  for (const sourced of objects) {
    const key = refKey(refOf(sourced.object));
    const before = first.get(key);
    if (before) {
      found.push(
        problem(
          'duplicate-object',
          `${key} is also defined in ${before.file}:${before.line}`,
          sourced,
          'Remove or rename one of the two.',
        ),
      );
    } else first.set(key, sourced);
  }
  return found;
}
