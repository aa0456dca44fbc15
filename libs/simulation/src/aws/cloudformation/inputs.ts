import { AwsError, validationError } from '../aws-error.js';
import { list, text } from '../props.js';
import type { RegionalAws } from '../region.js';
import type { StackInput } from './stack.js';
import { parseTemplate, type Template } from './template.js';

interface ParameterValue {
  readonly key: string;
  readonly value?: string;
  readonly usePrevious?: boolean;
}

/** The parts that CreateStack, UpdateStack and CreateChangeSet share. */
export interface StackRequest {
  readonly stackName: string;
  readonly templateBody?: string;
  readonly templateUrl?: string;
  readonly usePreviousTemplate?: boolean;
  readonly parameters: readonly ParameterValue[];
  /** Undefined keeps the tags that the stack has. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly capabilities: readonly string[];
  readonly token?: string;
}

const BODY_LIMIT = 51_200;
const URL_LIMIT = 1_048_576;

/** Everything that CloudFormation checks before it accepts a request. */
export function stackInput(
  aws: RegionalAws,
  request: StackRequest,
  previous: StackInput | undefined,
): StackInput {
  const body = templateBody(aws, request, previous);
  const template = parseTemplate(body);
  const parameters = parameterValues(template, request.parameters, previous);
  const input = {
    body,
    template,
    parameters,
    tags: request.tags ?? previous?.tags ?? {},
    capabilities: request.capabilities,
  };
  checkCapabilities(template, request.capabilities);
  return input;
}

export function templateBody(
  aws: RegionalAws,
  request: Pick<StackRequest, 'templateBody' | 'templateUrl' | 'usePreviousTemplate'>,
  previous: StackInput | undefined,
): string {
  if (request.usePreviousTemplate) {
    if (!previous) throw validationError('Previous template does not exist.');
    return previous.body;
  }
  if (request.templateUrl) return fetchTemplate(aws, request.templateUrl);
  const body = request.templateBody ?? '';
  if (body === '') throw validationError('Either Template URL or Template Body must be specified.');
  if (Buffer.byteLength(body) > BODY_LIMIT) {
    throw validationError(
      `1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${BODY_LIMIT}`,
    );
  }
  return body;
}

/** Path style and virtual-host style URLs of the simulated S3, with whatever host it listens on. */
function fetchTemplate(aws: RegionalAws, url: string): string {
  if (!URL.canParse(url)) throw validationError(`TemplateURL must be a supported URL.`);
  const { hostname, pathname } = new URL(url);
  const [, virtual] = /^(.+?)\.(?:s3[.-][^/]*|s3\.amazonaws\.com|localhost)$/.exec(hostname) ?? [];
  const path = decodeURIComponent(pathname.slice(1));
  const bucket = virtual ?? path.split('/')[0] ?? '';
  const key = virtual ? path : path.slice(bucket.length + 1);
  try {
    const { body } = aws.objects.get(aws.account, bucket, key);
    if (body.length > URL_LIMIT) throw validationError(`Template may not exceed ${URL_LIMIT} bytes in size.`);
    return Buffer.from(body).toString('utf8');
  } catch (error) {
    if (error instanceof AwsError && error.code !== 'ValidationError')
      throw validationError(`S3 error: ${error.message}`);
    throw error;
  }
}

function parameterValues(
  template: Template,
  given: readonly ParameterValue[],
  previous: StackInput | undefined,
): Record<string, string> {
  const unknown = given.filter(({ key }) => !(key in template.parameters)).map(({ key }) => key);
  if (unknown.length > 0)
    throw validationError(`Parameters: [${unknown.join(', ')}] do not exist in the template`);
  const values: Record<string, string> = {};
  const missing: string[] = [];
  for (const [key, declared] of Object.entries(template.parameters)) {
    const parameter = given.find((candidate) => candidate.key === key);
    const value = parameter?.usePrevious
      ? previous?.parameters[key]
      : (parameter?.value ?? text(declared['Default']));
    const isEmptyDefault = declared['Default'] === '' && !parameter;
    if (value === undefined && !isEmptyDefault) missing.push(key);
    else values[key] = value ?? '';
  }
  if (missing.length > 0) throw validationError(`Parameters: [${missing.join(', ')}] must have values`);
  for (const [key, value] of Object.entries(values)) checkParameter(template, key, value);
  return values;
}

function checkParameter(template: Template, key: string, value: string): void {
  const declared = template.parameters[key] ?? {};
  const allowed = list(declared['AllowedValues']).map(String);
  if (allowed.length > 0 && !allowed.includes(value)) {
    throw validationError(`Parameter '${key}' must be one of AllowedValues`);
  }
  const pattern = text(declared['AllowedPattern']);
  if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`).test(value)) {
    throw validationError(
      text(declared['ConstraintDescription']) ??
        `Parameter '${key}' failed to satisfy constraint: Member must satisfy regular expression pattern: ${pattern}`,
    );
  }
  if (text(declared['Type']) === 'Number' && !Number.isFinite(Number(value))) {
    throw validationError(`Parameter '${key}' must be a number`);
  }
}

const IAM_NAMES: Readonly<Record<string, string>> = {
  'AWS::IAM::Role': 'RoleName',
  'AWS::IAM::User': 'UserName',
  'AWS::IAM::Group': 'GroupName',
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
  'AWS::IAM::InstanceProfile': 'InstanceProfileName',
  'AWS::IAM::Policy': '',
};

/** What a template needs: `CAPABILITY_NAMED_IAM`, `CAPABILITY_IAM` or nothing. */
export function requiredCapability(template: Template): string | undefined {
  const iam = [...template.resources.values()].filter(({ type }) => type in IAM_NAMES);
  if (iam.length === 0) return undefined;
  const named = iam.some(({ type, properties }) => properties[IAM_NAMES[type] as string] !== undefined);
  return named ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM';
}

function checkCapabilities(template: Template, given: readonly string[]): void {
  const needed = requiredCapability(template);
  if (!needed || given.includes(needed) || given.includes('CAPABILITY_NAMED_IAM')) return;
  throw new AwsError('InsufficientCapabilitiesException', `Requires capabilities : [${needed}]`);
}
