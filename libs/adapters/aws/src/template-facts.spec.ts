import { describe, expect, it } from 'vitest';
import { changeSetName, describeChange } from './change-sets.js';
import { templateFacts } from './template-facts.js';

describe('templateFacts', () => {
  it('reads tags as a map or a list, and defaults, past the short forms of functions', () => {
    const body = `
Metadata:
  Tags:
    InfrastructureComponent: true
    application: kubernetes
Parameters:
  Ami: { Type: String }
  Size: { Type: Number, Default: 3 }
Resources:
  A: { Type: AWS::EC2::VPC, Properties: { X: !Ref Ami, Y: !GetAtt B.Arn, Z: !Sub "\${Ami}-x", W: !If [a, !Ref b, !Join [",", [c]]] } }
`;
    expect(templateFacts(body)).toMatchObject({
      tags: { InfrastructureComponent: 'true', application: 'kubernetes' },
      parameterDefaults: { Ami: undefined, Size: '3' },
      resources: { A: { type: 'AWS::EC2::VPC' } },
    });
    const json = '{"Metadata":{"Tags":[{"Key":"a","Value":"b"},{"Key":"n","Value":1}]}}';
    expect(templateFacts(json)).toEqual({ tags: { a: 'b', n: '1' }, parameterDefaults: {}, resources: {} });
  });

  it('a template that cannot be read has no facts', () => {
    expect(templateFacts('a: [')).toEqual({ tags: {}, parameterDefaults: {}, resources: {} });
  });
});

describe('changeSetName', () => {
  const stack = { name: 'a', body: 'x', parameters: { p: '1', q: '2' }, tags: { t: '1' }, file: 'f.yaml' };

  it('is the same for the same content, whatever the order and the file', () => {
    const same = { ...stack, parameters: { q: '2', p: '1' }, file: 'other.yaml' };
    expect(changeSetName(same)).toBe(changeSetName(stack));
    expect(changeSetName(stack)).toMatch(/^fairway-[0-9a-f]{40}$/);
    expect(changeSetName({ ...stack, tags: {} })).not.toBe(changeSetName(stack));
  });
});

describe('describeChange', () => {
  const of = (Action: 'Add' | 'Modify' | 'Remove', Replacement?: 'True' | 'False' | 'Conditional') =>
    describeChange({
      Type: 'Resource',
      ResourceChange: {
        Action,
        LogicalResourceId: 'Group',
        ResourceType: 'AWS::AutoScaling::AutoScalingGroup',
        ...(Replacement && { Replacement }),
      },
    });

  it('says what is replaced', () => {
    expect(of('Add')).toBe('Add AWS::AutoScaling::AutoScalingGroup Group');
    expect(of('Modify', 'False')).toBe('Modify AWS::AutoScaling::AutoScalingGroup Group (no replacement)');
    expect(of('Modify', 'True')).toBe('Modify AWS::AutoScaling::AutoScalingGroup Group (replacement)');
    expect(of('Modify', 'Conditional')).toBe(
      'Modify AWS::AutoScaling::AutoScalingGroup Group (maybe replacement)',
    );
  });
});
