import { beforeEach, describe, expect, it } from 'vitest';
import { seconds } from '#kernel';
import { inService } from '../auto-scaling.js';
import { defaultImages } from '../catalog.js';
import { createStack, stackRequest, testWorld, updateStack, type TestWorld } from '../test-world.js';
import { NO_CHANGES } from './change-set.js';
import type { Stack } from './stack.js';

const [image, newer] = defaultImages.map(({ id }) => id) as [string, string];

const pool = (extra = '', max = 6): string => `
Parameters: { Image: { Type: String } }
Resources:
  Group:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      MinSize: 2
      MaxSize: ${max}
      AvailabilityZones: !GetAZs ''
      LaunchTemplate: { LaunchTemplateId: !Ref Template, Version: !GetAtt Template.LatestVersionNumber }
  Template:
    Type: AWS::EC2::LaunchTemplate
    Properties: { LaunchTemplateData: { ImageId: !Ref Image, InstanceType: m5.large } }
${extra}
Outputs:
  Group: { Value: !Ref Group, Export: { Name: !Sub '\${AWS::StackName}-group' } }
`;

const queue = (name: string): string =>
  `  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: ${name} } }`;

describe('CloudFormation', () => {
  let test: TestWorld;
  const statuses = (stack: Stack): string[] =>
    stack.events.map(({ logicalId, status }) => `${logicalId} ${status}`).reverse();
  const request = (body: string, parameters: Record<string, string> = { Image: image }) =>
    stackRequest('pool', body, parameters);
  const group = (stack: Stack) =>
    test.aws.autoScaling.find(stack.resources.get('Group')?.state?.physicalId ?? '');

  beforeEach(() => {
    test = testWorld();
  });

  it('creates needed resources first and takes its time', () => {
    const start = test.scheduler.now();
    const stack = createStack(test, request(pool()));
    expect(statuses(stack)).toEqual([
      'pool CREATE_IN_PROGRESS',
      'Template CREATE_IN_PROGRESS',
      'Template CREATE_IN_PROGRESS',
      'Template CREATE_COMPLETE',
      'Group CREATE_IN_PROGRESS',
      'Group CREATE_IN_PROGRESS',
      'Group CREATE_COMPLETE',
      'pool CREATE_COMPLETE',
    ]);
    const took = test.scheduler.now() - start;
    expect(took).toBeGreaterThan(seconds(20));
    expect(took).toBeLessThan(seconds(60));
    expect(inService(group(stack))).toBe(2);
    expect(test.aws.cloudFormation.exports().map(({ name }) => name)).toEqual(['pool-group']);
  });

  it('rolls a failed creation back, and the stack can only be deleted then', () => {
    test.world.faults.failResource({ logicalId: 'Group', verb: 'create', reason: 'quota reached' });
    const stack = createStack(test, request(pool()));
    expect(stack.status).toBe('ROLLBACK_COMPLETE');
    expect(stack.events.find(({ status }) => status === 'CREATE_FAILED')).toMatchObject({
      logicalId: 'Group',
      reason: 'quota reached',
    });
    expect(test.aws.launchTemplates.all()).toEqual([]);
    expect(() => updateStack(test, request(pool('', 7)))).toThrowError(
      /is in ROLLBACK_COMPLETE state and can not be updated/,
    );
    expect(() => createStack(test, request(pool()))).toThrowError(/already exists/);
    test.aws.cloudFormation.deleteStack('pool');
    test.until('deleted', () => stack.status === 'DELETE_COMPLETE');
    expect(createStack(test, request(pool())).status).toBe('CREATE_COMPLETE');
  });

  it('updates template and group and replaces no instance', () => {
    const stack = createStack(test, request(pool()));
    const before = [...group(stack).instances.keys()];
    updateStack(test, request(pool(), { Image: newer }));
    expect(stack.status).toBe('UPDATE_COMPLETE');
    test.scheduler.advance(seconds(600));
    expect(group(stack).launchTemplate?.version).toBe('2');
    expect([...group(stack).instances.keys()]).toEqual(before);
    expect(() => updateStack(test, request(pool(), { Image: newer }))).toThrowError(
      'No updates are to be performed.',
    );
  });

  it('rolls a failed update back to what was, and a revert goes green', () => {
    const stack = createStack(test, request(pool(queue('one'))));
    test.world.faults.failResource({ logicalId: 'Group', verb: 'update', reason: 'no luck' });
    updateStack(test, request(pool(`${queue('two')}\n  More: { Type: AWS::SNS::Topic }`), { Image: newer }));
    expect(stack.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(stack.resources.get('Queue')?.state?.physicalId).toBe('one');
    expect([...stack.resources.keys()].sort()).toEqual(['Group', 'Queue', 'Template']);
    const { template, version } = test.aws.launchTemplates.resolve({ ...group(stack).launchTemplate });
    expect([template.versions.length, version.data['ImageId']]).toEqual([3, image]);
    updateStack(test, request(pool(queue('one')), { Image: newer }));
    expect(stack.status).toBe('UPDATE_COMPLETE');
  });

  it('ends in UPDATE_ROLLBACK_FAILED and goes on from there', () => {
    const stack = createStack(test, request(pool()));
    test.world.faults.failResource({ logicalId: 'Group', verb: 'update', reason: 'no luck' });
    test.world.faults.failResource({ logicalId: 'Template', verb: 'rollback', reason: 'still none' });
    updateStack(test, request(pool(), { Image: newer }));
    expect([stack.status, stack.statusReason]).toEqual([
      'UPDATE_ROLLBACK_FAILED',
      'The following resource(s) failed to update: [Template].',
    ]);
    expect(() => updateStack(test, request(pool('', 7)))).toThrowError(/UPDATE_ROLLBACK_FAILED state/);
    test.aws.cloudFormation.continueUpdateRollback('pool', []);
    test.until('rolled back', () => stack.status === 'UPDATE_ROLLBACK_COMPLETE');
  });

  it('replaces what cannot change in place, and removes what is gone', () => {
    const stack = createStack(test, request(pool(`${queue('one')}\n  Topic: { Type: AWS::SNS::Topic }`)));
    updateStack(test, request(pool(queue('two'))));
    expect(stack.status).toBe('UPDATE_COMPLETE');
    expect(stack.resources.get('Queue')?.state?.physicalId).toBe('two');
    expect(stack.resources.has('Topic')).toBe(false);
    expect(statuses(stack)).toContain('Topic DELETE_COMPLETE');
  });

  it('obeys its stack policy', () => {
    const stack = createStack(test, request(pool(queue('one'))));
    const deny = {
      Effect: 'Deny',
      Principal: '*',
      Action: ['Update:Replace', 'Update:Delete'],
      Resource: 'LogicalResourceId/Queue',
    };
    const allow = { Effect: 'Allow', Principal: '*', Action: 'Update:*', Resource: '*' };
    test.aws.cloudFormation.setPolicy('pool', JSON.stringify({ Statement: [deny, allow] }));
    updateStack(test, request(pool(queue('two'))));
    expect(stack.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(stack.events.map(({ reason }) => reason ?? '').join()).toContain(
      'Action denied by stack policy: Statement [#0] does not allow [Update:Replace] for resource [Queue]',
    );
    updateStack(test, request(pool()));
    expect(stack.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(stack.resources.get('Queue')?.state?.physicalId).toBe('one');
    updateStack(test, request(pool(queue('one')), { Image: newer }));
    expect(stack.status).toBe('UPDATE_COMPLETE');
  });

  it('computes change sets; without changes they FAIL', () => {
    const create = { ...request(pool(queue('one'))), name: 'first', type: 'CREATE' as const };
    const { changeSet, stack } = test.aws.cloudFormation.createChangeSet(create);
    expect(stack.status).toBe('REVIEW_IN_PROGRESS');
    expect(() => test.aws.cloudFormation.executeChangeSet(changeSet.id)).toThrowError(/cannot be executed/);
    test.until('computed', () => changeSet.status === 'CREATE_COMPLETE');
    test.aws.cloudFormation.executeChangeSet('first', 'pool');
    test.until('created', () => stack.status === 'CREATE_COMPLETE');
    expect(() => test.aws.cloudFormation.findChangeSet('first', 'pool')).toThrowError(/does not exist/);
    expect(test.aws.cloudFormation.findChangeSet(changeSet.id).changeSet.executionStatus).toBe(
      'EXECUTE_COMPLETE',
    );
    const plan = (name: string, body: string, parameters?: Record<string, string>) => {
      const planned = test.aws.cloudFormation.createChangeSet({
        ...request(body, parameters),
        name,
        type: 'UPDATE',
      }).changeSet;
      test.until('computed', () => planned.status !== 'CREATE_IN_PROGRESS');
      return planned;
    };
    expect(plan('same', pool(queue('one')))).toMatchObject({
      status: 'FAILED',
      statusReason: NO_CHANGES,
      executionStatus: 'UNAVAILABLE',
    });
    const changes = plan('other', pool(queue('two')), { Image: newer }).changes;
    expect(changes.map(({ logicalId, action, replacement }) => [logicalId, action, replacement])).toEqual([
      ['Template', 'Modify', 'False'],
      ['Group', 'Modify', 'False'],
      ['Queue', 'Modify', 'True'],
    ]);
    expect(plan('less', pool()).changes.map(({ logicalId, action }) => [logicalId, action])).toEqual([
      ['Queue', 'Remove'],
    ]);
  });

  it('does nothing twice for the same token', () => {
    const create = {
      ...request(pool()),
      token: 't1',
      onFailure: 'ROLLBACK' as const,
      terminationProtection: false,
    };
    const stack = test.aws.cloudFormation.createStack(create);
    expect(test.aws.cloudFormation.createStack(create)).toBe(stack);
    expect(() => test.aws.cloudFormation.createStack({ ...create, token: 't2' })).toThrowError(
      /already exists/,
    );
  });

  it('keeps exports that others import', () => {
    createStack(test, request(pool()));
    const user = `Resources: { Topic: { Type: AWS::SNS::Topic, Properties: { TopicName: !ImportValue pool-group } } }`;
    const importing = createStack(test, stackRequest('user', user));
    expect(importing.resources.get('Topic')?.properties['TopicName']).toMatch(/^pool-Group-/);
    expect(() => test.aws.cloudFormation.deleteStack('pool')).toThrowError(/in use by user/);
  });

  it.each([
    [
      'a cycle',
      `Resources: { A: { Type: X::Y::Z, Properties: { V: !Ref B } }, B: { Type: X::Y::Z, DependsOn: A } }`,
      /Circular dependency between resources: \[/,
    ],
    [
      'an unknown reference',
      `Resources: { A: { Type: X::Y::Z, Properties: { V: !Sub 'x\${Nope.Arn}' } } }`,
      /Unresolved resource dependencies \[Nope\]/,
    ],
    ['broken YAML', `Resources: [`, /not well-formed/],
    ['no resources', `Description: x`, /At least one Resources member/],
    ['a missing parameter', pool(), /Parameters: \[Image\] must have values/],
  ])('refuses %s', (_what, body, message) => {
    expect(() => createStack(test, stackRequest('bad', body))).toThrowError(message);
  });

  it('asks for capabilities', () => {
    const body = `Resources: { Role: { Type: AWS::IAM::Role, Properties: { RoleName: x } } }`;
    expect(() =>
      createStack(test, { ...stackRequest('iam', body), capabilities: ['CAPABILITY_IAM'] }),
    ).toThrowError('Requires capabilities : [CAPABILITY_NAMED_IAM]');
  });
});
