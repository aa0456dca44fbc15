import { AwsError } from '../aws/aws-error.js';
import type { LaunchTemplateReference } from '../aws/launch-templates.js';
import { list, props, tagRecord, text, type Props } from '../aws/props.js';

export const badFilter = (name: string): AwsError =>
  new AwsError('InvalidParameterValue', `The filter '${name}' is invalid`);

export const fields =
  (values: Readonly<Record<string, string | undefined>>) =>
  (name: string): readonly string[] | undefined =>
    Object.hasOwn(values, name) ? [values[name] ?? ''] : undefined;

export const reference = (params: Props): LaunchTemplateReference => {
  const id = text(params['LaunchTemplateId']);
  const name = text(params['LaunchTemplateName']);
  const version = text(params['Version']);
  return { ...(id && { id }), ...(name && { name }), ...(version && { version }) };
};

export const specTags = (params: Props, type: string): Record<string, string> =>
  Object.assign(
    {},
    ...list(params['TagSpecification'])
      .map(props)
      .filter((spec) => text(spec['ResourceType']) === type)
      .map((spec) => tagRecord(spec['Tag'] ?? spec['Tags'])),
  ) as Record<string, string>;
