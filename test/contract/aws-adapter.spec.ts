import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAwsAccess } from '#adapters/aws';
import { FailureError, milliseconds } from '#kernel';
import type { StackTemplate } from '#fleet';
import type { AwsPort, StackChange } from '#ports';
import {
  AwsError,
  AwsServer,
  AwsWorld,
  IMAGE_OWNER,
  defaultImages,
  ScaledScheduler,
  SeededRandom,
} from '#simulation';
import { eventually } from '../support/eventually.js';
import { HoldableScheduler } from '../support/holdable-scheduler.js';
import { awsContract } from './aws-adapter.contract.js';
import { contractTemplate } from './aws-adapter.fixture.js';

const ACCOUNT = '123456789012';
const REGION = 'eu-central-1';
const scheduler = new ScaledScheduler(100);
const holdable = new HoldableScheduler(scheduler);
const world = new AwsWorld({ scheduler: holdable, random: new SeededRandom(11) });
// Small pages prove that all of them are read.
const server = new AwsServer(world, { pageLimit: 2 });
let endpoint = '';

beforeAll(async () => {
  world.addAccount({ id: ACCOUNT });
  endpoint = await server.listen();
});
afterAll(async () => {
  await server.close();
  scheduler.close();
});

awsContract('the simulated AWS', async () => ({
  endpoint,
  account: ACCOUNT,
  region: REGION,
  credentials: world.accessKey(ACCOUNT),
  patience: 60_000,
  options: { firstPoll: milliseconds(20), requestsPerSecond: 1000 },
  image: defaultImages[0] ?? { name: '', owner: '' },
  exact: true,
}));

const real = process.env['FAIRWAY_TEST_AWS_ENDPOINT'] ?? process.env['AWS_ENDPOINT_URL'];
if (real !== undefined && real !== '') {
  awsContract('the endpoint of FAIRWAY_TEST_AWS_ENDPOINT', async () => ({
    endpoint: real,
    account: process.env['FAIRWAY_TEST_AWS_ACCOUNT'] ?? '123456789012',
    region: process.env['AWS_REGION'] ?? REGION,
    credentials: {
      accessKeyId: process.env['AWS_ACCESS_KEY_ID'] ?? 'test',
      secretAccessKey: process.env['AWS_SECRET_ACCESS_KEY'] ?? 'test',
    },
    patience: Number(process.env['FAIRWAY_TEST_AWS_PATIENCE_MS'] ?? 30_000),
    exact: process.env['FAIRWAY_TEST_AWS_EXACT'] === 'true',
    options: {
      changeSets: (process.env['FAIRWAY_TEST_AWS_CHANGE_SETS'] ?? 'auto') as 'auto' | 'always' | 'never',
    },
  }));
}

/** Trouble that only a simulator can make on demand. */
describe('trouble with AWS', () => {
  const clusterId = 'aws:123456789012:eu-central-1:trouble';
  let access: ReturnType<typeof createAwsAccess>;
  let port: AwsPort;
  const image = defaultImages[0];

  beforeAll(async () => {
    access = createAwsAccess({
      endpoint,
      credentialsFor: (account) => world.accessKey(account),
      firstPoll: milliseconds(20),
    });
    port = await access.connect(ACCOUNT, REGION);
  });
  afterAll(() => access.close());

  const failureOf = async (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (thrown: unknown) => (thrown instanceof FailureError ? thrown.failure : thrown),
    );
  const stackOf = async (name: string, max = '4'): Promise<StackTemplate> => {
    const inputs = await port.lookupInputs({
      clusterId,
      stackName: name,
      images: [],
      instanceTypes: [],
      cipherTexts: [],
    });
    return {
      name,
      file: 'stack.yaml',
      body: contractTemplate(name, clusterId, ''),
      parameters: {
        Image: image?.id ?? '',
        Vpc: inputs.vpcId ?? '',
        Subnets: inputs.subnets['*'] ?? '',
        Max: max,
      },
      tags: { [`kubernetes.io/cluster/${clusterId}`]: 'owned' },
    };
  };
  const execute = async (stack: StackTemplate) => {
    const change = (await port.prepareStackChange(stack)) as Exclude<StackChange, { kind: 'none' }>;
    await port.executeStackChange(stack, change);
  };
  const reaches = (stack: StackTemplate, status: string) =>
    eventually(
      async () => (await port.describeStack(stack.name))?.status === status,
      `${stack.name} is ${status}`,
    );

  it('a stack that failed to be created is explained, deleted, and made again', async () => {
    const stack = await stackOf('failed-create');
    world.faults.failResource({
      stackName: stack.name,
      logicalId: 'Targets',
      verb: 'create',
      reason: 'no more target groups',
    });
    const first = (await port.prepareStackChange(stack)) as Exclude<StackChange, { kind: 'none' }>;
    holdable.hold();
    await port.executeStackChange(stack, first);
    expect(await failureOf(port.prepareStackChange(stack))).toMatchObject({
      class: 'conflict',
      code: 'stack-busy',
    });
    holdable.release();
    await reaches(stack, 'ROLLBACK_COMPLETE');
    const [failure] = await port.stackFailures(stack.name);
    expect(failure).toMatchObject({
      resource: 'Targets (AWS::ElasticLoadBalancingV2::TargetGroup)',
      status: 'CREATE_FAILED',
    });
    expect(failure?.reason).toContain('no more target groups');
    expect(await failureOf(port.prepareStackChange(stack))).toMatchObject({
      class: 'conflict',
      code: 'stack-being-deleted',
    });
    const change = await eventually(() => port.prepareStackChange(stack), 'it can be made again');
    expect(change.kind).toBe('create');
  });

  it('a failed update goes back, and a revert goes green', async () => {
    const stack = await stackOf('failed-update');
    await execute(stack);
    await reaches(stack, 'CREATE_COMPLETE');
    world.faults.failResource({
      stackName: stack.name,
      logicalId: 'Group',
      verb: 'update',
      reason: 'no such size',
    });
    await execute(await stackOf('failed-update', '6'));
    await reaches(stack, 'UPDATE_ROLLBACK_COMPLETE');
    expect((await port.stackFailures(stack.name))[0]?.reason).toContain('no such size');
    expect((await port.prepareStackChange(stack)).kind).toBe('none');
    const again = await stackOf('failed-update', '5');
    await execute(again);
    await reaches(again, 'UPDATE_COMPLETE');
  });

  it('what failed for a reason outside of the template can be tried again as it is', async () => {
    const stack = await stackOf('failed-once');
    await execute(stack);
    await reaches(stack, 'CREATE_COMPLETE');
    world.faults.failResource({ stackName: stack.name, logicalId: 'Group', verb: 'update', reason: 'limit' });
    const wanted = await stackOf(stack.name, '6');
    await execute(wanted);
    await reaches(wanted, 'UPDATE_ROLLBACK_COMPLETE');
    await execute(wanted);
    await reaches(wanted, 'UPDATE_COMPLETE');
  });

  it('a rollback that fails blocks, and goes on when it is continued', async () => {
    const base = await stackOf('failed-rollback');
    const stack = { ...base, body: base.body.replace('  Group:\n', '  Group:\n    DependsOn: Floating\n') };
    await execute(stack);
    await reaches(stack, 'CREATE_COMPLETE');
    world.faults.failResource({
      stackName: stack.name,
      logicalId: 'Group',
      verb: 'update',
      reason: 'no such size',
    });
    world.faults.failResource({
      stackName: stack.name,
      logicalId: 'Floating',
      verb: 'rollback',
      reason: 'stuck',
    });
    const parameters = { ...stack.parameters, Max: '6' };
    await execute({ ...stack, parameters, body: stack.body.replace("MaxSize: '1'", "MaxSize: '2'") });
    await reaches(stack, 'UPDATE_ROLLBACK_FAILED');
    expect(await failureOf(port.prepareStackChange(stack))).toMatchObject({
      class: 'blocked',
      code: 'stack-rollback-failed',
    });
    await port.continueRollback(stack.name);
    await port.continueRollback(stack.name);
    await reaches(stack, 'UPDATE_ROLLBACK_COMPLETE');
  });

  it('throttling, denial and a broken service each have their class', async () => {
    const calm = world.faults.throttle({ service: 'cloudformation', action: 'DescribeStacks' });
    expect(await failureOf(port.describeStack('x'))).toMatchObject({
      class: 'throttled',
      code: 'aws-throttled',
    });
    calm();
    const allow = world.faults.deny(ACCOUNT, { service: 'autoscaling', action: 'DescribeAutoScalingGroups' });
    expect(await failureOf(port.describeNodeGroups(clusterId))).toMatchObject({
      class: 'denied',
      code: 'aws-denied',
    });
    allow();
    world.faults.failNext({ service: 'cloudformation' }, new AwsError('InternalFailure', 'oops', 500), 2);
    expect(await failureOf(port.describeStack('x'))).toMatchObject({ class: 'transient', code: 'aws-error' });
    world.faults.failNext({ service: 'cloudformation' }, new AwsError('InternalFailure', 'oops', 500), 1);
    expect(await port.describeStack('x')).toBeUndefined();
  });

  it('a lost answer to a termination neither kills nor decrements twice', async () => {
    const stack = await stackOf('lost-answer');
    await execute(stack);
    const group = () =>
      port.describeNodeGroups(clusterId).then((all) => all.find((one) => one.groupName === stack.name));
    const view = await eventually(async () => {
      const seen = await group();
      const running = seen?.instances.filter((one) => one.lifecycleState === 'InService');
      return running?.length === 2 ? seen : undefined;
    }, 'two machines');
    await reaches(stack, 'CREATE_COMPLETE');
    const instance = view.instances[0]?.instanceId ?? '';
    world.faults.dropReplyNext({ service: 'autoscaling', action: 'TerminateInstanceInAutoScalingGroup' });
    await port.terminateInstance(instance, { decrementDesired: true });
    expect((await group())?.desiredCapacity).toBe(1);
    expect(
      await failureOf(
        port.terminateInstance(view.instances[1]?.instanceId ?? '', { decrementDesired: true }),
      ),
    ).toMatchObject({
      class: 'conflict',
      code: 'group-at-min-size',
    });
  });

  it('launches that fail are told with their reason', async () => {
    const stack = await stackOf('no-capacity');
    const undo = world.faults.insufficientCapacity({ region: REGION });
    await execute(stack);
    const failures = await eventually(async () => {
      const group = (await port.describeNodeGroups(clusterId)).find((one) => one.groupName === stack.name);
      return group && group.recentFailures.length > 0 ? group.recentFailures : undefined;
    }, 'a failed launch');
    expect(failures.length).toBeLessThanOrEqual(5);
    expect(failures[0]?.message).toMatch(/capacity/i);
    undo();
  });

  it('roles are assumed in other accounts, and only the right ones', async () => {
    world.addAccount({ id: '210987654321', roles: ['fairway'] });
    const { accessKeyId, secretAccessKey } = world.accessKey(ACCOUNT);
    const before = { ...process.env };
    process.env['AWS_ACCESS_KEY_ID'] = accessKeyId;
    process.env['AWS_SECRET_ACCESS_KEY'] = secretAccessKey;
    const right = createAwsAccess({ endpoint, roleName: 'fairway' });
    const other = await right.connect('aws:210987654321', REGION);
    expect(await other.callerAccount()).toBe('210987654321');
    const calls = () => world.calls.query({ service: 'sts', action: 'AssumeRole' }).length;
    const assumed = calls();
    await other.describeNodeGroups(clusterId);
    await other.describeStack('x');
    expect(calls()).toBe(assumed);
    const wrong = createAwsAccess({ endpoint, roleName: 'intruder' });
    expect(await failureOf(wrong.connect('aws:210987654321', REGION))).toMatchObject({ class: 'denied' });
    right.close();
    wrong.close();
    for (const key of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
      if (before[key] === undefined) delete process.env[key];
      else process.env[key] = before[key];
    }
  });

  it('an endpoint that is away is unreachable', async () => {
    const away = createAwsAccess({
      endpoint: 'http://127.0.0.1:1',
      credentialsFor: () => world.accessKey(ACCOUNT),
    });
    expect(await failureOf(away.connect(ACCOUNT, REGION))).toMatchObject({
      class: 'transient',
      code: 'aws-unreachable',
    });
    away.close();
  });

  it('images are looked up with their owner', async () => {
    const request = { clusterId, stackName: 'x', instanceTypes: [], cipherTexts: [] };
    const name = image?.name ?? '';
    const found = await port.lookupInputs({
      ...request,
      images: [
        { name, owner: IMAGE_OWNER },
        { name, owner: '111111111111' },
      ],
    });
    expect(found.images).toEqual({ [`${name}|${IMAGE_OWNER}`]: image?.id });
  });
});
