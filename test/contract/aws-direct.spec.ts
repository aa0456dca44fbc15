import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAwsAccess } from '#adapters/aws';
import { milliseconds } from '#kernel';
import type { StackTemplate } from '#fleet';
import type { AwsPort, StackChange } from '#ports';
import { AwsServer, AwsWorld, defaultImages, ScaledScheduler, SeededRandom } from '#simulation';
import { eventually } from '../support/eventually.js';
import { contractTemplate } from './aws-adapter.fixture.js';

/** Stacks where change sets are not to be used: `auto` on an endpoint that is not AWS. */
const ACCOUNT = '123456789012';
const REGION = 'eu-central-1';
const CLUSTER = `aws:${ACCOUNT}:${REGION}:direct`;
const scheduler = new ScaledScheduler(200);
const world = new AwsWorld({ scheduler, random: new SeededRandom(7) });
const server = new AwsServer(world);
let access: ReturnType<typeof createAwsAccess>;
let port: AwsPort;
let endpoint: string;

beforeAll(async () => {
  world.addAccount({ id: ACCOUNT });
  endpoint = await server.listen();
  access = connect('auto');
  port = await access.connect(ACCOUNT, REGION);
});
afterAll(async () => {
  access.close();
  await server.close();
  scheduler.close();
});

const connect = (changeSets: 'auto' | 'always') =>
  createAwsAccess({
    endpoint,
    credentialsFor: () => world.accessKey(ACCOUNT),
    changeSets,
    firstPoll: milliseconds(20),
  });

const stackOf = async (name: string, max = '4'): Promise<StackTemplate> => {
  const request = { clusterId: CLUSTER, stackName: name, images: [], instanceTypes: [], cipherTexts: [] };
  const { vpcId = '', subnets } = await port.lookupInputs(request);
  return {
    name,
    file: 'stack.yaml',
    body: contractTemplate(name, CLUSTER, ''),
    parameters: { Image: defaultImages[0]?.id ?? '', Vpc: vpcId, Subnets: subnets['*'] ?? '', Max: max },
    tags: { [`kubernetes.io/cluster/${CLUSTER}`]: 'owned' },
  };
};
const prepared = async (on: AwsPort, stack: StackTemplate) => {
  const change = await on.prepareStackChange(stack);
  if (change.kind === 'none') throw new Error('nothing changes');
  return change satisfies StackChange;
};
const reaches = (stack: StackTemplate, status: string) =>
  eventually(
    async () => (await port.describeStack(stack.name))?.status === status,
    `${stack.name} is ${status}`,
  );
const changeSets = () => world.calls.query({ action: 'CreateChangeSet' }).length;

it('makes, leaves alone and changes a stack without a change set, and says what changes', async () => {
  const stack = await stackOf('direct');
  const change = await prepared(port, stack);
  expect(change).toMatchObject({ kind: 'create' });
  expect(change.changes).toContain('Add AWS::AutoScaling::AutoScalingGroup Group');
  expect(await port.describeStack(stack.name)).toBeUndefined();
  await port.executeStackChange(stack, change);
  await port.executeStackChange(stack, change);
  await reaches(stack, 'CREATE_COMPLETE');
  expect(await port.describeStack(stack.name)).toMatchObject({
    terminationProtection: true,
    tags: { ...stack.tags, application: 'kubernetes' },
    outputs: { GroupName: 'direct' },
  });
  expect(await port.prepareStackChange(stack)).toEqual({ kind: 'none' });
  const larger = { ...stack, body: stack.body.replace('MaxSize: !Ref Max', "MaxSize: '5'") };
  const update = await prepared(port, larger);
  expect(update).toMatchObject({
    kind: 'update',
    changes: ['Modify AWS::AutoScaling::AutoScalingGroup Group'],
  });
  await port.executeStackChange(larger, update);
  await reaches(larger, 'UPDATE_COMPLETE');
  expect(await port.prepareStackChange(larger)).toEqual({ kind: 'none' });
  expect(changeSets()).toBe(0);
});

it('a lost answer to the creation is found out, not repeated', async () => {
  const stack = await stackOf('lost');
  world.faults.dropReplyNext({ service: 'cloudformation', action: 'CreateStack' });
  await port.executeStackChange(stack, await prepared(port, stack));
  await reaches(stack, 'CREATE_COMPLETE');
});

it('clears away what a plan by change set left', async () => {
  const stack = await stackOf('planned');
  const other = connect('always');
  await prepared(await other.connect(ACCOUNT, REGION), stack);
  other.close();
  await expect(port.prepareStackChange(stack)).rejects.toThrow('stack-being-deleted');
  const change = await eventually(() => port.prepareStackChange(stack), 'the name is free');
  expect(change.kind).toBe('create');
});
