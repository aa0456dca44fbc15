import { parse } from 'yaml';
import { digestOfValue } from '#kernel';

/** What is read from a template's text besides handing it to CloudFormation. */
export interface TemplateFacts {
  /** `Metadata.Tags`, a map or a list of Key and Value. */
  readonly tags: Readonly<Record<string, string>>;
  /** Defaults of its parameters; undefined for a parameter without one. */
  readonly parameterDefaults: Readonly<Record<string, string | undefined>>;
  /** By logical id; the digest tells versions of a resource apart. */
  readonly resources: Readonly<Record<string, { readonly type: string; readonly digest: string }>>;
}

/** A template that cannot be read has no facts: CloudFormation explains better what is wrong with it. */
export function templateFacts(body: string): TemplateFacts {
  const template = parseTemplate(body);
  const parameters = record(template['Parameters']);
  return {
    tags: readTags(record(template['Metadata'])['Tags']),
    parameterDefaults: Object.fromEntries(
      Object.entries(parameters).map(([name, one]) => [name, scalar(record(one)['Default'])]),
    ),
    resources: Object.fromEntries(
      Object.entries(record(template['Resources'])).map(([id, one]) => [
        id,
        { type: scalar(record(one)['Type']) ?? '?', digest: digestOfValue(one) },
      ]),
    ),
  };
}

function parseTemplate(body: string): Readonly<Record<string, unknown>> {
  try {
    // Short forms such as !Ref are unknown tags; their scalars are read as they stand.
    return record(parse(body, { logLevel: 'silent', uniqueKeys: false }));
  } catch {
    return {};
  }
}

function readTags(tags: unknown): Readonly<Record<string, string>> {
  const pairs: readonly (readonly [unknown, unknown])[] = Array.isArray(tags)
    ? tags.map((tag) => [record(tag)['Key'], record(tag)['Value']] as const)
    : Object.entries(record(tags));
  const read: Record<string, string> = {};
  for (const [key, value] of pairs) {
    const text = scalar(value);
    if (typeof key === 'string' && text !== undefined) read[key] = text;
  }
  return read;
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};

const scalar = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
