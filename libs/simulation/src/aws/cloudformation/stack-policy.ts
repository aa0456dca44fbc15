import { validationError } from '../aws-error.js';
import { isProps, list, props, text } from '../props.js';

export type PolicyAction = 'Update:Modify' | 'Update:Replace' | 'Update:Delete';

const matches = (pattern: string, value: string): boolean =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  ).test(value);

/** Throws ValidationError unless the text is a policy. */
export function checkPolicy(policy: string): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(policy);
  } catch {
    throw validationError('Error validating stack policy: Policy is not valid JSON');
  }
  if (!isProps(parsed) || !Array.isArray(parsed['Statement'])) {
    throw validationError('Error validating stack policy: Invalid stack policy');
  }
}

/** Why the policy forbids the action; undefined where it allows it. A policy denies what it does not allow. */
export function forbiddenBy(
  policy: string | undefined,
  action: PolicyAction,
  logicalId: string,
  type: string,
): string | undefined {
  if (policy === undefined) return undefined;
  const statements = list(props(JSON.parse(policy))['Statement']).map(props);
  const hits = statements.filter((statement) => {
    const resources = list(statement['Resource']).map(String);
    const types = list(props(props(statement['Condition'])['StringEquals'])['ResourceType']).map(String);
    return (
      list(statement['Action']).some((pattern) => matches(String(pattern), action)) &&
      (resources.length === 0 ||
        resources.some((pattern) => matches(pattern, `LogicalResourceId/${logicalId}`))) &&
      (types.length === 0 || types.some((pattern) => matches(pattern, type)))
    );
  });
  const denied = hits.find((statement) => text(statement['Effect']) === 'Deny');
  if (!denied && hits.some((statement) => text(statement['Effect']) === 'Allow')) return undefined;
  return `Action denied by stack policy: Statement [#${denied ? statements.indexOf(denied) : 0}] does not allow [${action}] for resource [${logicalId}];`;
}
