import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import { AwsError, DroppedReply } from './aws-error.js';
import { defaultImages } from './catalog.js';
import { ACCOUNT, createStack, stackRequest, testWorld } from './test-world.js';

const call = (action: string, params: object = {}) => ({
  service: 'ec2',
  action,
  account: ACCOUNT,
  region: 'eu-central-1',
  principal: 'arn:test',
  params,
});

describe('the gate of the simulated AWS', () => {
  it('logs calls, hides secrets, and injects faults in order', async () => {
    const { world } = testWorld();
    let done = 0;
    const act = () => ({ done: ++done });
    expect(await world.perform(call('RunInstances', { UserData: 'secret', Count: '1' }), act)).toEqual({
      done: 1,
    });
    world.faults.failNext({ action: 'RunInstances' }, new AwsError('InternalError', 'boom', 500));
    await expect(world.perform(call('RunInstances'), act)).rejects.toMatchObject({ code: 'InternalError' });
    world.faults.dropReplyNext({ service: 'ec2' });
    await expect(world.perform(call('RunInstances'), act)).rejects.toBeInstanceOf(DroppedReply);
    const allow = world.faults.deny(ACCOUNT);
    await expect(world.perform(call('DescribeInstances'), act)).rejects.toMatchObject({
      code: 'UnauthorizedOperation',
      status: 403,
    });
    allow();
    expect(done).toBe(2);
    expect(world.calls.query().map(({ seq, outcome, mutating }) => [seq, outcome, mutating])).toEqual([
      [1, 'ok', true],
      [2, 'error', true],
      [3, 'ok', true],
      [4, 'error', false],
    ]);
    expect(world.calls.query()[0]?.params).toEqual({ UserData: '(hidden, 6)', Count: '1' });
    expect(world.calls.count({ action: 'RunInstances', outcome: 'ok' })).toBe(2);
  });

  it('delays calls in the time of the scheduler', async () => {
    const { world, scheduler } = testWorld();
    world.faults.latency({}, seconds(30));
    let over = false;
    void world.perform(call('DescribeInstances'), () => ({})).then(() => (over = true));
    expect(await scheduler.runUntilAsync(() => over, minutes(1))).toBe(true);
    expect(world.calls.query()[0]?.at).toBe(scheduler.now());
  });

  it('fails sometimes, as the seed says', async () => {
    const outcomes = async (seed: number): Promise<string> => {
      const { world } = testWorld(seed);
      world.faults.failSometimes({}, 0.5, new AwsError('InternalError', 'boom', 500));
      for (let i = 0; i < 30; i++)
        await world.perform(call('DescribeInstances'), () => ({})).catch(() => undefined);
      return world.calls
        .query()
        .map(({ outcome }) => outcome[0])
        .join('');
    };
    const first = await outcomes(5);
    expect(first).toBe(await outcomes(5));
    expect(first).not.toBe(await outcomes(6));
    expect(new Set(first)).toEqual(new Set(['o', 'e']));
  });

  it('tells the same story for the same seed', () => {
    const story = (seed: number): string => {
      const test = testWorld(seed);
      const body = `Resources:
  Group:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties: { MinSize: 3, MaxSize: 4, AvailabilityZones: !GetAZs '', LaunchTemplate: { LaunchTemplateId: !Ref T, Version: '1' } }
  T: { Type: AWS::EC2::LaunchTemplate, Properties: { LaunchTemplateData: { ImageId: ${defaultImages[0]?.id}, InstanceType: m5.large } } }`;
      createStack(test, stackRequest('story', body));
      test.scheduler.advance(minutes(5));
      return JSON.stringify(test.world.cloudEvents());
    };
    expect(story(9)).toBe(story(9));
    expect(story(9)).not.toBe(story(10));
  });
});
