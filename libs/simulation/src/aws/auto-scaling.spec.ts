import { beforeEach, describe, expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import type { Group } from './auto-scaling-model.js';
import { inService } from './auto-scaling.js';
import { defaultImages } from './catalog.js';
import type { Machine } from './machine.js';
import { testWorld, type TestWorld } from './test-world.js';

const [image, newer, , broken] = defaultImages;

describe('an Auto Scaling group', () => {
  let test: TestWorld;
  let group: Group;
  let machines: string[];

  const zones = (): string[] => [...group.instances.values()].map(({ zone }) => zone.slice(-1)).sort();
  const settle = (count: number): void =>
    test.until(`${count} in service`, () => inService(group) === count && group.instances.size === count);

  function createGroup(size: number, max = size + 2): Group {
    const { aws } = test;
    const template = aws.launchTemplates.create('workers', {
      ImageId: image?.id,
      InstanceType: 'm5.large',
      UserData: Buffer.from('boot me').toString('base64'),
    });
    return aws.autoScaling.create(
      'workers',
      {
        minSize: 1,
        maxSize: max,
        desiredCapacity: size,
        launchTemplate: { id: template.id, version: '$Latest' },
        subnetIds: aws.network.subnets.filter(({ role }) => role === 'nodes').map(({ id }) => id),
      },
      [
        { key: 'pool', value: 'workers', propagate: true },
        { key: 'secret', value: 'group only', propagate: false },
      ],
    );
  }

  beforeEach(() => {
    test = testWorld();
    machines = [];
    const note = (word: string) => (machine: Machine) =>
      void machines.push(`${word} ${machine.zone.slice(-1)}`);
    test.world.onMachine({
      booted: note('booted'),
      terminating: note('terminating'),
      terminated: note('terminated'),
    });
    group = createGroup(3);
  });

  it('spreads over the zones, is InService long before its machines have booted', () => {
    const start = test.scheduler.now();
    settle(3);
    expect(zones()).toEqual(['a', 'b', 'c']);
    expect(test.scheduler.now() - start).toBeLessThan(seconds(20));
    expect(machines).toEqual([]);
    test.scheduler.advance(minutes(2));
    expect([...machines].sort()).toEqual(['booted a', 'booted b', 'booted c']);
    const instance = test.aws.instances.all()[0];
    expect(instance?.tags).toMatchObject({ pool: 'workers', 'aws:autoscaling:groupName': 'workers' });
    expect(instance?.tags).not.toHaveProperty('secret');
    expect(test.aws.instances.machine(instance as never)).toMatchObject({
      userData: 'boot me',
      kubernetesVersion: '1.31.4',
      joins: true,
      autoScalingGroup: 'workers',
    });
  });

  it('keeps old instances when the template gets a new version, and launches new ones from it', () => {
    settle(3);
    test.aws.launchTemplates.addVersion(
      { name: 'workers' },
      { ImageId: newer?.id, InstanceType: 'm5.large' },
    );
    test.scheduler.advance(minutes(10));
    expect([...group.instances.values()].map(({ launchTemplate }) => launchTemplate?.version)).toEqual([
      1, 1, 1,
    ]);
    test.aws.autoScaling.setDesiredCapacity('workers', 4);
    settle(4);
    expect([...group.instances.values()].map(({ launchTemplate }) => launchTemplate?.version)).toEqual([
      1, 1, 1, 2,
    ]);
  });

  it('replaces a terminated instance, or shrinks with it; refuses a second time and below the minimum', () => {
    settle(3);
    const [first, second, third] = [...group.instances.keys()] as [string, string, string];
    test.aws.autoScaling.terminateInstance(first, false);
    expect(() => test.aws.autoScaling.terminateInstance(first, false)).toThrowError(
      /already in lifecycle state Terminating/,
    );
    settle(3);
    test.until('gone', () => test.aws.instances.get(first)?.state === 'terminated');
    expect(group.desiredCapacity).toBe(3);
    test.aws.autoScaling.terminateInstance(second, true);
    settle(2);
    test.aws.autoScaling.terminateInstance(third, true);
    settle(1);
    const last = [...group.instances.keys()][0] as string;
    expect(() => test.aws.autoScaling.terminateInstance(last, true)).toThrowError(
      /desiredSize equals minSize/,
    );
    expect(() => test.aws.autoScaling.terminateInstance('i-none', true)).toThrowError(
      /Instance Id not found/,
    );
    const terminated = test.world.cloudEvents('instance-terminated').map(({ subject }) => subject);
    expect(terminated.sort()).toEqual([first, second, third].sort());
  });

  it('refuses sizes out of bounds', () => {
    expect(() => test.aws.autoScaling.setDesiredCapacity('workers', 6)).toThrowError(/above max value 5/);
    expect(() => test.aws.autoScaling.setDesiredCapacity('workers', 0)).toThrowError(/below min value 1/);
    expect(() => test.aws.autoScaling.update('workers', { minSize: 4, maxSize: 2 })).toThrowError(
      /must be greater/,
    );
    test.aws.autoScaling.update('workers', { maxSize: 2 });
    expect(group.desiredCapacity).toBe(2);
  });

  it('scales in the oldest version first, never a protected instance', () => {
    settle(3);
    const [first] = [...group.instances.keys()] as [string];
    test.aws.launchTemplates.addVersion(
      { name: 'workers' },
      { ImageId: newer?.id, InstanceType: 'm5.large' },
    );
    test.aws.autoScaling.setDesiredCapacity('workers', 5);
    settle(5);
    const old = [...group.instances.values()].filter(({ launchTemplate }) => launchTemplate?.version === 1);
    test.aws.autoScaling.setProtection('workers', [first], true);
    test.aws.autoScaling.setDesiredCapacity('workers', 3);
    settle(3);
    const survivors = [...group.instances.values()];
    expect(survivors.map(({ instanceId }) => instanceId)).toContain(first);
    expect(survivors.filter(({ launchTemplate }) => launchTemplate?.version === 1).length).toBeLessThan(
      old.length,
    );
    test.aws.autoScaling.setProtection(
      'workers',
      survivors.map(({ instanceId }) => instanceId),
      true,
    );
    test.aws.autoScaling.setDesiredCapacity('workers', 2);
    test.scheduler.advance(minutes(5));
    expect(group.instances.size).toBe(3);
    expect(group.activities[0]?.message).toMatch(/protected from scale-in/);
  });

  it('goes on in other zones without capacity in one, and rebalances later unless suspended', () => {
    settle(3);
    const undo = test.world.faults.insufficientCapacity({ zone: 'eu-central-1c' });
    const inC = [...group.instances.values()].find(({ zone }) => zone.endsWith('c'))?.instanceId as string;
    test.aws.autoScaling.setSuspended('workers', ['AZRebalance'], true);
    test.aws.autoScaling.terminateInstance(inC, false);
    settle(3);
    expect(
      group.activities.some(
        ({ status, message }) => status === 'Failed' && message?.includes('sufficient m5.large capacity'),
      ),
    ).toBe(true);
    expect(zones()).not.toContain('c');
    undo();
    test.scheduler.advance(minutes(30));
    expect(zones()).not.toContain('c');
    test.aws.autoScaling.setSuspended('workers', ['AZRebalance'], false);
    test.until('balance', () => zones().join('') === 'abc');
    settle(3);
  });

  it('replaces a machine that dies', () => {
    settle(3);
    test.scheduler.advance(minutes(3));
    const [first] = [...group.instances.keys()] as [string];
    machines = [];
    test.world.killInstance(first);
    expect(machines).toEqual([expect.stringMatching(/^terminated/)]);
    test.until('replacement', () => !group.instances.has(first) && inService(group) === 3);
    test.world.stopInstance([...group.instances.keys()][0] as string);
    test.until('replacement of the stopped one', () =>
      test.aws.instances.all().every(({ state }) => state !== 'stopped'),
    );
    settle(3);
  });

  it('attaches and raises the desired capacity, detaches and lowers it', () => {
    settle(3);
    const spec = {
      imageId: image?.id as string,
      instanceType: 'm5.large',
      subnetId: group.subnetIds[0] as string,
      tags: {},
      spot: false,
    };
    const instance = test.aws.instances.launch(spec);
    expect(() => test.aws.autoScaling.attach('workers', [instance.id])).toThrowError(/not in correct state/);
    test.until('running', () => instance.state === 'running');
    test.aws.autoScaling.attach('workers', [instance.id]);
    expect(group.desiredCapacity).toBe(4);
    test.aws.autoScaling.detach('workers', [instance.id], true);
    test.scheduler.advance(minutes(5));
    expect([group.desiredCapacity, group.instances.size, instance.state]).toEqual([3, 3, 'running']);
    test.aws.autoScaling.update('workers', { maxSize: 3 });
    expect(() => test.aws.autoScaling.attach('workers', [instance.id])).toThrowError(/above max value 3/);
  });

  it('marks machines of a broken image as never joining', () => {
    settle(3);
    test.aws.launchTemplates.addVersion(
      { name: 'workers' },
      { ImageId: broken?.id, InstanceType: 'm5.large' },
    );
    test.aws.autoScaling.setDesiredCapacity('workers', 4);
    settle(4);
    const bad = test.aws.instances.all().filter(({ joins }) => !joins);
    expect(bad.map(({ imageId }) => imageId)).toEqual([broken?.id]);
  });

  it('mixes on-demand and spot as its policy says', () => {
    const mixedInstances = {
      overrides: ['m6i.large', 'm5.large'],
      onDemandBase: 1,
      onDemandPercentage: 0,
      raw: {},
    };
    test.aws.autoScaling.update('workers', { launchTemplate: { name: 'workers' }, mixedInstances });
    settle(3);
    const live = test.aws.instances.all();
    expect(live.map(({ spot }) => spot).sort()).toEqual([false, true, true]);
    expect(live.every(({ instanceType }) => instanceType === 'm6i.large')).toBe(true);
  });
});

describe('targets of a group', () => {
  it('become healthy when the port answers, drain before termination', () => {
    const test = testWorld();
    const { aws } = test;
    const serving = new Set<string>();
    test.world.setServing((id, port) => port === 6443 && serving.has(id));
    const template = aws.launchTemplates.create('masters', { ImageId: image?.id, InstanceType: 'm5.large' });
    const settings = {
      name: 'api',
      protocol: 'TCP',
      port: 6443,
      targetType: 'instance',
      healthCheck: { protocol: 'TCP', port: 'traffic-port', path: '/' },
      healthyThreshold: 2,
      unhealthyThreshold: 2,
      deregistrationDelay: 300,
      tags: {},
    };
    const targets = aws.loadBalancing.createTargetGroup(settings);
    const subnetIds = aws.network.subnets.filter(({ role }) => role === 'nodes').map(({ id }) => id);
    const group = aws.autoScaling.create(
      'masters',
      {
        minSize: 1,
        maxSize: 2,
        launchTemplate: { id: template.id },
        subnetIds,
        targetGroupArns: [targets.arn],
      },
      [],
    );
    test.until('registered', () => targets.targets.size === 1);
    const target = [...targets.targets.values()][0];
    expect(target?.state).toBe('initial');
    test.scheduler.advance(minutes(2));
    expect(target?.state).toBe('unhealthy');
    serving.add(target?.instanceId as string);
    test.until('healthy', () => target?.state === 'healthy');
    aws.autoScaling.terminateInstance(target?.instanceId as string, false);
    expect([target?.state, group.activities[0]?.status]).toEqual([
      'draining',
      'WaitingForELBConnectionDraining',
    ]);
    expect(aws.instances.get(target?.instanceId as string)?.state).toBe('running');
    test.until('gone', () => aws.instances.get(target?.instanceId as string)?.state === 'terminated');
    expect(targets.targets.has(target?.instanceId as string)).toBe(false);
  });
});
