import { describe, expect, it } from 'vitest';
import { accountNumber, cached, partitionOf } from './account-credentials.js';
import { createEksTokens } from './eks-tokens.js';
import { lockSubnets } from './subnets.js';

describe('cached credentials', () => {
  it('are asked for once, and again five minutes before they expire', async () => {
    let now = 0;
    let asked = 0;
    const provider = cached(
      async () => {
        asked += 1;
        return { accessKeyId: `k${asked}`, secretAccessKey: 's', expiration: new Date(now + 3_600_000) };
      },
      { now: () => now },
    );
    const [a, b] = await Promise.all([provider(), provider()]);
    expect([a.accessKeyId, b.accessKeyId, asked]).toEqual(['k1', 'k1', 1]);
    now = 54 * 60_000;
    expect((await provider()).accessKeyId).toBe('k1');
    now = 56 * 60_000;
    expect((await provider()).accessKeyId).toBe('k2');
  });

  it('a failure is not kept', async () => {
    let fails = true;
    const provider = cached(
      async () => {
        if (fails) throw new Error('away');
        return { accessKeyId: 'k', secretAccessKey: 's' };
      },
      { now: () => 0 },
    );
    await expect(provider()).rejects.toThrow('away');
    fails = false;
    expect((await provider()).accessKeyId).toBe('k');
  });
});

describe('accounts', () => {
  it('are twelve digits, with or without the provider', () => {
    expect(accountNumber('aws:123456789012')).toBe('123456789012');
    expect(accountNumber('123456789012')).toBe('123456789012');
    expect(() => accountNumber('aws:12')).toThrow('account-id-invalid');
    expect(partitionOf('cn-north-1')).toBe('aws-cn');
    expect(partitionOf('eu-central-1')).toBe('aws');
  });
});

describe('EKS tokens', () => {
  it('are a presigned GetCallerIdentity bound to the cluster, as botocore signs it', async () => {
    const tokens = createEksTokens({
      credentialsFor: () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }),
      clock: { now: () => Date.UTC(2026, 10, 21, 8, 0, 0) },
    });
    const { token, expiresAt } = await tokens({
      account: '123456789012',
      region: 'eu-central-1',
      name: 'kube-1',
    });
    expect(expiresAt).toBe(Date.UTC(2026, 10, 21, 8, 14, 0));
    expect(token.startsWith('k8s-aws-v1.')).toBe(true);
    const url = new URL(Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString());
    expect(url.host).toBe('sts.eu-central-1.amazonaws.com');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      Action: 'GetCallerIdentity',
      Version: '2011-06-15',
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': 'AKIDEXAMPLE/20261121/eu-central-1/sts/aws4_request',
      'X-Amz-Date': '20261121T080000Z',
      'X-Amz-Expires': '60',
      'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
      'X-Amz-Signature': '9c5dc2312c638d1599702d72cad3916bab55674df5b28c3339e3d165dd37a89a',
    });
  });
});

describe('lockSubnets', () => {
  const subnet = (SubnetId: string, AvailabilityZone: string, ...roles: string[]) => ({
    SubnetId,
    AvailabilityZone,
    Tags: roles.map((role) => ({ Key: `kubernetes.io/role/${role}`, Value: '1' })),
  });
  const ids = (found: readonly { readonly SubnetId?: string | undefined }[]) =>
    found.map((one) => one.SubnetId);

  it('takes the roles where there are some', () => {
    const found = lockSubnets([
      subnet('s-2', 'b', 'internal-elb'),
      subnet('s-1', 'a', 'internal-elb'),
      subnet('s-3', 'a', 'elb'),
      subnet('s-4', 'a'),
    ]);
    expect([ids(found.nodes), ids(found.loadBalancers)]).toEqual([['s-1', 's-2'], ['s-3']]);
  });

  it('keeps nodes out of public subnets, and uses everything where nothing is tagged', () => {
    const some = lockSubnets([subnet('s-1', 'a', 'elb'), subnet('s-2', 'a')]);
    expect([ids(some.nodes), ids(some.loadBalancers)]).toEqual([['s-2'], ['s-1']]);
    const none = lockSubnets([subnet('s-1', 'a'), subnet('s-2', 'b')]);
    expect([ids(none.nodes), ids(none.loadBalancers)]).toEqual([
      ['s-1', 's-2'],
      ['s-1', 's-2'],
    ]);
  });
});
