import { CloudFormationClient, UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import { EC2Client, paginateDescribeImages } from '@aws-sdk/client-ec2';
import { CreateKeyCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAwsAccess, type AwsAccessOptions } from '#adapters/aws';
import { FailureError } from '#kernel';
import type { LockedInputs, NodeGroupView, StackTemplate } from '#fleet';
import type { AwsPort, StackChange } from '#ports';
import { eventually } from '../support/eventually.js';
import { contractTemplate } from './aws-adapter.fixture.js';

/** An endpoint that speaks AWS, and what the suite may count on there. */
export interface AwsTarget {
  readonly endpoint: string;
  readonly account: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** How long a stack or a machine may take there. */
  readonly patience: number;
  readonly options?: AwsAccessOptions;
  /** An image whose machines join and serve; without it any image of the endpoint is taken. */
  readonly image?: { readonly name: string; readonly owner: string };
  /** False for emulators that take any template for good, and do not say what a change set changes. */
  readonly exact: boolean;
}

type Prepared = Exclude<StackChange, { kind: 'none' }>;

const failureOf = async (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (thrown: unknown) => {
      if (thrown instanceof FailureError) return thrown.failure;
      throw thrown;
    },
  );

/** What the engine relies on, asked of any endpoint. Everything has a name of its own and is deleted again. */
export function awsContract(name: string, makeTarget: () => Promise<AwsTarget>): void {
  describe(`AWS port on ${name}`, () => {
    const id = randomBytes(4).toString('hex');
    const clusterId = `aws:123456789012:eu-central-1:contract-${id}`;
    const bucket = `fairway-contract-${id}`;
    let target: AwsTarget;
    let access: ReturnType<typeof createAwsAccess>;
    let port: AwsPort;
    let inputs: LockedInputs;
    let image: { readonly name: string; readonly owner: string };
    let protects = true;

    const settings = () => ({
      endpoint: target.endpoint,
      region: target.region,
      credentials: target.credentials,
    });
    const within = <T>(check: () => Promise<T> | T, what: string) => eventually(check, what, target.patience);
    const lookUp = (more: object = {}) =>
      port.lookupInputs({
        clusterId,
        stackName: `contract-${id}`,
        images: [image, { name: `absent-${id}`, owner: image.owner }],
        instanceTypes: ['m5.large', 'm6g.large', 'zz9.plural'],
        cipherTexts: [],
        ...more,
      });

    beforeAll(async () => {
      target = await makeTarget();
      protects = await knowsProtection(settings());
      access = createAwsAccess({
        endpoint: target.endpoint,
        credentialsFor: () => target.credentials,
        templateBucket: () => bucket,
        protectStacks: protects,
        ...target.options,
      });
      port = await access.connect(`aws:${target.account}`, target.region);
      image = target.image ?? (await someImage(settings()));
      inputs = await lookUp();
    });
    afterAll(() => access?.close());

    const stackOf = (
      stackName: string,
      parameters: Record<string, string> = {},
      padding = '',
    ): StackTemplate => ({
      name: `${stackName}-${id}`,
      file: 'cluster/node-pools/worker/stack.yaml',
      body: contractTemplate(`${stackName}-${id}`, clusterId, padding),
      parameters: {
        Image: inputs.images[`${image.name}|${image.owner}`] ?? '',
        Subnets: inputs.subnets['*'] ?? '',
        Vpc: inputs.vpcId ?? '',
        ...parameters,
      },
      tags: { [`kubernetes.io/cluster/${clusterId}`]: 'owned' },
    });
    const statusOf = async (stack: StackTemplate) => (await port.describeStack(stack.name))?.status;
    const settled = (stack: StackTemplate, status: string) =>
      within(async () => (await statusOf(stack)) === status, `${stack.name} is ${status}`);
    const prepared = async (stack: StackTemplate): Promise<Prepared> => {
      const change = await port.prepareStackChange(stack);
      if (change.kind === 'none') throw new Error('the change set is empty');
      return change;
    };
    const removed = async (stack: StackTemplate) => {
      if (protects) await port.setTerminationProtection(stack.name, false);
      await port.deleteStack(stack.name);
      await within(async () => (await port.describeStack(stack.name)) === undefined, `${stack.name} is gone`);
    };

    describe('identity and inputs', () => {
      it('belongs to the account, and refuses to be used for another one', async () => {
        expect(await port.callerAccount()).toBe(target.account);
        const other = target.account === '999999999999' ? '888888888888' : '999999999999';
        expect(await failureOf(access.connect(other, target.region))).toMatchObject({
          class: 'denied',
          code: 'account-mismatch',
        });
      });

      it('finds the network, exactly one image, and what instance types are', () => {
        expect(inputs.vpcId).toMatch(/^vpc-/);
        expect(inputs.vpcIpv4Cidr).toMatch(/^\d+\.\d+\.\d+\.\d+\/\d+$/);
        expect(inputs.availabilityZones.length).toBeGreaterThanOrEqual(2);
        expect(Object.keys(inputs.subnets).sort()).toEqual(['*', ...inputs.availabilityZones].sort());
        expect(Object.keys(inputs.loadBalancerSubnets).length).toBeGreaterThan(0);
        expect(Object.keys(inputs.images)).toEqual([`${image.name}|${image.owner}`]);
        expect(Object.keys(inputs.instanceTypes).sort()).toEqual(['m5.large', 'm6g.large']);
        expect(inputs.instanceTypes['m5.large']).toEqual({
          vcpus: 2,
          memoryBytes: 8 * 2 ** 30,
          architecture: 'amd64',
          storageBytes: 0,
        });
        expect(inputs.instanceTypes['m6g.large']?.architecture).toBe('arm64');
        expect(inputs.clusterStackOutputs).toBeUndefined();
      });

      it('the same inputs have the same digest', async () => {
        expect((await lookUp()).digest).toBe(inputs.digest);
        expect((await lookUp({ instanceTypes: [] })).digest).not.toBe(inputs.digest);
      });

      it('a VPC that is not there is named', async () => {
        expect(await failureOf(lookUp({ vpcId: 'vpc-00000000000000000' }))).toMatchObject({
          class: 'invalid',
        });
      });

      it('decrypts, and says what cannot be decrypted', async () => {
        const kms = new KMSClient(settings());
        const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
        const { CiphertextBlob } = await kms.send(
          new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('hush') }),
        );
        kms.destroy();
        const cipher = `aws:kms:${Buffer.from(CiphertextBlob ?? []).toString('base64')}`;
        const found = await lookUp({ cipherTexts: [cipher] });
        expect(found.decrypted).toEqual({ [cipher]: 'hush' });
        expect(found.digest).not.toBe(inputs.digest);
        const broken = await failureOf(lookUp({ cipherTexts: ['aws:kms:AAAA'] }));
        // AWS does not tell a foreign key from no key.
        expect(['invalid', 'denied']).toContain(broken?.class);
      });
    });

    describe('stacks', () => {
      it('that are not there are nothing, and deleting them is success', async () => {
        expect(await port.describeStack(`absent-${id}`)).toBeUndefined();
        expect(await port.stackFailures(`absent-${id}`)).toEqual([]);
        await port.deleteStack(`absent-${id}`);
      });

      it('a plan for a new one can be thrown away without a trace', async () => {
        const stack = stackOf('planned');
        const change = await prepared(stack);
        expect(change.kind).toBe('create');
        expect(change.changes).toContain('Add AWS::AutoScaling::AutoScalingGroup Group');
        expect(await prepared(stack)).toEqual(change);
        await port.discardStackChange(stack.name, change);
        await within(
          async () => (await port.describeStack(stack.name)) === undefined,
          'the empty stack is gone',
        );
        await port.discardStackChange(stack.name, change);
      });

      it('are created, left alone, changed, changed back, and deleted', async () => {
        const stack = stackOf('life');
        const change = await prepared(stack);
        await port.executeStackChange(stack, change);
        await port.executeStackChange(stack, change);
        await settled(stack, 'CREATE_COMPLETE');
        expect(await port.describeStack(stack.name)).toMatchObject({
          name: stack.name,
          parameters: { Max: '4' },
          tags: { ...stack.tags, application: 'kubernetes' },
          terminationProtection: protects,
        });
        expect(await port.stackFailures(stack.name)).toEqual([]);
        expect(await port.listClusterStacks(clusterId)).toContain(stack.name);
        expect(await port.prepareStackChange(stack)).toEqual({ kind: 'none' });

        const larger = { ...stack, body: stack.body.replace('MaxSize: !Ref Max', "MaxSize: '5'") };
        const update = await prepared(larger);
        expect(update.kind).toBe('update');
        if (target.exact)
          expect(update.changes.join()).toContain('Modify AWS::AutoScaling::AutoScalingGroup Group');
        await port.executeStackChange(larger, update);
        await settled(larger, 'UPDATE_COMPLETE');
        expect(await port.prepareStackChange(larger)).toEqual({ kind: 'none' });

        await port.executeStackChange(stack, await prepared(stack));
        await within(
          async () => (await port.describeNodeGroups(clusterId))[0]?.maxSize === 4,
          'it is as before',
        );
        await settled(stack, 'UPDATE_COMPLETE');
        if (protects) {
          expect(await failureOf(port.deleteStack(stack.name))).toMatchObject({
            class: 'blocked',
            code: 'stack-protected',
          });
        }
        await removed(stack);
        expect(await port.listClusterStacks(clusterId)).not.toContain(stack.name);
        await port.deleteStack(stack.name);
      });

      it('templates that do not fit into a request go through S3', async () => {
        const stack = stackOf('long', {}, 'x'.repeat(60_000));
        const change = await prepared(stack);
        expect(change.changes).toContain('Add AWS::AutoScaling::AutoScalingGroup Group');
        await port.discardStackChange(stack.name, change);
      });

      it('what is wrong with a template is the file’s fault', async () => {
        if (!target.exact) return;
        const stack = {
          ...stackOf('wrong'),
          body: 'Resources: { A: { Type: AWS::EC2::VPC, Properties: { X: !Ref Absent } } }',
          parameters: {},
        };
        expect(await failureOf(port.prepareStackChange(stack))).toMatchObject({
          class: 'invalid',
          place: { file: stack.file },
        });
        const missing = stackOf('wrong');
        const { Image: _image, ...parameters } = missing.parameters;
        const failure = await failureOf(port.prepareStackChange({ ...missing, parameters }));
        expect(failure).toMatchObject({
          class: 'invalid',
          code: 'template-invalid',
          place: { file: stack.file },
        });
        expect(failure?.message).toContain('Image');
      });
    });

    describe('node groups', () => {
      let stack: StackTemplate;
      const groups = () => port.describeNodeGroups(clusterId);
      const group = async (pool = 'workers') =>
        (await groups()).find((one) => one.pool === pool) as NodeGroupView;
      const inService = (view: NodeGroupView) =>
        view.instances.filter((one) => one.lifecycleState === 'InService');
      const sized = (size: number) =>
        within(async () => {
          const view = await group();
          return inService(view).length === size ? view : undefined;
        }, `${size} instances are in service`);

      beforeAll(async () => {
        stack = stackOf('nodes');
        await port.executeStackChange(stack, await prepared(stack));
        await settled(stack, 'CREATE_COMPLETE');
      });
      afterAll(() => removed(stack));

      it('are found by tag with machines, load balancer health and concrete versions', async () => {
        const view = await within(async () => {
          const seen = await sized(2);
          const states = seen.instances.map((one) => Object.values(one.targetHealth));
          return states.every((one) => one.length === 1) ? seen : undefined;
        }, 'the machines are registered');
        expect((await groups()).map((one) => one.pool).sort()).toEqual(['floating', 'workers']);
        expect(view).toMatchObject({
          minSize: 1,
          maxSize: 4,
          desiredCapacity: 2,
          suspendedProcesses: [],
          instanceTypes: ['m5.large'],
          launchTemplate: { version: '1' },
          tags: { [`kubernetes.io/cluster/${clusterId}`]: 'owned', 'kubernetes.io/node-pool': 'workers' },
        });
        expect(view.zones.length).toBeGreaterThan(0);
        expect(view.launchTemplate?.floating).toBeUndefined();
        expect(await port.newestTemplateVersion(view.launchTemplate?.name ?? '')).toBe('1');
        const [instance] = view.instances;
        expect(instance).toMatchObject({
          instanceType: 'm5.large',
          market: 'on-demand',
          launchTemplate: view.launchTemplate,
          healthStatus: 'Healthy',
          protectedFromScaleIn: false,
          ec2State: 'running',
        });
        expect(view.zones).toContain(instance?.zone);
        expect(instance?.privateDnsName).toBeTruthy();
        expect(Date.parse(instance?.launchedAt ?? '')).not.toBeNaN();
        expect(Object.keys(instance?.targetHealth ?? {})).toEqual(view.targetGroupArns);
      });

      it('that follow $Latest show the number, and that it can change', async () => {
        expect((await group('floating')).launchTemplate).toMatchObject({ version: '1', floating: '$Latest' });
      });

      it('of another cluster are not seen', async () => {
        expect(await port.describeNodeGroups(`${clusterId}-other`)).toEqual([]);
      });

      it('take a new size only from the size that is expected', async () => {
        const { groupName } = await group();
        expect(await failureOf(port.setDesiredCapacity(groupName, 4, 3))).toMatchObject({
          class: 'conflict',
          code: 'capacity-moved',
        });
        expect(await failureOf(port.setDesiredCapacity(`${groupName}-absent`, 4, 3))).toMatchObject({
          class: 'conflict',
          code: 'group-missing',
        });
        await port.setDesiredCapacity(groupName, 3, 2);
        expect((await sized(3)).desiredCapacity).toBe(3);
      });

      it('bounds, processes and tags are changed and restored', async () => {
        const before = await group();
        const name = before.groupName;
        await port.setGroupBounds(name, { maxSize: 6 });
        await port.suspendProcesses(name, ['AZRebalance']);
        await port.suspendProcesses(name, []);
        await port.tagGroup(name, { 'fairway.dev/update': 'u1' });
        expect(await group()).toMatchObject({
          minSize: before.minSize,
          maxSize: 6,
          suspendedProcesses: ['AZRebalance'],
          tags: { ...before.tags, 'fairway.dev/update': 'u1' },
        });
        await port.resumeProcesses(name, []);
        expect((await group()).suspendedProcesses).toEqual(['AZRebalance']);
        await port.resumeProcesses(name, ['AZRebalance']);
        await port.untagGroup(name, ['fairway.dev/update', 'fairway.dev/absent']);
        await port.setGroupBounds(name, { minSize: before.minSize, maxSize: before.maxSize });
        expect(await group()).toMatchObject({
          maxSize: before.maxSize,
          suspendedProcesses: [],
          tags: before.tags,
        });
      });

      it('instances are protected from scale-in and released', async () => {
        const { groupName, instances } = await sized(3);
        const ids = instances.slice(0, 2).map((one) => one.instanceId);
        const isProtected = async () =>
          (await group()).instances
            .filter((one) => one.protectedFromScaleIn)
            .map((one) => one.instanceId)
            .sort();
        await port.protectFromScaleIn(groupName, ids, true);
        expect(await isProtected()).toEqual([...ids].sort());
        await port.protectFromScaleIn(groupName, ids, false);
        expect(await isProtected()).toEqual([]);
      });

      it('targets leave and come back', async () => {
        const view = await sized(3);
        const arn = view.targetGroupArns[0] ?? '';
        const instance = view.instances[0]?.instanceId ?? '';
        const health = async () =>
          (await group()).instances.find((one) => one.instanceId === instance)?.targetHealth[arn];
        expect(await port.deregistrationDelay(arn)).toEqual(target.exact ? 30_000 : expect.any(Number));
        await port.deregisterTargets(arn, [instance]);
        await within(async () => [undefined, 'draining'].includes(await health()), 'the target leaves');
        await port.deregisterTargets(arn, [instance]);
        await port.registerTargets(arn, [instance]);
        await port.registerTargets(arn, [instance]);
        // No load balancer forwards to the group, so `unused` is the best there can be.
        await within(
          async () => ['initial', 'healthy', 'unused'].includes((await health()) ?? ''),
          'the target is back',
        );
      });

      it('a machine is launched in a zone once per token, and attached once it runs', async () => {
        const before = await sized(3);
        const { groupName } = before;
        const zone = before.zones.at(-1) ?? '';
        const launch = () => port.launchInZone(groupName, zone, `${clusterId}/${zone}`, 'm5.xlarge');
        const launched = await launch();
        expect(await launch()).toBe(launched);
        expect((await group()).desiredCapacity).toBe(3);
        await within(
          async () => (await failureOf(port.attachInstance(groupName, launched))) === undefined,
          'the machine is attached',
        );
        await port.attachInstance(groupName, launched);
        const after = await sized(4);
        expect(after.desiredCapacity).toBe(4);
        const member = after.instances.find((one) => one.instanceId === launched);
        expect(member).toMatchObject({
          zone,
          instanceType: 'm5.xlarge',
          launchTemplate: before.launchTemplate,
        });
        expect(await failureOf(port.launchInZone(groupName, 'nowhere-1z', 'x'))).toMatchObject({
          class: 'blocked',
          code: 'zone-without-subnet',
        });
        await port.terminateInstance(launched, { decrementDesired: true });
        await sized(3);
      });

      it('an instance is terminated once, however often it is asked for', async () => {
        const before = await sized(3);
        const instance = before.instances[0]?.instanceId ?? '';
        await port.terminateInstance(instance, { decrementDesired: true });
        await port.terminateInstance(instance, { decrementDesired: true });
        expect((await group()).desiredCapacity).toBe(2);
        await within(
          async () => !(await group()).instances.some((one) => one.instanceId === instance),
          'it is gone',
        );
        await port.terminateInstance(instance, { decrementDesired: true });
        expect((await group()).desiredCapacity).toBe(2);
        await port.terminateInstance('i-00000000000000000', { decrementDesired: true });
      });
    });

    describe('objects', () => {
      it('are stored under their key, in a bucket that is made if it is missing, as often as one likes', async () => {
        const body = Buffer.from('hello');
        expect(await port.putObject(bucket, 'a/b c.txt', body)).toBe(`s3://${bucket}/a/b c.txt`);
        await port.putObject(bucket, 'a/b c.txt', body);
        const s3 = new S3Client({ ...settings(), forcePathStyle: true });
        const stored = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'a/b c.txt' }));
        expect(await stored.Body?.transformToString()).toBe('hello');
        s3.destroy();
      });
    });
  });
}

type Settings = ConstructorParameters<typeof EC2Client>[0] & {
  readonly endpoint: string;
  readonly region: string;
};

/** Some emulators do not know termination protection; AWS answers that the stack does not exist. */
async function knowsProtection(settings: Settings): Promise<boolean> {
  const client = new CloudFormationClient(settings);
  const command = new UpdateTerminationProtectionCommand({
    StackName: 'fairway-absent',
    EnableTerminationProtection: false,
  });
  const error: unknown = await client.send(command).catch((thrown: unknown) => thrown);
  client.destroy();
  return error instanceof Error && error.name === 'ValidationError';
}

/** Any image whose name is its own. */
async function someImage(settings: Settings): Promise<{ readonly name: string; readonly owner: string }> {
  const client = new EC2Client(settings);
  const counts = new Map<string, number>();
  for await (const page of paginateDescribeImages({ client }, {})) {
    for (const { Name, OwnerId } of page.Images ?? []) {
      const key = `${Name}|${OwnerId}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  client.destroy();
  const unique = [...counts]
    .find(([key, count]) => count === 1 && !key.includes('undefined'))?.[0]
    .split('|');
  if (!unique) throw new Error('the endpoint has no image');
  return { name: unique[0] ?? '', owner: unique[1] ?? '' };
}
