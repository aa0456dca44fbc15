import type { ConfigProblem, Deletion, DesiredState } from '#fleet';
import { PATHS } from '../layout/config-layout.js';
import { problem } from '../problems.js';
import type { ProblemList } from '../problems.js';
import { isRecord } from '../validation/cloudformation.js';
import type { YamlDocument } from './documents.js';
import type { FileRenderer, RenderedFile } from './file-renderer.js';

type Fields = Readonly<Record<string, unknown>>;
const POLICIES = ['Foreground', 'Background', 'Orphan'] as const;
const FIELDS = [
  'kind',
  'apiVersion',
  'namespace',
  'name',
  'selector',
  'labels',
  'has_owner',
  'grace_period_seconds',
  'propagation_policy',
];

/** Reads `deletions.yaml`: lists pre_apply and post_apply. */
export function readDeletions(
  files: FileRenderer,
  rendered: RenderedFile,
  problems: ProblemList,
): DesiredState['deletions'] {
  const { documents, problems: faults } = files.read(rendered);
  const found: ConfigProblem[] = [...faults];
  const preApply: Deletion[] = [];
  const postApply: Deletion[] = [];
  for (const document of documents) {
    const { value, line } = document;
    if (!isRecord(value)) {
      found.push(
        problem('invalid-deletion', 'the file must be a map with pre_apply and post_apply', {
          file: rendered.file,
          line,
        }),
      );
      continue;
    }
    for (const key of Object.keys(value)) {
      if (key !== 'pre_apply' && key !== 'post_apply') {
        found.push(
          problem(
            'invalid-deletion',
            `unknown list ${key}`,
            { file: rendered.file, line: document.lineOfKey(key), field: key },
            'Known: pre_apply, post_apply.',
          ),
        );
      }
    }
    preApply.push(...readList(value, 'pre_apply', document, found));
    postApply.push(...readList(value, 'post_apply', document, found));
  }
  problems.add(...found);
  return { preApply, postApply };
}

function readList(
  value: Fields,
  key: string,
  document: YamlDocument,
  found: ConfigProblem[],
): readonly Deletion[] {
  const list = value[key] ?? [];
  const place = { file: PATHS.deletions, line: document.lineOfKey(key) };
  if (!Array.isArray(list)) {
    found.push(problem('invalid-deletion', `${key} must be a list`, { ...place, field: key }));
    return [];
  }
  return list.flatMap((entry: unknown, index) => {
    const field = `${key}[${index}]`;
    const read = readDeletion(entry);
    if (typeof read !== 'string') return [read];
    found.push(problem('invalid-deletion', `${field}: ${read}`, { ...place, field }));
    return [];
  });
}

const text = (fields: Fields, name: string): string | undefined =>
  typeof fields[name] === 'string' && fields[name] !== '' ? (fields[name] as string) : undefined;

/** One entry, or why it is none. */
function readDeletion(entry: unknown): Deletion | string {
  if (!isRecord(entry)) return 'must be a map';
  const fault = deletionFault(entry);
  if (fault !== undefined) return fault;
  const [namespace, name, selector] = [
    text(entry, 'namespace'),
    text(entry, 'name'),
    text(entry, 'selector'),
  ];
  const { labels, has_owner: owner, grace_period_seconds: seconds } = entry;
  const policy = POLICIES.find((one) => one === entry['propagation_policy']);
  return {
    kind: text(entry, 'kind') ?? '',
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    ...(selector !== undefined && { selector }),
    ...(isRecord(labels) && { labels: labels as Readonly<Record<string, string>> }),
    ...(owner !== undefined && { hasOwner: owner as boolean }),
    ...(seconds !== undefined && { gracePeriodSeconds: seconds as number }),
    ...(policy && { propagationPolicy: policy }),
  };
}

function deletionFault(entry: Fields): string | undefined {
  const unknown = Object.keys(entry).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) return `unknown field ${unknown}; known are ${FIELDS.join(', ')}`;
  if (text(entry, 'kind') === undefined) return 'kind is missing';
  const { has_owner: owner, grace_period_seconds: seconds, propagation_policy: policy } = entry;
  if (seconds !== undefined && !Number.isSafeInteger(seconds))
    return 'grace_period_seconds must be a whole number';
  if (policy !== undefined && !POLICIES.some((one) => one === policy)) {
    return `propagation_policy must be one of ${POLICIES.join(', ')}`;
  }
  if (owner !== undefined && typeof owner !== 'boolean') return 'has_owner must be true or false';
  return identifierFault(entry);
}

/** Without exactly one identifier an entry would mean nothing, or everything. */
function identifierFault(entry: Fields): string | undefined {
  const given = ['name', 'selector', 'labels'].filter(
    (field) => entry[field] !== undefined && entry[field] !== null,
  );
  if (given.length !== 1) {
    return `needs exactly one of name, selector and labels, has ${given.join(' and ') || 'none'}`;
  }
  const { labels } = entry;
  if (labels === undefined || labels === null) {
    return text(entry, given[0] as string) === undefined ? `${given[0]} must be text` : undefined;
  }
  if (!isRecord(labels) || Object.values(labels).some((label) => typeof label !== 'string')) {
    return 'labels must be a map of texts';
  }
  return Object.keys(labels).length === 0
    ? 'labels must not be empty: that would mean all objects'
    : undefined;
}
