import type { ChangeSet, ResourceChange } from '../aws/cloudformation/change-set.js';
import type { Stack, StackEvent, StackInput, StackResource } from '../aws/cloudformation/stack.js';
import { tagList, text } from '../aws/props.js';
import { instant } from './handler.js';

/** Values of NoEcho parameters are never shown. */
export const parameterShapes = (input: StackInput | undefined): object[] =>
  Object.entries(input?.parameters ?? {}).map(([key, value]) => ({
    ParameterKey: key,
    ParameterValue: text(input?.template.parameters[key]?.['NoEcho']) === 'true' ? '****' : value,
  }));

export const stackShape = (stack: Stack): object => ({
  StackId: stack.id,
  StackName: stack.name,
  Description: stack.input?.template.description,
  Parameters: parameterShapes(stack.input),
  CreationTime: instant(stack.createdAt),
  LastUpdatedTime: instant(stack.updatedAt),
  DeletionTime: instant(stack.deletedAt),
  StackStatus: stack.status,
  StackStatusReason: stack.statusReason,
  DisableRollback: stack.disableRollback,
  NotificationARNs: [],
  Capabilities: stack.input?.capabilities ?? [],
  Outputs: stack.outputs.map(({ key, value, description, exportName }) => ({
    OutputKey: key,
    OutputValue: value,
    Description: description,
    ExportName: exportName,
  })),
  Tags: tagList(stack.input?.tags ?? {}),
  EnableTerminationProtection: stack.terminationProtection,
  DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
});

export const eventShape = (stack: Stack, event: StackEvent): object => ({
  StackId: stack.id,
  EventId: event.id,
  StackName: stack.name,
  LogicalResourceId: event.logicalId,
  PhysicalResourceId: event.physicalId,
  ResourceType: event.type,
  Timestamp: instant(event.at),
  ResourceStatus: event.status,
  ResourceStatusReason: event.reason,
});

export const resourceShape = (stack: Stack, resource: StackResource): object => ({
  StackName: stack.name,
  StackId: stack.id,
  LogicalResourceId: resource.logicalId,
  PhysicalResourceId: resource.state?.physicalId,
  ResourceType: resource.type,
  Timestamp: instant(resource.updatedAt),
  ResourceStatus: resource.status,
  ResourceStatusReason: resource.statusReason,
});

export const resourceSummary = (resource: StackResource): object => ({
  LogicalResourceId: resource.logicalId,
  PhysicalResourceId: resource.state?.physicalId,
  ResourceType: resource.type,
  LastUpdatedTimestamp: instant(resource.updatedAt),
  ResourceStatus: resource.status,
  ResourceStatusReason: resource.statusReason,
});

export const changeShape = (change: ResourceChange): object => ({
  Type: 'Resource',
  ResourceChange: {
    Action: change.action,
    LogicalResourceId: change.logicalId,
    PhysicalResourceId: change.physicalId,
    ResourceType: change.type,
    Replacement: change.replacement,
    Scope: [...new Set(change.details.map(({ attribute }) => attribute))],
    Details: change.details.map((detail) => ({
      Target: {
        Attribute: detail.attribute,
        Name: detail.attribute === 'Properties' ? detail.name : undefined,
        RequiresRecreation: detail.requiresRecreation,
      },
      Evaluation: detail.evaluation,
      ChangeSource: detail.evaluation === 'Dynamic' ? 'ResourceAttribute' : 'DirectModification',
    })),
  },
});

export const changeSetSummary = (stack: Stack, changeSet: ChangeSet): object => ({
  StackId: stack.id,
  StackName: stack.name,
  ChangeSetId: changeSet.id,
  ChangeSetName: changeSet.name,
  ExecutionStatus: changeSet.executionStatus,
  Status: changeSet.status,
  StatusReason: changeSet.statusReason,
  CreationTime: instant(changeSet.createdAt),
  Description: changeSet.description,
});
