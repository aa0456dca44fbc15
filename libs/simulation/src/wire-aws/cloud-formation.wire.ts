import { AwsError, validationError } from '../aws/aws-error.js';
import type { OnFailure } from '../aws/cloudformation/operations.js';
import { requiredCapability, templateBody, type StackRequest } from '../aws/cloudformation/inputs.js';
import { parseTemplate } from '../aws/cloudformation/template.js';
import { bool, list, props, tagList, tagRecord, text, texts, type Props } from '../aws/props.js';
import {
  changeSetSummary,
  changeShape,
  eventShape,
  parameterShapes,
  resourceShape,
  resourceSummary,
  stackShape,
} from './cloud-formation-shapes.js';
import { instant, type Actions } from './handler.js';
import { page } from './pages.js';

function stackName(params: Props): string {
  const name = text(params['StackName']);
  if (!name)
    throw validationError(
      "1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null",
    );
  return name;
}

function stackRequest(params: Props): StackRequest {
  const members = {
    templateBody: text(params['TemplateBody']),
    templateUrl: text(params['TemplateURL']),
    usePreviousTemplate: bool(params['UsePreviousTemplate']),
    tags: params['Tags'] === undefined ? undefined : tagRecord(params['Tags']),
    token: text(params['ClientRequestToken']) ?? text(params['ClientToken']),
  };
  return {
    stackName: stackName(params),
    ...(Object.fromEntries(
      Object.entries(members).filter(([, value]) => value !== undefined),
    ) as Partial<StackRequest>),
    parameters: list(params['Parameters']).map((item) => parameter(props(item))),
    capabilities: texts(params['Capabilities']),
  };
}

/** An empty value is a value: the reader for optional text would lose it. */
function parameter(item: Props): StackRequest['parameters'][number] {
  const value = item['ParameterValue'];
  return {
    key: text(item['ParameterKey']) ?? '',
    ...(typeof value === 'string' && { value }),
    usePrevious: bool(item['UsePreviousValue']) ?? false,
  };
}

const policyOf = (params: Props): { policy?: string } => {
  const policy = text(params['StackPolicyBody']);
  return policy === undefined ? {} : { policy };
};

const onFailure = (value: string | undefined, disableRollback: boolean): OnFailure =>
  value === 'DELETE' || value === 'DO_NOTHING' ? value : disableRollback ? 'DO_NOTHING' : 'ROLLBACK';

const changeSetName = (params: Props): [string, string | undefined] => [
  text(params['ChangeSetName']) ?? '',
  text(params['StackName']),
];

const stackActions: Actions = {
  CreateStack: ({ home, params }) => {
    const stack = home.cloudFormation.createStack({
      ...stackRequest(params),
      ...policyOf(params),
      onFailure: onFailure(text(params['OnFailure']), bool(params['DisableRollback']) ?? false),
      terminationProtection: bool(params['EnableTerminationProtection']) ?? false,
    });
    return { StackId: stack.id };
  },
  UpdateStack: ({ home, params }) => {
    const disableRollback = bool(params['DisableRollback']) ?? false;
    const stack = home.cloudFormation.updateStack({
      ...stackRequest(params),
      ...policyOf(params),
      disableRollback,
    });
    return { StackId: stack.id };
  },
  DeleteStack: ({ home, params }) => {
    home.cloudFormation.deleteStack(
      stackName(params),
      texts(params['RetainResources']),
      text(params['ClientRequestToken']),
    );
    return {};
  },
  ContinueUpdateRollback: ({ home, params }) => {
    home.cloudFormation.continueUpdateRollback(
      stackName(params),
      texts(params['ResourcesToSkip']),
      text(params['ClientRequestToken']),
    );
    return {};
  },
  UpdateTerminationProtection: ({ home, params }) => {
    const enabled = bool(params['EnableTerminationProtection']) ?? false;
    return { StackId: home.cloudFormation.setTerminationProtection(stackName(params), enabled).id };
  },
  SetStackPolicy: ({ home, params }) => {
    home.cloudFormation.setPolicy(stackName(params), text(params['StackPolicyBody']) ?? '');
    return {};
  },
};

const readActions: Actions = {
  DescribeStacks: (request) => {
    const { cloudFormation } = request.home;
    const name = text(request.params['StackName']);
    const stacks =
      name === undefined
        ? cloudFormation.all().filter(({ deletedAt }) => deletedAt === undefined)
        : [cloudFormation.find(name)];
    const { items, next } = page(request, stacks, 'NextToken', 'MaxResults', 100);
    return { Stacks: items.map(stackShape), NextToken: next };
  },
  ListStacks: (request) => {
    const statuses = texts(request.params['StackStatusFilter']);
    const stacks = request.home.cloudFormation
      .all()
      .filter(({ status }) => statuses.length === 0 || statuses.includes(status));
    const { items, next } = page(request, stacks, 'NextToken', 'MaxResults', 100);
    return { StackSummaries: items.map(stackShape), NextToken: next };
  },
  DescribeStackEvents: (request) => {
    const stack = request.home.cloudFormation.find(stackName(request.params));
    const { items, next } = page(request, stack.events, 'NextToken', 'MaxResults', 100);
    return { StackEvents: items.map((event) => eventShape(stack, event)), NextToken: next };
  },
  DescribeStackResources: ({ home, params }) => {
    const physical = text(params['PhysicalResourceId']);
    const owner = home.cloudFormation
      .all()
      .find(
        ({ deletedAt, resources }) =>
          deletedAt === undefined &&
          [...resources.values()].some(({ state }) => state?.physicalId === physical),
      );
    const stack =
      physical !== undefined && owner
        ? owner
        : home.cloudFormation.find(text(params['StackName']) ?? physical ?? '');
    const logical = text(params['LogicalResourceId']);
    const hits = [...stack.resources.values()].filter(
      ({ logicalId }) => logical === undefined || logicalId === logical,
    );
    return { StackResources: hits.map((resource) => resourceShape(stack, resource)) };
  },
  ListStackResources: (request) => {
    const stack = request.home.cloudFormation.find(stackName(request.params));
    const { items, next } = page(request, [...stack.resources.values()], 'NextToken', 'MaxResults', 100);
    return { StackResourceSummaries: items.map(resourceSummary), NextToken: next };
  },
  ListExports: (request) => {
    const { items, next } = page(
      request,
      request.home.cloudFormation.exports(),
      'NextToken',
      'MaxResults',
      100,
    );
    return {
      Exports: items.map(({ name, value, stackId }) => ({
        Name: name,
        Value: value,
        ExportingStackId: stackId,
      })),
      NextToken: next,
    };
  },
  GetStackPolicy: ({ home, params }) => ({
    StackPolicyBody: home.cloudFormation.find(stackName(params)).policy,
  }),
  GetTemplate: ({ home, params }) => {
    const [set] = changeSetName(params);
    const input = set
      ? home.cloudFormation.findChangeSet(...changeSetName(params)).changeSet.input
      : home.cloudFormation.find(stackName(params)).input;
    if (!input) throw validationError(`Stack ${stackName(params)} has no template yet`);
    return { TemplateBody: input.body, StagesAvailable: ['Original', 'Processed'] };
  },
  ValidateTemplate: ({ home, params }) => {
    const body = templateBody(home, { ...stackRequest({ ...params, StackName: 'validate' }) }, undefined);
    const template = parseTemplate(body);
    const capability = requiredCapability(template);
    return {
      Description: template.description,
      Capabilities: capability ? [capability] : [],
      CapabilitiesReason: capability && 'The following resource(s) require capabilities: [AWS::IAM]',
      Parameters: Object.entries(template.parameters).map(([key, declared]) => ({
        ParameterKey: key,
        DefaultValue: text(declared['Default']),
        NoEcho: bool(declared['NoEcho']) ?? false,
        Description: text(declared['Description']),
      })),
    };
  },
};

const changeSetActions: Actions = {
  CreateChangeSet: ({ home, params }) => {
    const description = text(params['Description']);
    const kind = text(params['ChangeSetType']) ?? 'UPDATE';
    if (kind !== 'CREATE' && kind !== 'UPDATE')
      throw validationError(`ChangeSetType ${kind} is not simulated`);
    const name = text(params['ChangeSetName']) ?? '';
    if (!/^[A-Za-z][-A-Za-z0-9]{0,127}$/.test(name)) {
      throw validationError(
        `1 validation error detected: Value '${name}' at 'changeSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
      );
    }
    const { changeSet, stack } = home.cloudFormation.createChangeSet({
      ...stackRequest(params),
      name,
      type: kind,
      onFailure: onFailure(text(params['OnStackFailure']), false),
      ...(description !== undefined && { description }),
    });
    return { Id: changeSet.id, StackId: stack.id };
  },
  DescribeChangeSet: (request) => {
    const { changeSet, stack } = request.home.cloudFormation.findChangeSet(...changeSetName(request.params));
    const { items, next } = page(request, changeSet.changes, 'NextToken', 'MaxResults', 100);
    return {
      ...changeSetSummary(stack, changeSet),
      CreationTime: instant(changeSet.createdAt),
      Parameters: parameterShapes(changeSet.input),
      Capabilities: changeSet.input.capabilities,
      Tags: tagList(changeSet.input.tags),
      Changes: items.map(changeShape),
      NextToken: next,
    };
  },
  ExecuteChangeSet: ({ home, params }) => {
    home.cloudFormation.executeChangeSet(...changeSetName(params), text(params['ClientRequestToken']));
    return {};
  },
  DeleteChangeSet: ({ home, params }) => {
    try {
      home.cloudFormation.deleteChangeSet(...changeSetName(params));
    } catch (error) {
      // Deleting a change set that is not there succeeds.
      if (!(error instanceof AwsError) || error.code !== 'ChangeSetNotFound') throw error;
    }
    return {};
  },
  ListChangeSets: (request) => {
    const stack = request.home.cloudFormation.find(stackName(request.params));
    const { items, next } = page(request, [...stack.changeSets.values()], 'NextToken', 'MaxResults', 100);
    return { Summaries: items.map((changeSet) => changeSetSummary(stack, changeSet)), NextToken: next };
  },
};

export const cloudFormationActions: Actions = { ...stackActions, ...readActions, ...changeSetActions };
