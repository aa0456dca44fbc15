import { describe, expect, it } from 'vitest';
import { FailureError, minutes, seconds } from '#kernel';
import type { PoolDemand } from '#rolling';
import { PassMemory } from '../pass/pass-memory.js';
import type { Pass, PassReport } from '../pass/pass.js';
import { foresee } from '../plan/foresee.js';
import { rememberShortage, stillShort } from './preflight-capacity.js';

const DEMAND: PoolDemand = {
  pool: 'workers',
  master: false,
  exists: true,
  growth: 0,
  surge: 1,
  needsSurge: true,
  replaced: [{ instanceType: 'm5.large', market: 'on-demand' }],
  instanceTypes: ['m5.large'],
  market: 'on-demand',
  subnetIds: ['subnet-a'],
};
const denied = new FailureError({ class: 'denied', code: 'aws-denied', message: 'not authorized' });

/** An update that waits for room, and what AWS answers meanwhile. */
async function shortOf(limit: number, free: number) {
  const aws = { limit: limit as number | Error, free: free as number | Error };
  const report: PassReport = { events: [], problems: [] };
  const cluster = { id: 'c', region: 'r', configItems: {} as Record<string, string> };
  const answer = async <T>(value: number | Error, of: (value: number) => T): Promise<T> => {
    if (typeof value !== 'number') throw value;
    return of(value);
  };
  const pass = {
    cluster,
    report,
    account: { externalId: '123456789012', owner: '' },
    settings: { pollInterval: seconds(5) },
    memory: new PassMemory({}),
    aws: {
      vcpuSupply: () =>
        answer(aws.limit, (most) => ({
          quotas: [{ code: 'L-1', name: 'Standard', limit: most, used: 8 }],
          types: { 'm5.large': { vcpus: 2, onDemand: 'L-1' } },
        })),
      freeAddresses: () => answer(aws.free, (count) => ({ 'subnet-a': count })),
    },
  } as unknown as Pass;
  const { findings } = await foresee(pass, [DEMAND], 0);
  return { pass, aws, report, cluster, first: rememberShortage(pass, 'u|d', [DEMAND], findings) };
}

describe('an account without room for the first machine', () => {
  it('stops the update before it begins, with a problem that people see', async () => {
    const { first, report } = await shortOf(8, 5);
    expect(first).toMatchObject({
      kind: 'blocked',
      by: 'quota L-1 of account 123456789012 (r): 8 of 8 vCPUs run, not even one more m5.large (2 vCPUs)',
      recheckIn: minutes(1),
    });
    expect(report.problems).toMatchObject([{ type: expect.stringMatching(/quota-exceeded$/) }]);
  });

  it('stops nothing where one fits', async () => {
    const { first, pass } = await shortOf(10, 5);
    expect(first).toBeUndefined();
    expect(await stillShort(pass, 'u|d')).toBeUndefined();
  });

  it('is asked again until one fits', async () => {
    const { pass, aws } = await shortOf(8, 5);
    expect(await stillShort(pass, 'u|d')).toMatchObject({ kind: 'blocked' });
    aws.limit = 10;
    expect(await stillShort(pass, 'u|d')).toBeUndefined();
  });

  it('stays known while nobody can look again', async () => {
    const { pass, aws } = await shortOf(8, 5);
    aws.limit = denied;
    expect(await stillShort(pass, 'u|d')).toMatchObject({
      by: expect.stringMatching(/8 of 8 vCPUs run.* \(now not known: .*not authorized/),
    });
  });

  it('is not kept by what nobody knows of something else', async () => {
    const { pass, aws } = await shortOf(8, 5);
    Object.assign(aws, { limit: 10, free: denied });
    expect(await stillShort(pass, 'u|d')).toBeUndefined();
  });

  it('may be full subnets', async () => {
    expect((await shortOf(10, 0)).first).toMatchObject({ by: 'subnet-a: no free addresses' });
  });

  it('is nothing to another update, nor where people accept it', async () => {
    const { pass, cluster } = await shortOf(8, 5);
    expect(await stillShort(pass, 'u2|d')).toBeUndefined();
    cluster.configItems['upgrade_accepted_findings'] = 'quota-exceeded';
    expect(await stillShort(pass, 'u|d')).toBeUndefined();
  });
});
