import { validationError } from '../aws-error.js';
import { props, text } from '../props.js';
import type { RegionalAws } from '../region.js';
import { condition, resolve, type Scope } from './intrinsics.js';
import type { Stack, StackInput, StackOutput, StackResource } from './stack.js';
import { dependencyOrder, type ResourceDefinition, type Template } from './template.js';

/** Answers of a plan for what does not exist yet; never seen outside a change set. */
export interface Foresight {
  physicalId(logicalId: string): string | undefined;
  attribute(logicalId: string, name: string): string | undefined;
}

/** The scope of a stack's template under the given input, over the resources that it has now. */
export function scopeOf(
  aws: RegionalAws,
  stack: Pick<Stack, 'id' | 'name' | 'resources' | 'imports'>,
  input: StackInput,
  foresight?: Foresight,
): Scope {
  return {
    account: aws.account,
    region: aws.region,
    stackName: stack.name,
    stackId: stack.id,
    zones: aws.network.zones,
    parameters: typedParameters(input),
    mappings: input.template.mappings,
    conditions: input.template.conditions,
    physicalId: (id) => foresight?.physicalId(id) ?? stack.resources.get(id)?.state?.physicalId,
    attribute: (id, name) => foresight?.attribute(id, name) ?? attributeOf(stack.resources.get(id), id, name),
    imported: (name) => {
      if (!foresight) stack.imports.add(name);
      return aws.cloudFormation.exports().find((entry) => entry.name === name)?.value;
    },
  };
}

function attributeOf(resource: StackResource | undefined, logicalId: string, name: string): unknown {
  if (!resource?.state)
    throw validationError(
      `Template error: instance of Fn::GetAtt references undefined resource ${logicalId}`,
    );
  if (name in resource.state.attributes) return resource.state.attributes[name];
  if (name.startsWith('Outputs.') || resource.type.startsWith('Custom::'))
    return `${resource.state.physicalId}.${name}`;
  throw validationError(
    `Template error: resource ${logicalId} does not support attribute type ${name} in Fn::GetAtt`,
  );
}

function typedParameters({ template, parameters }: StackInput): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => {
      const type = text(template.parameters[name]?.['Type']) ?? 'String';
      const isList = type === 'CommaDelimitedList' || type.startsWith('List<');
      return [name, isList ? value.split(',').map((item) => item.trim()) : value];
    }),
  );
}

/** Resources whose condition holds, needed ones first. */
export function wantedResources(template: Template, scope: Scope): readonly ResourceDefinition[] {
  return dependencyOrder(template)
    .map((id) => template.resources.get(id) as ResourceDefinition)
    .filter((resource) => resource.condition === undefined || condition(resource.condition, scope));
}

export function evaluateOutputs(template: Template, scope: Scope): readonly StackOutput[] {
  return Object.entries(template.outputs).flatMap(([key, output]) => {
    const named = text(output['Condition']);
    if (named !== undefined && !condition(named, scope)) return [];
    const value = resolve(output['Value'], scope);
    const description = text(output['Description']);
    const exportName = text(resolve(props(output['Export'])['Name'], scope));
    return [
      {
        key,
        value: Array.isArray(value) ? value.join(',') : String(value),
        ...(description !== undefined && { description }),
        ...(exportName !== undefined && { exportName }),
      },
    ];
  });
}
