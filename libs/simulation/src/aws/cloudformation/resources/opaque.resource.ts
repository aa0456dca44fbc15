import { text, type Props } from '../../props.js';
import type { ResourceContext, ResourceType } from './resource-type.js';

/** Physical ids of EC2's kind; the rest gets a generated or a given name. */
const PREFIXES: Readonly<Record<string, string>> = {
  'AWS::EC2::SecurityGroup': 'sg',
  'AWS::EC2::SecurityGroupIngress': 'sgr',
  'AWS::EC2::SecurityGroupEgress': 'sgr',
  'AWS::EC2::Volume': 'vol',
  'AWS::EC2::EIP': 'eipalloc',
  'AWS::EC2::NetworkInterface': 'eni',
  'AWS::EC2::RouteTable': 'rtb',
  'AWS::EC2::VPCEndpoint': 'vpce',
};

const NAME_PROPERTIES = [
  'RoleName',
  'InstanceProfileName',
  'PolicyName',
  'ManagedPolicyName',
  'GroupName',
  'UserName',
  'Name',
  'QueueName',
  'TableName',
  'AliasName',
  'LogGroupName',
];

function physicalId(context: ResourceContext, properties: Props): string {
  const prefix = PREFIXES[context.type];
  if (prefix) return `${prefix}-0${context.aws.context.random.hex(16)}`;
  const given = NAME_PROPERTIES.map((name) => text(properties[name])).find((name) => name !== undefined);
  return given ?? context.generatedName();
}

function arn({ aws, type }: ResourceContext, id: string): string {
  const [, service = 'unknown', kind = 'resource'] = type.toLowerCase().split('::');
  if (service === 'iam') {
    const path = kind === 'instanceprofile' ? 'instance-profile' : kind === 'managedpolicy' ? 'policy' : kind;
    return `arn:aws:iam::${aws.account}:${path}/${id}`;
  }
  return `arn:aws:${service}:${aws.region}:${aws.account}:${kind}/${id}`;
}

/** A resource without behaviour: it has an id, an ARN and the attributes that its properties suggest. */
export const opaqueResource: ResourceType = {
  replaceOn: NAME_PROPERTIES,
  create(context, properties) {
    const id = physicalId(context, properties);
    const theArn = arn(context, id);
    const isPolicy = context.type === 'AWS::IAM::ManagedPolicy';
    return {
      physicalId: isPolicy ? theArn : id,
      attributes: { Arn: theArn, GroupId: id, VpcId: context.aws.network.vpc.id },
    };
  },
  update: (_context, state) => state,
  delete: () => undefined,
};
