import { EC2Client, RunInstancesCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { RequestServiceQuotaIncreaseCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAwsAccess } from '#adapters/aws';
import { FailureError, minutes, type Failure } from '#kernel';
import type { AwsPort } from '#ports';
import { AwsError, AwsServer, AwsWorld, defaultImages, ScaledScheduler, SeededRandom } from '#simulation';

const ACCOUNT = '123456789012';
const REGION = 'eu-central-1';
const STANDARD = 'L-1216C47A';
const SPOT = 'L-34B43A08';
const scheduler = new ScaledScheduler(1000);
const world = new AwsWorld({ scheduler, random: new SeededRandom(5) });
// Small pages prove that all of them are read.
const server = new AwsServer(world, { pageLimit: 2 });
let now = 0;
let ec2: EC2Client;
let quotas: ServiceQuotasClient;
let access: ReturnType<typeof createAwsAccess>;
let port: AwsPort;
let endpoint = '';

beforeAll(async () => {
  const credentials = world.addAccount({ id: ACCOUNT });
  endpoint = await server.listen();
  ec2 = new EC2Client({ endpoint, region: REGION, credentials });
  quotas = new ServiceQuotasClient({ endpoint, region: REGION, credentials, maxAttempts: 1 });
});
beforeEach(async () => {
  access = createAwsAccess({
    endpoint,
    credentialsFor: (account) => world.accessKey(account),
    clock: { now: () => now },
    maxAttempts: 1,
    requestsPerSecond: 1000,
  });
  port = await access.connect(ACCOUNT, REGION);
});
afterAll(async () => {
  access.close();
  ec2.destroy();
  quotas.destroy();
  await server.close();
  scheduler.close();
});

const setQuota = (code: string, vcpus: number) =>
  quotas.send(
    new RequestServiceQuotaIncreaseCommand({ ServiceCode: 'ec2', QuotaCode: code, DesiredValue: vcpus }),
  );
const launch = async (type: string, count: number, spot = false, subnetId?: string): Promise<string[]> => {
  const { Instances = [] } = await ec2.send(
    new RunInstancesCommand({
      ImageId: defaultImages[0]?.id,
      InstanceType: type as never,
      MinCount: count,
      MaxCount: count,
      ...(spot && { InstanceMarketOptions: { MarketType: 'spot' } }),
      ...(subnetId !== undefined && { SubnetId: subnetId }),
    }),
  );
  return Instances.map(({ InstanceId = '' }) => InstanceId);
};
const quota = async (code: string, maxAge = 0) => {
  const { quotas: all } = await port.vcpuSupply([], maxAge);
  return all.find((one) => one.code === code);
};
const refusal = async (work: Promise<unknown>): Promise<Failure | undefined> =>
  work.then(
    () => undefined,
    (thrown: unknown) => (thrown as FailureError).failure,
  );
const calls = (action: string): number => world.calls.count({ action });

describe('vCPU quotas over the wire', () => {
  it('reads limits and what runs under them, on every page', async () => {
    await setQuota(STANDARD, 40);
    const started = await launch('m5.xlarge', 3);
    const spot = await launch('m5.large', 2, true);
    expect(await quota(STANDARD)).toEqual({
      code: STANDARD,
      name: 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances',
      limit: 40,
      used: 12,
    });
    expect(await quota(SPOT)).toMatchObject({ used: 4 });
    const { types, quotas: known } = await port.vcpuSupply(['m5.xlarge', 'nothing.large'], 0);
    expect(types).toEqual({ 'm5.xlarge': { vcpus: 4, onDemand: STANDARD, spot: SPOT } });
    expect(known.map(({ code }) => code)).not.toContain('L-0263D0A3');
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [...started, ...spot] }));
    expect(await quota(STANDARD)).toMatchObject({ used: 0 });
  });

  it('the simulated EC2 launches up to the quota and not beyond it', async () => {
    await setQuota(STANDARD, 8);
    const started = await launch('m5.xlarge', 2);
    await expect(launch('m5.large', 1)).rejects.toMatchObject({
      name: 'VcpuLimitExceeded',
      message: expect.stringContaining('your current vCPU limit of 8 allows'),
    });
    await setQuota(SPOT, 0);
    await expect(launch('m5.large', 1, true)).rejects.toMatchObject({ name: 'MaxSpotInstanceCountExceeded' });
    await setQuota(STANDARD, 10);
    started.push(...(await launch('m5.large', 1)));
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: started }));
  });

  it('asks once in a while for all who want to know', async () => {
    const before = calls('ListServiceQuotas');
    await Promise.all([quota(STANDARD, minutes(5)), quota(STANDARD, minutes(5))]);
    const pages = calls('ListServiceQuotas') - before;
    expect(pages).toBeGreaterThan(1);
    now += minutes(4);
    await quota(STANDARD, minutes(5));
    expect(calls('ListServiceQuotas') - before).toBe(pages);
    now += minutes(2);
    await quota(STANDARD, minutes(5));
    expect(calls('ListServiceQuotas') - before).toBe(2 * pages);
  });

  it('counts free addresses; a subnet that does not exist is absent', async () => {
    // A subnet of its own: the machines of the other tests may still be on their way out of theirs.
    const id = world.region(ACCOUNT, REGION).network.subnets.at(-1)?.id ?? '';
    const before = (await port.freeAddresses([id, 'subnet-0gone']))[id] ?? 0;
    expect(Object.keys(await port.freeAddresses([id, 'subnet-0gone']))).toEqual([id]);
    const started = await launch('m5.large', 1, false, id);
    expect((await port.freeAddresses([id]))[id]).toBe(before - 1);
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: started }));
  });

  it.each<[string, AwsError, string]>([
    ['refused', new AwsError('AccessDeniedException', 'not authorized', 400), 'aws-denied'],
    ['throttled', new AwsError('TooManyRequestsException', 'Rate exceeded', 429), 'aws-throttled'],
    [
      'an endpoint without it',
      new AwsError('UnknownOperationException', 'unknown', 400),
      'aws-action-unsupported',
    ],
    [
      'another region',
      new AwsError('NoSuchResourceException', 'The service does not exist', 400),
      'aws-missing',
    ],
  ])('%s is a failure with its reason, and not kept', async (_name, error, code) => {
    const undo = world.faults.failNext({ action: 'ListServiceQuotas' }, error);
    expect(await refusal(port.vcpuSupply([], minutes(5)))).toMatchObject({ code });
    undo();
    expect(await quota(STANDARD, minutes(5))).toBeDefined();
  });
});
