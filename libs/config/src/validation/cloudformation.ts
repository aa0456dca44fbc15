import type { ConfigProblem } from '#fleet';
import { problem } from '../problems.js';
import type { FileRenderer, RenderedFile } from '../render/file-renderer.js';

type Fields = Readonly<Record<string, unknown>>;
export const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const own = (value: unknown, name: string): unknown =>
  isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/** What Fairway reads of a CloudFormation template. */
export interface StackFacts {
  /** Names of the outputs, and the names under which they are exported, where that is plain text. */
  readonly outputs: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly stackName?: string;
}

const SECTIONS: ReadonlySet<string> = new Set([
  'AWSTemplateFormatVersion',
  'Description',
  'Metadata',
  'Parameters',
  'Rules',
  'Mappings',
  'Conditions',
  'Transform',
  'Resources',
  'Outputs',
]);
const LOGICAL_ID = /^[A-Za-z0-9]+$/;
const TYPE = /^([A-Za-z0-9]+::[A-Za-z0-9]+::[A-Za-z0-9:]+|Custom::[A-Za-z0-9_@-]+)$/;

/** Well-formedness of a stack's template: one map, known sections, resources that have a type. */
export function checkStack(
  files: FileRenderer,
  rendered: RenderedFile,
): {
  readonly facts?: StackFacts;
  readonly problems: readonly ConfigProblem[];
} {
  const { documents, problems: faults } = files.read(rendered, { cloudFormation: true });
  const found: ConfigProblem[] = [...faults];
  const { file } = rendered;
  const say = (message: string, line?: number, field?: string): void => {
    found.push(problem('invalid-stack', message, { file, line, field }));
  };
  const document = documents[0];
  if (!document) {
    if (found.length === 0) say('the template is empty', 1);
    return { problems: found };
  }
  if (documents.length > 1) say('a stack is one YAML document', documents[1]?.line);
  const template = document.value;
  if (!isRecord(template)) {
    say('the template must be a map', document.line);
    return { problems: found };
  }
  for (const section of Object.keys(template)) {
    if (!SECTIONS.has(section)) say(`unknown section ${section}`, document.lineOfKey(section), section);
  }
  const resources = own(template, 'Resources');
  if (!isRecord(resources) || Object.keys(resources).length === 0) {
    say('Resources must be a map with at least one resource', document.lineOfKey('Resources'), 'Resources');
  } else {
    for (const [name, resource] of Object.entries(resources)) {
      checkResource(name, resource, (message) =>
        say(message, document.lineOfKey('Resources'), `Resources.${name}`),
      );
    }
  }
  return { facts: factsOf(template), problems: found };
}

function checkResource(name: string, resource: unknown, say: (message: string) => void): void {
  const type = own(resource, 'Type');
  if (!LOGICAL_ID.test(name) && !name.startsWith('Fn::ForEach'))
    say(`the logical id ${name} is not alphanumeric`);
  if (name.startsWith('Fn::ForEach')) return;
  if (typeof type !== 'string') return say(`resource ${name} has no Type`);
  if (!TYPE.test(type)) say(`resource ${name} has the Type ${type}, which is none`);
  const properties = own(resource, 'Properties');
  if (properties !== undefined && properties !== null && !isRecord(properties)) {
    say(`Properties of resource ${name} must be a map`);
  }
}

function factsOf(template: Fields): StackFacts {
  const metadata = own(template, 'Metadata');
  const tags = own(metadata, 'Tags');
  const stackName = own(metadata, 'StackName');
  const outputs = own(template, 'Outputs');
  return {
    outputs: isRecord(outputs) ? Object.keys(outputs) : [],
    tags: isRecord(tags)
      ? Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, String(value)]))
      : {},
    ...(typeof stackName === 'string' && { stackName }),
  };
}
